"""Images and labels out of a pipeline: a `tf.data.Dataset`, torch's, a `PyDataset`.

What can be indexed is read once for its labels, and its images when they are needed;
what can only be gone through is read into memory, or into a file.
"""

import warnings

import keras
import numpy as np

from keras_balance.data.companions import pick
from keras_balance.data.reading import InFile, InMemory, Reading
from keras_balance.data.sources import changed
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.files import atomic_path

# What torch's loaders have for `collate_fn`, unless they are given another one.
_COLLATE = ("default_collate", "default_convert")


def is_stream(x):
    """Whether `x` gives images and labels together."""
    if hasattr(x, "shape"):
        return False
    is_pipeline = hasattr(x, "element_spec") or hasattr(x, "dataset")
    return is_pipeline or _is_indexed(x) or _is_iterable_of_torch(x)


def check_no_labels(x, y):
    """Raise a `ValueError` for labels beside a pipeline, which gives its own."""
    if y is not None:
        raise ValueError(
            "`y` must be None where `x` is a pipeline, which gives the labels. "
            f"Received: y of type {type(y).__name__} with x of type {type(x).__name__}"
        )


def read_stream(x, images=None, labels=None, cache=None):
    """Images, labels and weights of a pipeline.

    Args:
        x: A `tf.data.Dataset` of `(x, y)` or `(x, y, sample_weight)`, batched or not; a
            torch `Dataset`, or a `DataLoader`, of which the items are read where its
            dataset can be indexed, those of its sampler's `indices` alone, and not its
            batches; a `keras.utils.PyDataset`.
        images: Name of the entry that holds the images, where `x` is a dict or list.
        labels: Name of the entry to balance by, where `y` is one.
        cache: Optional path of a file for the images, which are all read then.

    Returns:
        `(x, y, weights or None)`: something with a shape that can be indexed, and an
        array; or dicts and lists of these, with the images and labels among them.

    Raises:
        ValueError: For a pipeline that is empty or endless, gives no labels, or images
            of several shapes.
        RuntimeError: When it gives fewer or more elements than it said.
    """
    items, names = _items_of(x), (images, labels)
    if _is_indexed(items) and not isinstance(items, keras.utils.PyDataset):
        if cache is None:
            return ItemImages(items, *names).parts
        x = items
    if cache is None:
        kept = InMemory(_number(x))
        columns, join = _gather(x, names, kept)
    else:
        with atomic_path(cache) as temporary, open(temporary, "wb") as file:
            kept = InFile(file, cache)
            columns, join = _gather(x, names, kept)
    return columns.whole(kept.whole(), join)


def _items_of(x):
    """Give the items that a pipeline is made of, where it is a loader that tells."""
    # A dataset may hold another one, too, and make something else of its items.
    if not (hasattr(x, "dataset") and hasattr(x, "batch_sampler")):
        return x
    _warn_of_collate_fn(x)
    sampler = getattr(x.batch_sampler, "sampler", x.sampler)
    # Of a `SubsetRandomSampler`, by which torch's users hold images out.
    places = getattr(sampler, "indices", None)
    if isinstance(sampler, (list, tuple, range, np.ndarray)):
        places = sampler
    return x.dataset if places is None else _SomeItems(x.dataset, places)


def _warn_of_collate_fn(x):
    """Warn where a loader would make something else of its items than torch does."""
    collate = getattr(x, "collate_fn", None)
    if collate is not None and getattr(collate, "__name__", None) not in _COLLATE:
        warnings.warn(
            "`collate_fn` is not used: images and labels are read from "
            "`loader.dataset`, whose items must be `(x, y)` or `(x, y, weight)`. Do "
            "there what it does, such as a change of scale.",
            stacklevel=5,
        )


class _SomeItems:
    """Items at some places."""

    def __init__(self, items, places):
        self.items, self.places = items, list(places)

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        return self.items[self.places[index]]


class ItemImages:
    """The images of a dataset of `(x, y)` items, fetched when indexed.

    Args:
        items: With `__getitem__` and `__len__`.
        images: Name of the entry that holds the image, where `x` is a dict or list.
        labels: Name of the entry to balance by, where `y` is one.

    Attributes:
        parts: `(x, y, weights or None)` of all items, with these images in `x`; all
            else was read once.
    """

    def __init__(self, items, images=None, labels=None):
        self.items, self._names = items, (images, labels)
        columns = _Columns(*self._names)
        with Reading(len(items)) as reading:
            for index in range(len(items)):
                image = columns.add(items[index])
                if not index:
                    self.shape, self.dtype = (len(items), *image.shape), image.dtype
                self._check(image)
                reading.count()
        if not len(items):
            raise _empty()
        self.parts = columns.whole(self, np.stack)
        self._labels = pick(self.parts[1], labels, "labels", "y")

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        places = np.arange(len(self))[rows]
        if places.ndim == 0:
            return self._image(int(places))
        return np.stack([self._image(int(place)) for place in places])

    def _image(self, place):
        if len(self.items) != len(self):
            raise changed(f"{len(self.items)} items, before {len(self)}")
        columns = _Columns(*self._names)
        image = columns.add(self.items[place])
        label = pick(columns.whole(None, np.stack)[1], self._names[1], "labels", "y")
        if not np.array_equal(label[0], self._labels[place]):
            raise changed(
                f"item {place} with the label {label[0]!r}, before "
                f"{self._labels[place]!r}"
            )
        self._check(image)
        return image

    def _check(self, image):
        _check_alike((image.shape, image.dtype), (self.shape[1:], self.dtype))


