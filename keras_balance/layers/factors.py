"""Arguments of augmentations: strengths, which may be a pair to draw from."""

import numbers

import numpy as np

from keras_balance.layers import draws
from keras_balance.utils.numbers import real_number


def check_factor(factor, name, low, high):
    """`factor` as a float or a `(lower, upper)` tuple of floats.

    Args:
        factor: A number, or a tuple or list of two numbers.
        name: Name of the argument in error messages.
        low: Smallest number allowed.
        high: Largest number allowed.

    Raises:
        TypeError: When it holds something that is no number.
        ValueError: When a number is not finite or outside `[low, high]`, or a
            pair is not two ascending numbers.
    """
    is_pair = isinstance(factor, (tuple, list))
    values = factor if is_pair else [factor]
    rule = (
        f"`{name}` must be a number in [{low}, {high}], "
        f"or two such numbers (lower, upper). Received: {name}={factor!r}"
    )
    if any(isinstance(v, bool) or not isinstance(v, numbers.Real) for v in values):
        raise TypeError(rule)
    values = tuple(float(value) for value in values)
    in_bounds = all(low <= value <= high for value in values)
    if not in_bounds or (is_pair and (len(values) != 2 or values[0] > values[1])):
        raise ValueError(rule)
    return values if is_pair else values[0]


def check_fill_value(fill_value, value_range):
    """`fill_value` as a float within the range of pixels, or None."""
    if fill_value is None:
        return None
    return real_number("fill_value", fill_value, *map(float, value_range))


def around_zero(factor):
    """`(lower, upper)` of a factor whose single number reaches both ways."""
    return factor if isinstance(factor, tuple) else (-abs(factor), abs(factor))


def scaled(factor, scale):
    """Multiply a factor, number or pair, by a number."""
    if isinstance(factor, tuple):
        return tuple(bound * scale for bound in factor)
    return factor * scale


def draw(ops, bounds, n, seed):
    """One uniform draw per image and `(lower, upper)` of `bounds`.

    Returns:
        float32 `(len(bounds), n)`.
    """
    lower, upper = np.array(bounds, "float32").T[:, :, None]
    share = draws.uniform(ops, (len(bounds), n), seed, axis=1, dtype="float32")
    return share * ops.convert_to_tensor(upper - lower) + ops.convert_to_tensor(lower)
