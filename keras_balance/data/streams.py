"""Images and labels out of a pipeline: a `tf.data.Dataset`, torch's, a `PyDataset`.

What can be indexed is read once for its labels, and its images when they are needed;
what can only be gone through is read into memory.
"""

import logging

import keras
import numpy as np

from keras_balance.data.sources import to_numpy


def is_stream(x):
    """Whether `x` gives images and labels together."""
    return not hasattr(x, "shape") and (
        _is_indexed(x) or hasattr(x, "element_spec") or hasattr(x, "dataset")
    )


def read_stream(x):
    """Images and labels of a pipeline.

    Args:
        x: A `tf.data.Dataset` of images and labels, batched or not; a torch `Dataset`
            that can be indexed, or a `DataLoader` of one, whose batches and order are
            not looked at; a `keras.utils.PyDataset`.

    Returns:
        `(images, labels)`: something with a shape that can be indexed, and an array.

    Raises:
        ValueError: For a pipeline that is empty or endless, or gives no labels.
    """
    x = getattr(x, "dataset", x)
    if isinstance(x, keras.utils.PyDataset):
        return _gather(x[index] for index in range(len(x)))
    if hasattr(x, "element_spec"):
        return _gather_elements(x)
    if not _is_indexed(x):
        raise ValueError(
            "A torch dataset must have `__getitem__` and `__len__`, to be indexed. "
            f"Received: x={x!r}"
        )
    images = ItemImages(x)
    return images, images.labels


class ItemImages:
    """The images of a dataset of `(image, label)` items, fetched when indexed.

    Args:
        items: With `__getitem__` and `__len__`.

    Attributes:
        labels: Array of all labels, read once.
    """

    def __init__(self, items):
        self.items = items
        _tell(len(items))
        first, _ = _pair(items[0]) if len(items) else _empty()
        labels = [_pair(items[index])[1] for index in range(len(items))]
        self.labels = np.stack([np.asarray(to_numpy(label)) for label in labels])
        self.shape, self.dtype = (len(items), *first.shape), first.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        places = np.arange(len(self))[rows]
        if places.ndim == 0:
            return self._image(int(places))
        return np.stack([self._image(int(place)) for place in places])

    def _image(self, place):
        image, label = _pair(self.items[place])
        if len(self.items) != len(self) or not np.array_equal(
            to_numpy(label), self.labels[place]
        ):
            raise RuntimeError(
                "A dataset must give the same items in the same order at every pass. "
                f"Received: item {place} with the label {label!r}, before it was "
                f"{self.labels[place]!r}"
            )
        return image


def _is_indexed(x):
    is_plain = isinstance(x, (list, tuple, dict, str, bytes))
    return hasattr(x, "__getitem__") and hasattr(x, "__len__") and not is_plain


def _gather_elements(x):
    """Read the elements of a `tf.data.Dataset`, batched or not, into memory."""
    number = int(x.cardinality())
    if number == -1:
        raise ValueError(
            "`x` must end: leave `repeat()` out. Received: an endless tf.data.Dataset"
        )
    _tell(number)
    return _gather(x)


def _gather(batches):
    images, labels = [], []
    for batch in batches:
        image, label = _pair(batch)
        is_batch = image.ndim == 4
        images.append(image if is_batch else image[None])
        label = np.asarray(to_numpy(label))
        labels.append(label if is_batch else label[None])
    if not images:
        _empty()
    return np.concatenate(images), np.concatenate(labels)


def _pair(item):
    """Image and label of an item, or images and labels of a batch."""
    if not isinstance(item, (list, tuple)) or len(item) < 2:
        raise ValueError(
            "A dataset must give images and labels, `(x, y)`. "
            f"Received: {type(item).__name__}"
        )
    return np.asarray(to_numpy(item[0])), item[1]


def _empty():
    raise ValueError("A dataset must hold images. Received: x, which is empty")


def _tell(number):
    if number >= 0:
        logging.getLogger(__name__).info("Reading the labels of %d elements.", number)
