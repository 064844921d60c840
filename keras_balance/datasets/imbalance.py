"""Fewer images of some classes, or of all."""

import collections.abc
import numbers

import numpy as np

from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.images import check_same_length
from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import real_number
from keras_balance.utils.seeds import check_seed, random_generator


def make_imbalance(x, y, sampling_strategy, seed=None):
    """Keep only some images of the named classes.

    Args:
        x: Array or tensor `(n, ...)` of images, or a table of their files, a row each;
            a `numpy.memmap` is read only where kept.
        y: Labels: `(n,)` or `(n, 1)` integers or strings, or one-hot
            `(n, num_classes)`.
        sampling_strategy: Dict of class names as they stand in `y` (column numbers
            for one-hot): an int is the number of images to keep, at least 1 and at
            most what there is; a float in (0, 1] the fraction, rounded, at least
            one image. Classes that it does not name stay whole.
        seed: int or None. With the same seed, the images of a smaller count are
            among those of a larger one, and a class's draw does not depend on the
            other classes.

    Returns:
        `(x, y)`: the kept images and labels in their old order, with the dtypes and
        encoding they had.

    Raises:
        TypeError: When the strategy is no dict or holds something else than numbers.
        ValueError: For an unknown class, a count or fraction out of its bounds,
            lengths that differ, and bad labels.

    Example:
        >>> (x_train, y_train), _ = kb.datasets.digits.load_data()
        >>> x, y = kb.datasets.make_imbalance(
        ...     x_train, y_train, {0: 0.05, 8: 30}, seed=1
        ... )
        >>> np.bincount(y)
        array([  6, 127, 124, 128, 127, 127, 127, 125,  30, 126])
    """
    x = to_numpy(x) if hasattr(x, "shape") else np.asarray(x)
    check_same_length(x, y)
    indices, encoding = read_labels(y)
    y = np.asarray(y)  # not before, when NumPy would write "nan" for a missing name
    if not isinstance(sampling_strategy, collections.abc.Mapping):
        raise TypeError(
            "`sampling_strategy` must be a dict {class: count or fraction}. "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    seed = check_seed(seed)
    keep = np.ones(len(y), dtype=bool)
    for label, amount in sampling_strategy.items():
        index = encoding.index_of(label, name="sampling_strategy key")
        members = np.flatnonzero(indices == index)
        count = _count(label, amount, len(members))
        order = random_generator(seed, index).permutation(len(members))
        keep[members[order[count:]]] = False
    kept = np.flatnonzero(keep)
    rows = x.iloc if hasattr(x, "iloc") else x
    return rows[kept], y[kept]


def subsample(x, y, fraction, seed=None):
    """Keep the same fraction of every class.

    Args:
        x: Array `(n, ...)` of images.
        y: Labels, as in `make_imbalance`.
        fraction: Number in (0, 1]. Each class keeps this part of its images,
            rounded, and at least one.
        seed: int or None, as in `make_imbalance`.

    Returns:
        `(x, y)`: the kept images and labels in their old order, with the dtypes and
        encoding they had.

    Raises:
        TypeError: When `fraction` is no number.
        ValueError: When it is not in (0, 1], for lengths that differ, and for bad
            labels.

    Example:
        >>> x, y = kb.datasets.subsample(x_train, y_train, 0.01, seed=1)
    """
    fraction = real_number("fraction", fraction, above=0, highest=1)
    indices, encoding = read_labels(y)
    present = encoding.names(np.unique(indices))
    return make_imbalance(x, y, dict.fromkeys(present, fraction), seed)


def _count(label, amount, available):
    """How many of the `available` images of one class to keep."""
    if isinstance(amount, bool) or not isinstance(amount, numbers.Real):
        raise TypeError(
            "`sampling_strategy` must hold int counts or float fractions. "
            f"Received: sampling_strategy[{label!r}]={amount!r}"
        )
    if isinstance(amount, numbers.Integral):
        if not 1 <= amount <= available:
            raise ValueError(
                "A count in `sampling_strategy` must be at least 1 and at most the "
                f"{available} images of the class. "
                f"Received: sampling_strategy[{label!r}]={amount}"
            )
        return int(amount)
    if not 0 < amount <= 1:
        raise ValueError(
            "A fraction in `sampling_strategy` must be in (0, 1]. "
            f"Received: sampling_strategy[{label!r}]={amount}"
        )
    return max(1, round(amount * available))
