"""A dataset of epochs as a pipeline of a backend's own."""

import keras


def tf_dataset(dataset):
    """Give the batches as a `tf.data.Dataset`; each pass over it is an epoch.

    Raises:
        ImportError: When TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "`to_tf_dataset` needs TensorFlow: pip install tensorflow"
        ) from error
    signature = keras.tree.map_structure(
        lambda part: tf.TensorSpec((None, *part.shape[1:]), tf.as_dtype(part.dtype)),
        dataset.batch(dataset.epoch, 0),
    )
    batches = tf.data.Dataset.from_generator(
        dataset.one_epoch, output_signature=signature
    )
    cardinality = tf.data.experimental.assert_cardinality(len(dataset))
    return batches.apply(cardinality).prefetch(tf.data.AUTOTUNE)


def torch_dataloader(dataset):
    """Give the batches as a torch `DataLoader`; each pass over it is an epoch.

    Raises:
        ImportError: When torch is not installed.
    """
    try:
        from torch.utils.data import DataLoader, IterableDataset
    except ImportError as error:
        raise ImportError(
            "`to_torch_dataloader` needs torch: pip install torch"
        ) from error

    class Epochs(IterableDataset):
        def __iter__(self):
            return dataset.one_epoch()

        def __len__(self):
            return len(dataset)

    # The batches are made already: none are made of them.
    return DataLoader(Epochs(), batch_size=None)
