"""Rows of numbers by which images are classified: of a backbone, or their pixels."""

import keras
import numpy as np

from keras_balance.utils.images import to_layout

_AT_ONCE = 128  # images that are read together


def rows_of(images, features):
    """Float32 rows `(n, d)` of all of some images.

    Args:
        images: `LabelledImages`.
        features: `Features`, which see the images in Keras' own layout.
    """
    rows = Rows(len(images))
    for start in range(0, len(images), _AT_ONCE):
        places = np.arange(start, min(start + _AT_ONCE, len(images)))
        batch = images.source.take(places)
        rows.add(features(in_own_layout(batch, images.data_format)))
    return rows.all


def in_own_layout(images, data_format):
    """Images in Keras' own layout, whatever that of the data is."""
    return to_layout(images, data_format, keras.config.image_data_format())


class Rows:
    """Rows in one array: those of a list would lie in memory twice when joined.

    Args:
        most: Number of rows there is room for.
    """

    def __init__(self, most):
        self._most, self._length, self._array = most, 0, None

    def add(self, rows):
        """Append rows `(m, d)`."""
        if self._array is None:
            self._array = np.empty((self._most, rows.shape[1]), rows.dtype)
        self._array[self._length : self._length + len(rows)] = rows
        self._length += len(rows)

    @property
    def all(self):
        """All rows that were appended."""
        return self._array[: self._length]
