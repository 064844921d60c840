"""How frequent the classes are where a classifier will be used."""

import numpy as np

from keras_balance.utils.class_counts import in_class_order
from keras_balance.utils.numbers import choice, number_array

_NAMES = ("uniform", "natural")


def check_prior(target_prior, name="target_prior"):
    """`target_prior` as a name or in class order, as far as that goes without classes.

    Args:
        target_prior: As of `read_prior`.
        name: Name of the argument, for the error.

    Raises:
        TypeError: When it is neither a name nor numbers.
        ValueError: For an unknown name, and shares that are not finite and positive.
    """
    if isinstance(target_prior, str):
        return choice(name, target_prior, _NAMES)
    in_order = in_class_order(target_prior, name)
    shares = number_array(in_order)
    if shares is None:
        raise TypeError(
            f"`{name}` must be 'uniform', 'natural', an array of shares or a dict "
            f"{{class: share}}. Received: {name}={target_prior!r}"
        )
    if shares.ndim != 1 or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"`{name}` must hold one positive share a class. "
            f"Received: {name}={shares.tolist()}"
        )
    return in_order


def read_prior(target_prior, counts, name="target_prior"):
    """Read the shares of the classes into an array that sums to one.

    Args:
        target_prior: `"uniform"` for equal shares, `"natural"` for those of `counts`,
            or shares or counts: an array `(num_classes,)`, or what else
            `read_class_counts` takes.
        counts: float64 `(num_classes,)`, positive.
        name: Name of the argument, for the error.

    Returns:
        float64 `(num_classes,)`.

    Raises:
        TypeError: When it is neither a name nor numbers.
        ValueError: For an unknown name, another length, and shares that are not
            finite and positive.

    Example:
        >>> read_prior([3, 1], np.array([1.0, 1.0]))
        array([0.75, 0.25])
    """
    target_prior = check_prior(target_prior, name)
    if isinstance(target_prior, str):
        shares = np.ones(len(counts)) if target_prior == "uniform" else counts
        return shares / shares.sum()
    shares = np.asarray(target_prior)
    if shares.shape != counts.shape:
        raise ValueError(
            f"`{name}` must hold one positive share a class, of {len(counts)}. "
            f"Received: {name}={shares.tolist()}"
        )
    return shares / shares.sum(dtype="float64")
