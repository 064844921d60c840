"""Tensors of any backend as arrays."""

import h5py
import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.utils.arrays import to_numpy

X, Y = np.arange(4 * 8 * 8, dtype="uint8").reshape(4, 8, 8, 1), np.array([0, 0, 0, 1])


def tensors(dtype):
    """Tensors of each backend that is installed, Keras' own or not."""
    yield keras.ops.cast(X, dtype)
    try:
        import torch

        yield torch.tensor(X).to(getattr(torch, dtype))
    except ImportError:
        pass
    try:
        import tensorflow as tf

        yield tf.cast(X, dtype)
    except ImportError:
        pass


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bfloat16"])
def test_tensors_of_any_backend_come_in_a_type_of_numpys(dtype):
    for tensor in tensors(dtype):
        array = to_numpy(tensor)
        assert array.dtype.name == ("float32" if dtype == "bfloat16" else dtype)
        assert (array == X).all()


def test_images_and_labels_may_be_bfloat16():
    one_hot = keras.ops.cast(keras.ops.one_hot(Y, 2), "bfloat16")
    for images in tensors("bfloat16"):
        for labels in (Y, one_hot):
            dataset = kb.BalancedDataset(images, labels, batch_size=6, shuffle=False)
            assert (dataset[0][0][:4] == X).all()
            assert [*dataset.real_counts.values()] == [3, 1]


def test_what_is_read_when_it_is_indexed_stays_where_it_is(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        held = file.create_dataset("x", data=X)
        assert to_numpy(held) is held
    assert to_numpy([1, 2]) == [1, 2]
