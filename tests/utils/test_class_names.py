import numpy as np
import pytest

from keras_balance.utils.class_names import check_class_names


def test_class_names_of_reports():
    assert check_class_names(None, 2) == ["0", "1"]
    assert check_class_names(np.array([7, 40]), 2) == ["7", "40"]


@pytest.mark.parametrize("class_names", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_bad_class_names(class_names):
    with pytest.raises(ValueError, match=r"2 distinct names.*Received: class_names"):
        check_class_names(class_names, 2)
