import numpy as np
import pytest

from keras_balance.utils.batches import check_batches, each_batch


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


class ByIndex:
    """As a `PyDataset`, with an iterator that gives something else."""

    num_batches = 3

    def __getitem__(self, index):
        return 10 * index

    def __iter__(self):
        return iter("no")


class WithLength(ByIndex):
    """One whose other number is not for everybody."""

    def __len__(self):
        return 2


class ByIterating:
    """A loader that counts its batches, and finds none by its index."""

    num_batches = 2

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([5, 6])


@pytest.mark.parametrize(
    ("x", "batches"),
    [
        (ByIndex(), [0, 10, 20]),
        (WithLength(), [0, 10]),
        (ByIterating(), [5, 6]),
        ([7, 8], [7, 8]),
        (TfData(0), []),
    ],
    ids=lambda one: type(one).__name__,
)
def test_each_batch_once(x, batches):
    assert [*each_batch(x)] == batches
    assert next(each_batch(x), None) == next(iter(batches), None)
