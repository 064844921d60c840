"""The rules for arguments that are numbers."""

import math
import numbers


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


def real_number(name, value, lowest=-math.inf, highest=math.inf):
    """`value` as a finite float, from ints and NumPy's numbers too.

    Args:
        name: Name of the argument, for the error.
        value: What was given.
        lowest: The least it may be.
        highest: The most it may be.

    Raises:
        TypeError: When it is no number.
        ValueError: When it is not finite or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r}")
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise ValueError(
            f"`{name}` must be a finite number in [{lowest}, {highest}]. "
            f"Received: {name}={value}"
        )
    return float(value)
