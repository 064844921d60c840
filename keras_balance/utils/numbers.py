"""The rule for arguments that are whole numbers."""

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
