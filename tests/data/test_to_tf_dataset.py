import numpy as np
import pytest

from keras_balance.data import BalancedDataset

tf = pytest.importorskip("tensorflow")

X = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 1)).astype("uint8")


@pytest.mark.parametrize("names", [np.array([3, 8]), np.array(["ant", "bee"])])
def test_each_pass_is_an_epoch(names):
    y = names[[0] * 40 + [1] * 10]
    dataset = BalancedDataset(X, y, 16, seed=0, synthetic_weight=0.5)
    expected = BalancedDataset(X, y, 16, seed=0, synthetic_weight=0.5)
    flow = dataset.to_tf_dataset()
    assert flow.cardinality().numpy() == len(dataset) == 5
    for epoch in range(2):
        expected.epoch = epoch
        batches = [[part.numpy() for part in batch] for batch in flow]
        assert len(batches) == 5
        for batch, wanted in zip(batches, expected, strict=True):
            np.testing.assert_array_equal(batch[0], wanted[0])
            np.testing.assert_array_equal(batch[1].astype(y.dtype), wanted[1])
            np.testing.assert_array_equal(batch[2], wanted[2])
    assert dataset.epoch == 2


def test_each_pass_that_counts_its_batches_is_an_epoch():
    dataset = BalancedDataset(np.zeros((12, 2, 2, 1)), [0] * 8 + [1] * 4, 4, seed=0)
    flow = dataset.to_tf_dataset()
    for epoch in range(100):
        assert dataset.epoch == epoch
        for _ in zip(range(len(dataset)), flow, strict=False):
            pass  # `range` is asked first: nobody asks for a batch after the last
