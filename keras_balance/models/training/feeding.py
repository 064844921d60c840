"""From what `BAGAN.fit` is given to batches, and to a sample of real images."""

import contextlib

import keras
import numpy as np

from keras_balance.data import BalancedDataset
from keras_balance.utils.images import check_images, check_same_length
from keras_balance.utils.labels import count_classes, read_labels
from keras_balance.utils.seeds import random_generator

# Enough to fit a Gaussian and to judge a checkpoint, however large the data.
_PER_CLASS = 1000


def array_feed(x, y, encoding_options, batch_size, balanced, seed):
    """Batches of an array of images and class indices, balanced by repetition.

    Returns:
        A `BalancedDataset` of `(images, class indices)`.
    """
    check_same_length(x, y)
    indices, encoding = read_labels(y, **encoding_options)
    check_all_present(indices, encoding)
    return BalancedDataset(
        x,
        indices,
        batch_size=batch_size,
        sampling_strategy="auto" if balanced else {},
        seed=seed,
    )


def sample_array(x, y, encoding_options, seed):
    """Up to 1,000 images of each class and their class indices."""
    indices, encoding = read_labels(y, **encoding_options)
    rows = []
    for c in range(encoding.num_classes):
        members = np.flatnonzero(indices == c)
        rows.append(random_generator(seed, c).permutation(members)[:_PER_CLASS])
    rows = np.sort(np.concatenate(rows))
    return np.asarray(x[rows]), indices[rows]


def sample_batches(data, encoding_options):
    """One pass over a data set: its first 1,000 images of each class, and its length.

    Returns:
        `(images, class indices, number of batches)`.
    """
    images, labels, kept, batches = [], [], {}, 0
    for batch in _iterate(data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise ValueError("The data must be batches of (images, labels).")
        batches += 1
        x = keras.ops.convert_to_numpy(x)
        indices, encoding = read_labels(
            keras.ops.convert_to_numpy(y), **encoding_options
        )
        for image, index in zip(x, indices, strict=True):
            kept[index] = kept.get(index, 0) + 1
            if kept[index] <= _PER_CLASS:
                images.append(image)
                labels.append(index)
    if not images:
        raise ValueError(f"The data must hold images. Received: x={data!r}, empty")
    images, labels = np.stack(images), np.array(labels)
    check_images(images)
    check_all_present(labels, encoding)
    return images, labels, batches


@contextlib.contextmanager
def first_epoch(data, initial_epoch):
    """Show the data of the first epoch, then go on with those of `initial_epoch`.

    A training that is resumed sees the sample of images that it saw before.
    """
    epoch = getattr(data, "epoch", None)
    if not initial_epoch or epoch is None:
        yield
        return
    # Set to the epoch already, or left at the first one.
    first = epoch - initial_epoch if epoch >= initial_epoch else epoch
    data.epoch = first
    try:
        yield
    finally:
        data.epoch = first + initial_epoch


def check_all_present(indices, encoding):
    """Raise a `ValueError` that names the first class without an image."""
    counts = count_classes(indices, encoding.num_classes)
    if counts.min() == 0:
        missing = encoding.classes[int(np.argmin(counts))].item()
        raise ValueError(
            f"Each of the {encoding.num_classes} classes must have at least one image. "
            f"Received: y without class {missing!r}"
        )


def check_scale(images, value_range):
    """Check that a sample of images lies in `value_range`, and fills some of it."""
    low, high = value_range
    darkest, brightest = float(images.min()), float(images.max())
    tolerance = 1e-3 * (high - low)
    too_narrow = brightest - darkest < 0.01 * (high - low) and brightest > darkest
    if darkest < low - tolerance or brightest > high + tolerance or too_narrow:
        raise ValueError(
            f"Pixels must be in value_range={value_range}, and use more than a "
            f"hundredth of it. Received: x from {darkest:g} to {brightest:g}"
        )


def _iterate(data):
    if isinstance(data, keras.utils.PyDataset):
        return (data[index] for index in range(len(data)))
    return data
