import numpy as np
import pytest

from keras_balance.utils.batches import check_batches


class Batches:
    """As a `PyDataset` of Keras."""

    def __init__(self, num_batches):
        self.num_batches = num_batches


class TfData:
    def __init__(self, cardinality):
        self._cardinality = cardinality

    def __iter__(self):
        return iter([])

    def cardinality(self):
        return np.int64(self._cardinality)


@pytest.mark.parametrize("x", [Batches(3), TfData(3), TfData(-2), [1, 2]])
def test_what_ends_and_begins_again_is_taken(x):
    check_batches(x)


@pytest.mark.parametrize("x", [Batches(None), TfData(-1)])
def test_what_never_ends_is_refused(x):
    with pytest.raises(ValueError, match="`x` must end"):
        check_batches(x)


@pytest.mark.parametrize("x", [iter([1]), (n for n in [1]), 3])
def test_what_is_read_once_is_refused(x):
    with pytest.raises(TypeError, match="again and again"):
        check_batches(x)
