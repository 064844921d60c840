"""The rules for arguments that are numbers, flags, texts, and choices of known ones."""

import math
import numbers

import numpy as np


def whole_number(name, value, lowest):
    """`value` as an int, NumPy's too.

    Args:
        name: Name of the argument, for the error.
        value: What was given.
        lowest: The least it may be.

    Raises:
        TypeError: When it is no integer.
        ValueError: When it is less than `lowest`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"`{name}` must be an integer. Received: {name}={value!r}")
    if value < lowest:
        raise ValueError(
            f"`{name}` must be at least {lowest}. Received: {name}={value}"
        )
    return int(value)


def real_number(name, value, lowest=-math.inf, highest=math.inf, above=None):
    """`value` as a finite float, from ints and NumPy's numbers too.

    Args:
        name: Name of the argument, for the error.
        value: What was given.
        lowest: The least it may be.
        highest: The most it may be.
        above: What it must be more than, in place of `lowest`.

    Raises:
        TypeError: When it is no number.
        ValueError: When it is not finite or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r}")
    low_enough = value <= highest
    high_enough = lowest <= value if above is None else above < value
    if not (math.isfinite(value) and low_enough and high_enough):
        left = f"[{lowest}" if above is None else f"({above}"
        raise ValueError(
            f"`{name}` must be a finite number in {left}, {highest}]. "
            f"Received: {name}={value}"
        )
    return float(value)


def flag(name, value):
    """`value` as a bool, NumPy's too.

    Args:
        name: Name of the argument, for the error.
        value: What was given.

    Raises:
        TypeError: When it is none: a string such as "no" would count as True.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False. Received: {name}={value!r}")
    return bool(value)


def string(name, value):
    """`value` as it is, a string.

    Args:
        name: Name of the argument, for the error.
        value: What was given.

    Raises:
        TypeError: When it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a string. Received: {name}={value!r}")
    return value


def number_array(values):
    """`values` as an array of integers or floats; None where they are none."""
    try:
        found = np.asarray(values)
    except ValueError:  # rows of different lengths
        return None
    return found if found.dtype.kind in "iuf" else None


def choice(name, value, known):
    """`value` as it is, one of the known ones.

    Args:
        name: Name of the argument, for the error.
        value: What was given.
        known: Names that it may be; None may be among them.

    Raises:
        ValueError: When it is another.
    """
    # What an array is equal to would be an array.
    if not isinstance(value, (str, type(None))) or value not in known:
        raise ValueError(
            f"`{name}` must be one of {tuple(known)}. Received: {name}={value!r}"
        )
    return value
