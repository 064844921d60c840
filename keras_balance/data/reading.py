"""A pipeline that is read: where its images go, and what is reported of it."""

import logging

import numpy as np

from keras_balance.utils.progress_line import ProgressLine

_BYTES = 2**26  # from which on a reading is reported at its beginning


class InMemory:
    """Images in an array that grows.

    Args:
        number: How many times images are added; None where that is not known.
    """

    where = "memory"

    def __init__(self, number):
        self._number, self._array, self._length = number or 1, None, 0

    def add(self, images):
        """Keep images `(n, ...)`."""
        end = self._length + len(images)
        if self._array is None:
            # Memory that is not written to is not taken.
            shape = len(images) * self._number, *images.shape[1:]
            self._array = np.empty(shape, images.dtype)
        elif end > len(self._array):
            larger = np.empty((2 * end, *images.shape[1:]), images.dtype)
            larger[: self._length] = self._array[: self._length]
            self._array = larger
        self._array[self._length : end] = images
        self._length = end

    def whole(self):
        """Give all images."""
        return self._array[: self._length]


class InFile:
    """Images in a file, one after the other.

    Args:
        file: The file, open for writing.
        path: Where it will be found.
    """

    def __init__(self, file, path):
        self.where = str(path)
        self._file, self._length = file, 0

    def add(self, images):
        """Keep images `(n, ...)`."""
        self._file.write(np.ascontiguousarray(images))
        self._length += len(images)
        self._shape, self._dtype = images.shape[1:], images.dtype

    def whole(self):
        """Give all images, mapped into memory, once the file lies at its path."""
        shape = self._length, *self._shape
        return np.memmap(self.where, self._dtype, mode="r", shape=shape)


class Reading:
    """Tells what is read: its size before, where that is much, and how far it is.

    Args:
        number: Elements that will be read; None where that is not known.
        where: Where their images go; None where labels alone are kept.
    """

    def __init__(self, number, where=None):
        self._number, self._where = number, where
        self._seen, self._bytes = 0, 0
        self._line = ProgressLine()

    def __enter__(self):
        if self._where is None:
            self._text = f"Reading the labels of {self._number:,} items"
            logging.getLogger(__name__).info(self._text)
        return self

    def __exit__(self, *error):
        self._line.end()

    def count(self, size=0):
        """Count an element whose images have so many bytes."""
        if self._where is not None and not self._seen:
            self._tell_size(size)
        self._seen, self._bytes = self._seen + 1, self._bytes + size
        self._line.now_and_then(f"{self._text}: {self._so_far()}")

    def _tell_size(self, size):
        """Say how large the whole will be, by its first element."""
        if self._number is None:
            number, told = "an unknown number of", f"{_in_words(size)} each"
        else:
            number, told = f"{self._number:,}", _in_words(size * self._number)
        self._text = f"Reading {number} elements, {told}, into {self._where}"
        logging.getLogger(__name__).info(self._text)
        if size * (self._number or 1) > _BYTES:
            self._line.rewrite(self._text)

    def _so_far(self):
        if self._number is None:
            return f"{self._seen:,}, {_in_words(self._bytes)}"
        return f"{self._seen / self._number:.0%}"


def _in_words(size):
    """Bytes as people read them."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
