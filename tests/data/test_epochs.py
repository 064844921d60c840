"""Every pass over a dataset is an epoch, whoever makes it."""

import copy

import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset

X = np.arange(50.0)[:, None, None, None] * np.ones((1, 2, 2, 1))
Y = np.repeat([0, 1], [40, 10])


def make():
    return BalancedDataset(X, Y, 16, seed=0)


def order(batches):
    return np.concatenate([np.asarray(batch[0])[:, 0, 0, 0] for batch in batches])


def wanted(epoch):
    dataset = make()
    return order(dataset.batch(epoch, index) for index in range(len(dataset)))


def test_a_plain_loop_moves_on():
    dataset = make()
    for epoch in range(3):
        assert dataset.epoch == epoch
        np.testing.assert_array_equal(order(dataset), wanted(epoch))
    assert (wanted(0) != wanted(1)).any()


def test_a_loop_that_is_left_does_not():
    dataset = make()
    next(iter(dataset))
    assert dataset.epoch == 0


def test_a_loop_by_index_moves_on_where_it_says_so():
    dataset = make()
    for epoch in range(3):
        batches = [dataset[index] for index in range(len(dataset))]
        np.testing.assert_array_equal(order(batches), wanted(epoch))
        dataset.on_epoch_end()
    dataset[0]
    dataset.on_epoch_end()
    assert dataset.epoch == 3
    order(dataset)
    dataset.on_epoch_end()
    assert dataset.epoch == 4


def test_what_was_looked_at_before_is_no_epoch_of_fit():
    dataset = make()
    for index in range(len(dataset)):
        dataset[index]
    dataset.on_epoch_begin()
    dataset[0]
    dataset.on_epoch_end()
    assert dataset.epoch == 0


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
def test_a_copy_in_the_same_process_goes_on_by_itself(twin):
    x, y = np.zeros((12, 2, 2, 1), "uint8"), np.array([0] * 9 + [1] * 3)
    first = BalancedDataset(x, y, batch_size=6, seed=0)
    second = twin(first)
    for _ in range(2):
        list(second)
    assert (first.epoch, second.epoch) == (0, 2)
    first.epoch = 2
    np.testing.assert_array_equal(first[0][1], second[0][1])


def test_a_generator_of_tensorflow_moves_on():
    tf = pytest.importorskip("tensorflow")
    dataset = make()
    signature = (tf.TensorSpec((None, 2, 2, 1)), tf.TensorSpec((None,), tf.int64))
    flow = tf.data.Dataset.from_generator(lambda: dataset, output_signature=signature)
    for epoch in range(2):
        np.testing.assert_array_equal(order(flow), wanted(epoch))


def test_a_torch_loader_moves_on():
    torch = pytest.importorskip("torch")
    loader = make().to_torch_dataloader()
    assert isinstance(loader, torch.utils.data.DataLoader)
    assert len(loader) == 5
    for epoch in range(2):
        np.testing.assert_array_equal(order(loader), wanted(epoch))
    # Keras takes as many batches as there are, and does not ask for another.
    batches = iter(loader)
    for _ in range(5):
        next(batches)
    np.testing.assert_array_equal(order(loader), wanted(3))
    images, labels = next(iter(loader))
    assert isinstance(images, torch.Tensor)
    assert labels.dtype == torch.int64


def test_fit_says_what_to_do_with_names():
    names = np.array(["cat", "dog"])[Y]
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="Give class indices"):
        model.fit(BalancedDataset(X, names, seed=0), verbose=0)
