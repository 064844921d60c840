"""Where images lie: in memory, in a memory-mapped file, in an HDF5-like array.

A source has the `shape` and `dtype` of the array, a length, slices for the checks,
and `take(rows)`. It never holds more of a file than one batch.
"""

import mmap
import os

import keras
import numpy as np


def open_source(x):
    """Find the source behind `x`: array, tensor, `numpy.memmap` or HDF5-like array."""
    if keras.ops.is_tensor(x):
        x = keras.ops.convert_to_numpy(x)
    if isinstance(x, np.memmap) and _can_reopen(x):
        return MappedFile(x)
    if isinstance(x, np.ndarray):
        return ArraySource(np.asarray(x))
    return LazySource(x)


class ArraySource:
    """Images in memory."""

    def __init__(self, array):
        self.array = array
        self.shape, self.dtype = tuple(array.shape), array.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return self.array[key]

    def take(self, rows):
        """Images of the given rows, in any order and repeated at will."""
        return self.array[rows]


class LazySource(ArraySource):
    """Images that are read when asked for, such as an `h5py.Dataset`."""

    def take(self, rows):
        """Images of the given rows; HDF5 wants them rising and each once."""
        unique, inverse = np.unique(rows, return_inverse=True)
        return np.asarray(self.array[unique])[inverse]


class MappedFile(ArraySource):
    """A `numpy.memmap`, mapped anew for every batch.

    So the pages read do not pile up in this process, and worker processes get the
    path instead of a copy.
    """

    def __init__(self, array):
        super().__init__(array)
        root = _root(array)
        self._file = {"filename": root.filename, "offset": root.offset}
        self._start = _address(array) - _address(root)
        self._strides = array.strides

    def __getitem__(self, key):
        return self._map()[key]

    def take(self, rows):
        """Images of the given rows, in any order and repeated at will."""
        return self._map()[rows]

    def __getstate__(self):
        return {**self.__dict__, "array": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.array = self._map()

    def _map(self):
        content = np.memmap(**self._file, dtype="uint8", mode="r")
        return np.ndarray(
            self.shape, self.dtype, content, self._start, strides=self._strides
        )


def _root(array):
    """Find the memmap that `array` is a view of: a view keeps its parent's offset."""
    while not isinstance(array.base, mmap.mmap):
        array = array.base
    return array


def _address(array):
    return array.__array_interface__["data"][0]


def _can_reopen(array):
    # Changes to a copy-on-write map ("c") are not in the file.
    if array.filename is None or array.mode == "c":
        return False
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap) and os.path.exists(array.filename)