class _Columns:
    """What comes with the images of a pipeline, gathered element by element."""

    def __init__(self, images, labels):
        self._images, self._labels = images, labels
        self._lists = {}

    def add(self, element):
        """Keep what is no image of an element; give its image, or images."""
        x, y, *weights = _parts(element)
        image = np.asarray(to_numpy(pick(x, self._images, "images", "x")))
        pick(y, self._labels, "labels", "y")
        values = {("x", name): part for name, part in _named(x, self._images)}
        values |= {("y", name): part for name, part in _named(y, self._labels)}
        if weights and weights[0] is not None:
            values["weights", None] = weights[0]
        for key, value in values.items():
            column = self._lists.setdefault(key, [])
            if key != ("x", self._images):
                # Copied, since it may be a view of what a pipeline writes over.
                column.append(np.array(to_numpy(value)))
        return image

    def whole(self, images, join):
        """`(x, y, weights or None)` of all elements.

        Args:
            images: Their images.
            join: Function from a list of arrays to one.
        """
        parts = {"x": {}, "y": {}, "weights": {}}
        for (part, name), column in self._lists.items():
            is_images = (part, name) == ("x", self._images)
            parts[part][name] = images if is_images else join(column)
        return tuple(_as_they_came(entries) for entries in parts.values())


def _gather(x, names, kept):
    """Read all elements of a pipeline, its images into `kept`.

    Returns:
        `(_Columns, function that joins their arrays)`.
    """
    columns, number, read, first = _Columns(*names), _number(x), 0, None
    with Reading(number, kept.where) as reading:
        for element in _elements(x):
            images = columns.add(element)
            is_batch = images.ndim == 4
            images = images if is_batch else images[None]
            kind = images.shape[1:], images.dtype
            first = first or kind
            _check_alike(kind, first)
            read += 1
            kept.add(images)
            reading.count(images.nbytes)
    if number not in (None, read):
        raise changed(f"{read} elements, where {number} were said to come")
    if not read:
        raise _empty()
    return columns, np.concatenate if is_batch else np.stack


def _elements(x):
    if _is_indexed(x):
        return (x[index] for index in range(len(x)))
    return x


def _number(x):
    """Elements of a pipeline; None where it does not know."""
    if hasattr(x, "cardinality"):
        number = int(x.cardinality())
        if number == -1:
            raise ValueError(
                "`x` must end: leave `repeat()` out. "
                "Received: an endless tf.data.Dataset"
            )
        return None if number < 0 else number
    try:
        return len(x)
    except TypeError:
        return None


def _is_indexed(x):
    is_plain = isinstance(x, (list, tuple, dict, str, bytes))
    has_both = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return has_both and not is_plain and not _is_iterable_of_torch(x)


def _is_iterable_of_torch(x):
    """Whether it is torch's `IterableDataset`, which inherits a `__getitem__`."""
    return any(kind.__name__ == "IterableDataset" for kind in type(x).__mro__)


def _parts(element):
    """Give inputs, labels and maybe weights of an item or a batch."""
    if not isinstance(element, (list, tuple)) or len(element) < 2:
        raise ValueError(
            "A dataset must give images and labels, `(x, y)`. "
            f"Received: {type(element).__name__}"
        )
    return element[:3]


def _named(entries, key):
    """Pairs of name and entry; an array has the name None."""
    if isinstance(entries, dict):
        return entries.items()
    if key is None:  # a list of numbers is a one-hot label
        return [(None, entries)]
    return enumerate(entries)


def _as_they_came(entries):
    """Write a dict of name to array as a dict, a list or an array."""
    if not entries or None in entries:
        return entries.get(None)
    is_list = list(entries) == list(range(len(entries)))
    return list(entries.values()) if is_list else entries


def _empty():
    return ValueError("A dataset must hold images. Received: x, which is empty")


def _check_alike(kind, wanted):
    """Raise a `ValueError` for another shape or type than those of the first image."""
    for name, one, other in zip(("shape", "type"), wanted, kind, strict=True):
        if one != other:
            raise ValueError(
                f"All images of a dataset must have one {name}, and a batch of them "
                "rank 4, (n, height, width, channels). "
                f"Received: images of {name}s {one} and {other}"
            )
