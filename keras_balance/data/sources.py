"""Where images lie: in memory, in a memory-mapped file, in an HDF5-like array.

A source has the `shape` and `dtype` of the array, a length, slices for the checks,
and `take(rows)`. It never holds more of a file than one batch.
"""

import contextlib
import itertools
import math
import mmap
import os
import tempfile
import weakref

import numpy as np

from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.images import check_images, chunks

# Synthetic images beyond this many bytes are kept in a file.
_MEMORY = 2**26
_AT_ONCE = 128  # pictures
# Numbers in a picture from which it is faster to cast each on its way into the batch
# than to gather all of them first.
_LARGE = 2**14


def open_source(x):
    """Find the source behind `x`: array, tensor, `numpy.memmap` or HDF5-like array."""
    x = to_numpy(x)
    if not hasattr(x, "shape"):
        check_images(x)  # which tells what is wrong with it
    return _open(x)


def open_rows(x):
    """Find the source behind what comes along with images: any rows `(n, ...)`."""
    # A column of a table is indexed by its own index, and not by rows.
    is_plain = not hasattr(x, "shape") or hasattr(x, "iloc")
    return _open(np.asarray(x) if is_plain else to_numpy(x))


def _open(x):
    if isinstance(x, np.memmap) and _can_reopen(x):
        return MappedFile(x)
    return ArraySource(np.asarray(x)) if isinstance(x, np.ndarray) else LazySource(x)


def changed(received):
    """Error for a source that is not what it was at the pass before."""
    return RuntimeError(
        "A dataset must give the same number of items, in the same order, at every "
        f"pass. Received: {received}"
    )


def store(chunks, shape, dtype):
    """Source of synthetic images: in memory, or in a temporary file if they are many.

    Args:
        chunks: Iterable of arrays of images, `shape[0]` of them altogether; they
            are rounded and clipped where `dtype` is an integer type.
        shape: Shape of all of them.
        dtype: NumPy dtype they are kept in.
    """
    chunks = (_to_dtype(chunk, dtype) for chunk in chunks)
    if math.prod(shape) * dtype.itemsize <= _MEMORY:
        images, start = np.empty(shape, dtype), 0
        for chunk in chunks:
            images[start : start + len(chunk)] = chunk
            start += len(chunk)
        return ArraySource(images)
    handle, path = tempfile.mkstemp(prefix="keras-balance-")
    with contextlib.ExitStack() as undo:
        undo.callback(os.remove, path)
        with open(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk.tobytes())
        undo.pop_all()  # the file is whole
    source = MappedFile(np.memmap(path, dtype, mode="r", shape=shape))
    # A forked worker inherits the source, but the file is not its own to remove.
    weakref.finalize(source, _remove, path, os.getpid())
    return source


def value_range(source):
    """Limits of the pixels: of the type for uint8, else the least and the greatest."""
    if source.dtype == np.uint8:
        return 0.0, 255.0
    limits = [(some.min(), some.max()) for _, some in chunks(source)]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    low, high = float(low), float(high)  # which hold one more than the largest integer
    return low, high if high > low else low + 1


class ArraySource:
    """Images in memory."""

    in_memory = True
    _reads_rows = True  # one by one as fast as many together

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

    def read(self, rows, dtype):
        """Give what `take(rows)` does, in a dtype."""
        if dtype == self.dtype or not self._is_cast_singly:
            return self.take(rows).astype(dtype, copy=False)
        images = np.empty((len(rows), *self.shape[1:]), dtype)
        self.write(images, np.ones(len(rows), bool), rows)
        return images

    def write(self, images, places, rows):
        """Write what `take(rows)` gives to where the bool array `places` is True."""
        if not self._is_cast_singly:
            images[places] = self.take(rows)
            return
        array = self._held()
        places = np.flatnonzero(places).tolist()
        for place, row in zip(places, rows.tolist(), strict=True):
            images[place] = array[row]

    @property
    def _is_cast_singly(self):
        return self._reads_rows and math.prod(self.shape[1:]) >= _LARGE

    def _held(self):
        return self.array


class LazySource(ArraySource):
    """Images that are read when asked for, such as an `h5py.Dataset`."""

    in_memory = False
    _reads_rows = False

    def take(self, rows):
        """Images of the given rows; HDF5 wants them rising and each once."""
        if len(self.array) != len(self):
            raise changed(f"{len(self.array)} images, before {len(self)}")
        unique, inverse = np.unique(rows, return_inverse=True)
        taken = np.empty((len(inverse), *self.shape[1:]), self.dtype)
        order = np.argsort(inverse)
        starts = range(0, len(unique), _AT_ONCE)
        borders = np.searchsorted(inverse, [*starts, len(unique)], sorter=order)
        # In parts, since pictures that are read together lie in memory twice.
        for start, part in zip(starts, itertools.pairwise(borders), strict=True):
            some = np.asarray(self.array[unique[start : start + _AT_ONCE]])
            places = order[slice(*part)]
            taken[places] = some[inverse[places] - start]
        return taken


class SomeRows(ArraySource):
    """Some rows of a source, read when asked for."""

    in_memory = False
    _reads_rows = False

    def __init__(self, source, rows):
        self._source, self._rows = source, np.asarray(rows)
        self.shape, self.dtype = (len(self._rows), *source.shape[1:]), source.dtype

    @property
    def array(self):
        """All of them, in memory."""
        return self.take(np.arange(len(self)))

    def __getitem__(self, key):
        rows = self._rows[key]
        return self._source.take(rows) if rows.ndim else self._source[int(rows)]

    def take(self, rows):
        """Images of the given rows, in any order and repeated at will."""
        return self._source.take(self._rows[rows])


class MappedFile(ArraySource):
    """A `numpy.memmap`, mapped anew for every batch.

    So the pages read do not pile up in this process, and worker processes get the
    path instead of a copy.
    """

    in_memory = False

    def __init__(self, array):
        super().__init__(array)
        root = _root(array)
        self._file = {"filename": root.filename, "offset": root.offset}
        self._identity = _identity(root.filename)
        self._start = _address(array) - _address(root)
        self._strides = array.strides

    def __getitem__(self, key):
        return self._map()[key]

    def take(self, rows):
        """Images of the given rows, in any order and repeated at will."""
        return self._map()[rows]

    def _held(self):
        return self._map()

    def __getstate__(self):
        return {**self.__dict__, "array": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.array = self._map()

    def _map(self):
        if _identity(self._file["filename"]) != self._identity:
            raise changed(f"{self._file['filename']}, which another file has replaced")
        content = np.memmap(**self._file, dtype="uint8", mode="r")
        return np.ndarray(
            self.shape, self.dtype, content, self._start, strides=self._strides
        )


def _identity(path):
    """Tell a file from one that is put in its place; it may be written on."""
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size


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


def _to_dtype(images, dtype):
    if dtype.kind not in "iu":
        return images.astype(dtype)
    limits = np.iinfo(dtype)
    # As float32, the limits of 32 bits are rounded to numbers beyond them.
    images = images.astype("float64") if dtype.itemsize > 2 else images
    return np.clip(np.rint(images), limits.min, limits.max).astype(dtype)


def _remove(path, owner):
    if os.getpid() == owner:
        os.remove(path)
