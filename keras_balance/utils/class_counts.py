"""How many images of each class there are, however they are given."""

import numpy as np

from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import number_array


class ClassCounts(dict):
    """Images of each class, `{class: count}`, in the order of a data set's classes."""


class RealCounts(ClassCounts):
    """Real images of each class, which knows the counts that a feed makes of them.

    Args:
        counts: dict `{class: count}` in class order.
        shown: dict of what one epoch of the feed holds.
    """

    def __init__(self, counts, shown):
        super().__init__(counts)
        self.shown = dict(shown)


def read_class_counts(class_counts, name="class_counts"):
    """Read the images of each class into an array in class order.

    Args:
        class_counts: Array or sequence `(num_classes,)`, a dict `{class: count}` or
            such a Series of pandas, as `value_counts()` gives (sorted by class, as
            classes are numbered), a `BalancedDataset`, or its `class_counts` or
            `real_counts` (in the order of its classes). Counts need not be whole:
            shares serve as well where only these matter.
        name: Name of the argument, for the error.

    Returns:
        float64 `(num_classes,)`.

    Raises:
        TypeError: When it is none of these.
        ValueError: For fewer than two classes, and for counts that are not finite
            and positive.

    Example:
        >>> read_class_counts({1: 12, 0: 240})
        array([240.,  12.])
    """
    counts = number_array(in_class_order(class_counts, name))
    if counts is None:
        raise TypeError(
            f"`{name}` must be an array (num_classes,), a dict {{class: count}} or a "
            f"BalancedDataset. Received: {name}={class_counts!r}"
        )
    if counts.ndim != 1 or len(counts) < 2:
        raise ValueError(
            f"`{name}` must hold one count a class, of two classes or more. "
            f"Received: {name} of shape {counts.shape}"
        )
    if not (np.isfinite(counts) & (counts > 0)).all():
        raise ValueError(
            f"`{name}` must be finite and positive. Received: {name}={counts.tolist()}"
        )
    return counts.astype("float64")


def in_class_order(values, name):
    """Read numbers of the classes into a list in class order.

    Args:
        values: As of `read_class_counts`; what is in order already, or no such numbers,
            stays as it is.
        name: Name of the argument, for the error.

    Raises:
        TypeError: For classes of several types.
    """
    if hasattr(values, "value_counts"):  # a Series, in the order of its counts
        values = dict(values)
    given = getattr(values, "class_counts", values)
    if not isinstance(given, dict):
        return given
    of_feed = given is not values or isinstance(given, ClassCounts)
    labels = list(given) if of_feed else _sorted_labels(given, name)
    return [given[label] for label in labels]


def shown_counts(class_counts):
    """Array of what a feed shows where `class_counts` are its real counts, or None."""
    shown = getattr(class_counts, "shown", None)
    return None if shown is None else np.array([*shown.values()], "float64")


def effective_number_weights(counts, beta):
    """Weights of the classes, of mean 1, that fall with their effective numbers.

    Args:
        counts: float64 `(num_classes,)`, positive.
        beta: In [0, 1); 0 weighs all alike, towards 1 by the inverse counts.

    Reference:
        Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples",
        equation 10.
    """
    # 1 - beta ** count, without the loss of digits where beta is next to 1.
    missing = -np.expm1(counts * np.log(beta)) if beta > 0 else np.ones(len(counts))
    return len(counts) / missing / np.sum(1 / missing)


def _sorted_labels(given, name):
    try:
        return sorted(given)
    except TypeError as error:
        raise TypeError(
            f"`{name}` must have classes of one type. Received: {name}={given!r}"
        ) from error


def class_indices(labels, num_classes):
    """Class indices of labels, and the images of each class.

    Raises:
        ValueError: For a label outside the classes, and a class without any image.
    """
    indices, _ = read_labels(labels, num_classes=num_classes)
    counts = np.bincount(indices, minlength=num_classes)
    check_every_class(counts)
    return indices, counts


def check_every_class(counts, keys=None):
    """Raise a `ValueError` that names the first class without an image.

    Args:
        counts: Images of each class `(num_classes,)`.
        keys: List of what the classes are called; by default 0, 1, ...
    """
    for label, count in enumerate(counts):
        if count == 0:
            raise ValueError(
                "Every class must have at least one image. "
                f"Received: y without class {label if keys is None else keys[label]!r}"
            )
