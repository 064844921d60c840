"""Rates by class: a dict, or a sequence whose index is the class."""

import numbers

import numpy as np


def check_rates(rates):
    """`rates` as a dict of ints to floats, or a list of floats.

    Raises:
        TypeError: When it is no dict and no sequence, or holds something that is
            no number.
        ValueError: For a rate outside [0, 1] or a negative class.
    """
    if not isinstance(rates, dict):
        return _check_values(rates)
    if not all(_is_number(label, numbers.Integral) for label in rates):
        raise TypeError(
            f"The keys of `rates` must be integers. Received: rates={rates!r}"
        )
    if any(label < 0 for label in rates):
        raise ValueError(
            f"The keys of `rates` must not be negative. Received: rates={rates!r}"
        )
    values = _check_values(list(rates.values()))
    return dict(zip(map(int, rates), values, strict=True))


def rate_table(rates):
    """Rates as a float32 array: that of class c at c + 1, and zeros at both ends.

    The zeros are for labels beyond the classes that have a rate.
    """
    if isinstance(rates, dict):
        rates = [rates.get(label, 0.0) for label in range(max(rates, default=-1) + 1)]
    return np.array([0.0, *rates, 0.0], "float32")


def _check_values(rates):
    is_sequence = isinstance(rates, (list, tuple, np.ndarray))
    if not is_sequence or not all(_is_number(rate, numbers.Real) for rate in rates):
        raise TypeError(
            "`rates` must be a dict or a sequence of numbers. "
            f"Received: rates={rates!r}"
        )
    if not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(
            f"Each of `rates` must be in [0, 1]. Received: rates={rates!r}"
        )
    return [float(rate) for rate in rates]


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool)
