import gc
import os
import pickle
import sys
import time

import h5py
import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset, LabelledImages, sources
from keras_balance.data.sources import (
    MappedFile,
    SomeRows,
    open_source,
    store,
    value_range,
)

X = np.random.default_rng(0).integers(0, 256, (30, 5, 4, 3)).astype("uint8")
Y = np.array([0] * 20 + [1] * 10)
ROWS = [29, 3, 3, 0, 17, 3]


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def views(x):
    """Views whose place in the file numpy does not tell."""
    return [x, x[7:], x[::-2], x[:, 1:4, ::2], x[..., ::-1], x.transpose(0, 3, 1, 2)]


def test_views_of_a_mapped_file(mapped):
    for view, plain in zip(views(mapped), views(X), strict=True):
        source = open_source(view)
        assert isinstance(source, MappedFile)
        rows = np.arange(len(plain))[::-1]
        for one in (source, pickle.loads(pickle.dumps(source))):
            np.testing.assert_array_equal(one.take(rows), plain[rows])
            np.testing.assert_array_equal(one[2:5], plain[2:5])


def test_a_mapped_file_travels_as_a_path(mapped):
    assert len(pickle.dumps(open_source(mapped))) < 1000


def test_private_changes_of_a_mapped_file_count(tmp_path, mapped):
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")
    changed[3] = 7
    assert (open_source(changed).take([3]) == 7).all()
    assert (open_source(np.asarray(mapped)).take([3]) == X[3]).all()


def test_hdf5_and_tensors(tmp_path, mapped):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("x", data=X, chunks=(7, 5, 4, 3))
        for array in (data, keras.ops.convert_to_tensor(X), X):
            np.testing.assert_array_equal(open_source(array).take(ROWS), X[ROWS])
        feeds = [BalancedDataset(x, Y, 8, seed=1) for x in (data, X, mapped)]
        for i in range(len(feeds[0])):
            for feed in feeds:
                np.testing.assert_array_equal(feed[i][0], feeds[1][i][0])


def test_nan_in_a_mapped_file_is_told(tmp_path):
    x = np.zeros((10, 2, 2, 1), "float32")
    x[8, 1, 0, 0] = np.inf
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(ValueError, match=r"x\[8, 1, 0, 0\]=inf"):
        BalancedDataset(np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(10) % 2)


def test_many_images_go_to_a_file_that_goes_away(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_MEMORY", 100)
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))
    source = store([X[:10] + 0.4, X[10:] + 0.4], X.shape, X.dtype)
    assert isinstance(source, MappedFile)
    np.testing.assert_array_equal(source.take(ROWS), X[ROWS])
    assert len(os.listdir(tmp_path)) == 1
    child = None if "jax" in sys.modules else os.fork()  # it warns of forks
    if child == 0:
        # No more than this: TensorFlow's threads are not there, what they held is.
        del source
        os._exit(0)
    if child:
        os.waitpid(child, 0)
        assert len(os.listdir(tmp_path)) == 1
        np.testing.assert_array_equal(source.take(ROWS), X[ROWS])
    del source
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_a_file_or_memory_gives_the_same_batches(monkeypatch):
    flip = keras.layers.RandomFlip(seed=1)
    in_memory = BalancedDataset(X, Y, 16, synthesizer=flip, seed=2)
    first = in_memory[0][0]
    monkeypatch.setattr(sources, "_MEMORY", 0)
    in_file = BalancedDataset(X, Y, 16, synthesizer=flip, seed=2)
    np.testing.assert_array_equal(in_file[0][0], first)


def test_value_range():
    assert value_range(open_source(X // 2)) == (0, 255)
    assert value_range(open_source(X.astype("float32") / X.max())) == (0, 1)
    assert value_range(open_source(X * 0.0)) == (0, 1)


def test_some_rows_of_what_is_read_when_asked_for(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        images = LabelledImages(file.create_dataset("x", data=X), Y)
        rows = np.array([29, 3, 17])
        part, lazy = images.part(rows), images.part(rows, in_memory=False)
        assert isinstance(lazy.source, SomeRows)
        np.testing.assert_array_equal(lazy.source.take([2, 0, 0]), X[[17, 29, 29]])
        np.testing.assert_array_equal(lazy.source[1:], part.source[1:])
        np.testing.assert_array_equal(lazy.source[1], X[3])
        np.testing.assert_array_equal(lazy.x, part.x)
        np.testing.assert_array_equal(lazy.indices, part.indices)


def test_no_row_is_read_before_it_is_asked_for(mapped, monkeypatch):
    images = LabelledImages(mapped, Y, value_range=(0, 255))
    for source in (MappedFile, SomeRows):
        monkeypatch.setattr(source, "take", None)
    part = images.part(np.arange(5, 25), in_memory=False)
    nested = part.part(np.array([19, 0]), in_memory=False)
    monkeypatch.undo()
    np.testing.assert_array_equal(nested.source.take([0, 1]), X[[24, 5]])
    in_memory = LabelledImages(X, Y).part(np.arange(5, 25), in_memory=False)
    assert isinstance(in_memory.source.array, np.ndarray)


def test_many_pictures_are_read_in_parts(monkeypatch):
    read = []

    class Pictures:
        shape, dtype = X.shape, X.dtype

        def __len__(self):
            return len(X)

        def __getitem__(self, rows):
            read.append(len(rows))
            return X[rows]

    monkeypatch.setattr(sources, "_AT_ONCE", 4)
    rows = np.random.default_rng(0).integers(0, 30, 50)
    np.testing.assert_array_equal(open_source(Pictures()).take(rows), X[rows])
    assert max(read) == 4


@pytest.mark.once
def test_many_rows_take_as_much_longer_as_they_are_more(monkeypatch):
    class Numbers:
        def __init__(self, length):
            self.shape, self.dtype = (length, 1, 1, 1), np.dtype("uint8")

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, rows):
            return rows.astype("uint8")[:, None, None, None]

    def seconds(length):
        source, begin = open_source(Numbers(length)), time.perf_counter()
        taken = source.take(np.arange(length)[::-1])
        end = time.perf_counter()
        assert (taken.ravel() == np.arange(length)[::-1] % 256).all()
        return end - begin

    monkeypatch.setattr(sources, "_AT_ONCE", 1)
    assert seconds(2**15) < 64 * min(seconds(2**11) for _ in range(3))


@pytest.mark.once
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_large_pictures_are_cast_one_by_one_into_the_batch(dtype, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 128, 128, 1), "uint8")
    np.save(tmp_path / "x.npy", x)
    rows = np.array([3, 0, 3, 4])
    sources = [open_source(x), open_source(np.load(tmp_path / "x.npy", mmap_mode="r"))]
    for source in [*sources, SomeRows(sources[0], np.arange(5))]:
        batch = source.read(rows, np.dtype(dtype))
        assert batch.dtype == dtype
        np.testing.assert_array_equal(batch, x[rows])
        batch = np.zeros((6, 128, 128, 1), dtype)
        source.write(batch, np.array([1, 0, 1, 0, 1, 1], bool), rows)
        np.testing.assert_array_equal(batch[[0, 2, 4, 5]], x[rows])
        assert not batch[[1, 3]].any()


@pytest.mark.once
def test_no_file_is_left_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_MEMORY", 0)
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))

    def interrupted():
        yield X[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store(interrupted(), X.shape, X.dtype)
    assert not list(tmp_path.iterdir())
