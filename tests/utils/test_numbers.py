"""The rules for arguments that are numbers, flags and choices."""

import numpy as np
import pytest

from keras_balance.utils.numbers import choice, flag, real_number, whole_number


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


def test_flags():
    assert flag("shuffle", np.True_) is True
    assert flag("shuffle", False) is False


@pytest.mark.parametrize("value", ["no", 1, 0, None, np.array([True])])
def test_what_is_no_flag(value):
    with pytest.raises(TypeError, match=r"`shuffle` must be True or.*d: shuffle="):
        flag("shuffle", value)


@pytest.mark.parametrize("value", ["magic", None, 3, ["a"], np.array(["a", "b"])])
def test_choices(value):
    assert choice("mode", "a", ("a", "b")) == "a"
    assert choice("mode", None, ("a", None)) is None
    with pytest.raises(ValueError, match=r"`mode` must be one of \('a', 'b'\)"):
        choice("mode", value, ("a", "b"))
