"""Pipelines as a source to balance."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset, LabelledImages

X = np.arange(20).astype("uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8")
Y = np.repeat([0, 1], [15, 5])


class Items:
    """As a torch `Dataset` is: items by index."""

    def __init__(self, y=Y):
        self.y, self.fetched = y, 0

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        self.fetched += 1
        return X[index], self.y[index]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(5 * index, 5 * index + 5)
        return X[rows], Y[rows]


def same_as_arrays(x):
    ours, wanted = BalancedDataset(x, seed=0), BalancedDataset(X, Y, seed=0)
    assert ours.class_counts == wanted.class_counts == {0: 15, 1: 15}
    for one, other in zip(ours.batch(2, 0), wanted.batch(2, 0), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_dataset_of_tensorflow(batch_size):
    tf = pytest.importorskip("tensorflow")
    x = tf.data.Dataset.from_tensor_slices((X, Y))
    same_as_arrays(x if batch_size is None else x.batch(batch_size))
    with pytest.raises(ValueError, match="must end"):
        BalancedDataset(x.repeat())
    with pytest.raises(ValueError, match="images and labels"):
        BalancedDataset(x.map(lambda image, label: image))


def test_a_dataset_and_a_loader_of_torch():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    same_as_arrays(data)
    same_as_arrays(torch.utils.data.DataLoader(data, batch_size=3, shuffle=True))


def test_batches_of_keras():
    same_as_arrays(Batches())


def test_items_are_fetched_when_they_are_needed():
    items = Items()
    dataset = BalancedDataset(items, batch_size=4, seed=0)
    read = items.fetched
    assert read <= len(X) + 1
    dataset[0]
    assert items.fetched == read + 4
    kb.data.LabelledImages(items).part([3]).x[0, 0, 0, 0] = 0


def test_items_that_change_are_noticed():
    items = Items()
    images = LabelledImages(items)
    items.y = 1 - Y
    with pytest.raises(RuntimeError, match="the same order"):
        images.source.take([3])


def test_nothing_in_it():
    with pytest.raises(ValueError, match="must hold images"):
        BalancedDataset(type("None", (Items,), {"__len__": lambda self: 0})())
