"""A `BalancedDataset` as a pipeline of a backend's own."""


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

    def one_epoch():
        dataset.on_epoch_begin()
        yield from dataset
        dataset.on_epoch_end()

    signature = tuple(
        tf.TensorSpec((None, *part.shape[1:]), tf.as_dtype(part.dtype))
        for part in dataset[0]
    )
    batches = tf.data.Dataset.from_generator(one_epoch, output_signature=signature)
    cardinality = tf.data.experimental.assert_cardinality(len(dataset))
    return batches.apply(cardinality).prefetch(tf.data.AUTOTUNE)
