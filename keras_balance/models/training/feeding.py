"""From what `fit` is given to batches, and to a sample of real images."""

import contextlib

import keras
import numpy as np

from keras_balance.data import BalancedDataset
from keras_balance.utils.batches import check_batches, each_batch
from keras_balance.utils.class_counts import check_every_class
from keras_balance.utils.images import check_images
from keras_balance.utils.labels import count_classes
from keras_balance.utils.seeds import random_generator

# Enough to fit a Gaussian and to judge a checkpoint, however large the data.
PER_CLASS = 1000


def array_feed(images, batch_size, balanced, seed):
    """Batches of images and class indices, balanced by repetition.

    Args:
        images: `LabelledImages`, every class among them.
        batch_size: Images in a batch.
        balanced: Whether rare classes are repeated.
        seed: Integer.

    Returns:
        A `BalancedDataset`.
    """
    return BalancedDataset(
        images.as_indices(),
        batch_size=batch_size,
        sampling_strategy="auto" if balanced else {},
        seed=seed,
    )


class PairedBatches(keras.utils.PyDataset):
    """Batches whose second half are other images of the classes of the first.

    Args:
        dataset: A `BalancedDataset` of images and class indices.
        images: The `LabelledImages` behind it.
        seed: Integer.
    """

    def __init__(self, dataset, images, seed):
        super().__init__()
        self.dataset, self.images, self.seed = dataset, images, seed

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        firsts, labels = self.dataset[index]
        generator = random_generator(self.seed, self.epoch, index)
        rows = self.images.draw(labels, generator)
        seconds = self.images.source.take(rows)
        same = np.flatnonzero((seconds == firsts).all(axis=(1, 2, 3)))
        if len(same):
            others = [self._other(row, generator) for row in rows[same]]
            seconds[same] = self.images.source.take(np.array(others))
        both = np.concatenate([firsts, seconds.astype(firsts.dtype)])
        return both, np.concatenate([labels, labels])

    def _other(self, row, generator):
        """Draw the row of another image of a row's class, where it has one."""
        members = self.images.rows_of(self.images.indices[row])
        others = members[members != row]
        return generator.choice(others) if len(others) else row

    @property
    def epoch(self):
        """Epoch, counted from 0, that batches belong to."""
        return self.dataset.epoch

    @epoch.setter
    def epoch(self, value):
        self.dataset.epoch = value

    def on_epoch_begin(self):
        """Begin an epoch. Called by `fit`."""
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        """Move on to the next epoch. Called by `fit`."""
        self.dataset.on_epoch_end()


def sample_batches(data, read):
    """One pass over a data set: its first 1,000 images of each class, and its batches.

    Args:
        data: Batches of images and labels; see `check_batches`.
        read: Function from labels to class indices and encoding.

    Returns:
        `(images, class indices, encoding of the labels, number of batches, images of
        the largest)`.
    """
    check_batches(data)
    images, labels, kept, batches, size = [], [], {}, 0, 0
    for batch in each_batch(data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise ValueError("The data must be batches of (images, labels).")
        batches, size = batches + 1, max(size, len(x))
        x, y = keras.ops.convert_to_numpy(x), keras.ops.convert_to_numpy(y)
        if y.dtype.kind not in "biuf":
            raise TypeError(
                "Labels in batches must be numbers: class indices or one-hot. "
                f"Received: labels of dtype {y.dtype}"
            )
        indices, encoding = read(y)
        for image, index in zip(x, indices, strict=True):
            kept[index] = kept.get(index, 0) + 1
            if kept[index] <= PER_CLASS:
                images.append(image.copy())  # a view would keep its whole batch
                labels.append(index)
    if not images:
        raise ValueError(f"The data must hold images. Received: x={data!r}, empty")
    images, labels = np.stack(images), np.array(labels)
    check_images(images)
    counts = count_classes(labels, encoding.num_classes)
    check_every_class(counts, encoding.classes.tolist())
    return images, labels, encoding, batches, size


@contextlib.contextmanager
def first_epoch(data, initial_epoch):
    """Show the data of the first epoch, then go on with those of `initial_epoch`.

    A training that is resumed sees the sample of images that it saw before.
    """
    epoch = getattr(data, "epoch", None)
    if epoch is None:
        yield
        return
    # Set to the epoch already, or left at the first one.
    first = epoch - initial_epoch if epoch >= initial_epoch else epoch
    data.epoch = first
    try:
        yield
    finally:
        # At the beginning, too: what was read for the sample is no epoch of training.
        data.epoch = first + initial_epoch


def check_scale(darkest, brightest, value_range, name="x"):
    """Check that pixels lie in `value_range`, and fill some of it.

    Args:
        darkest: The least of them.
        brightest: The greatest of them.
        value_range: `(low, high)`.
        name: Of the images in the error message.
    """
    low, high = value_range
    tolerance = 1e-3 * (high - low)
    too_narrow = brightest - darkest < 0.01 * (high - low) and brightest > darkest
    if darkest < low - tolerance or brightest > high + tolerance or too_narrow:
        raise ValueError(
            f"Pixels must be in value_range={value_range}, and use more than a "
            f"hundredth of it. Received: {name} from {darkest:g} to {brightest:g}"
        )
