"""The rules for arguments that are numbers."""

import numpy as np
import pytest

from keras_balance.utils.numbers import choice, real_number, whole_number


def test_numbers_as_pythons_own():
    assert whole_number("size", np.int64(3), 1) == 3
    assert real_number("tau", np.float32(0.5), 0) == 0.5
    assert isinstance(real_number("tau", 1, 0), float)


@pytest.mark.parametrize(
    ("value", "error"),
    [(-1, ValueError), (3, ValueError), (np.nan, ValueError), (True, TypeError)],
)
def test_bad_numbers(value, error):
    with pytest.raises(error, match=r"Received: tau="):
        real_number("tau", value, 0, 2)


def test_a_bound_that_is_not_reached():
    assert real_number("keep", 1, above=0, highest=1) == 1
    with pytest.raises(ValueError, match=r"in \(0, 1\]\. Received: keep=0"):
        real_number("keep", 0, above=0, highest=1)


@pytest.mark.parametrize("value", ["magic", None, 3, ["a"], np.array(["a", "b"])])
def test_choices(value):
    assert choice("mode", "a", ("a", "b")) == "a"
    assert choice("mode", None, ("a", None)) is None
    with pytest.raises(ValueError, match=r"`mode` must be one of \('a', 'b'\)"):
        choice("mode", value, ("a", "b"))
