"""The rules for arguments that are numbers."""

import numpy as np
import pytest

from keras_balance.utils.numbers import real_number, whole_number


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
