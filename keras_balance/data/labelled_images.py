"""`LabelledImages`: images and their labels, checked and read once."""

import copy
import functools

import numpy as np

from keras_balance.data import checks
from keras_balance.data.companions import split
from keras_balance.data.fingerprint import fingerprint
from keras_balance.data.sources import (
    ArraySource,
    SomeRows,
    open_source,
    value_range,
)
from keras_balance.data.streams import check_no_labels, is_stream, read_stream
from keras_balance.data.weights import check_sample_weight
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.class_counts import check_every_class
from keras_balance.utils.images import (
    check_images,
    check_same_length,
    check_value_range,
)
from keras_balance.utils.labels import LabelEncoding, count_classes, read_labels
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import random_generator


class LabelledImages:
    """Images and their labels, checked and read once: the one door for `(x, y)`.

    Whatever works on training data takes it in place of `x` and `y`, and neither
    checks pixels nor reads labels a second time.

    Args:
        x: Images `(n, height, width, channels)` (or channels first) of any number
            type: an array, a tensor of any backend, a `numpy.memmap`, or an array
            that is read when it is indexed, such as an HDF5 data set. Or, with
            `y=None`, a pipeline of `(x, y)` or `(x, y, sample_weight)`: a torch
            `Dataset` or `DataLoader`, whose images are fetched by their index where
            they have one (of a loader, the items of its dataset, or those that are
            among the `indices` of its sampler, without its `collate_fn`: of one that
            is not torch's own a warning tells); or a `tf.data.Dataset` or another
            iterable of torch's, batched or not, which is read into memory. Or a
            dict or list of such arrays, for a model of several inputs; the others hold
            rows `(n, ...)` of any kind.
        y: Labels: `(n,)` or `(n, 1)` integers or strings, or one-hot
            `(n, num_classes)`. Or a dict or list of them, for a model of several
            outputs; the others may be anything `(n, ...)`.
        num_classes: Optional number of classes, to check `y` against.
        class_names: Optional sequence of the labels in class order, instead of
            `num_classes`; of one-hot labels, the names of their columns.
        data_format: `"channels_last"` or `"channels_first"`. By default that of `x`
            where it has one, and else Keras' own: where the shape of the images speaks
            against that, a warning asks for it.
        value_range: Optional `(low, high)` of the pixels. By default `(0, 255)` for
            uint8, and else the least and the greatest.
        titles: Optional names of the classes for people, such as those of folders, in
            class order. By default the `class_names` of `x`, where it has them, as
            Keras' `image_dataset_from_directory`, and its labels are their places.
        images: Name, or place in the list, of the entry of `x` that holds the images.
        labels: Name, or place, of the entry of `y` that classes are balanced by.
        cache: Optional path of a file that the images of a pipeline are read into, in
            place of memory. It is written anew each time, and stays.

    Attributes:
        source: Source of the images (see `sources`).
        indices: int array `(n,)`, class of every image.
        encoding: `LabelEncoding` of the labels.
        data_format: Where the channels are.
        sample_weight: Weights `(n,)` that came out of a pipeline, or None.

    Raises:
        ValueError: For bad labels or pixels, lengths that differ, and `class_names` or
            `titles` that are not one a class.
        TypeError: When `x` is no array of numbers, and `titles` are no sequence.
        RuntimeError: For a pipeline that gives other items, or fewer, than it said or
            gave before.

    Example:
        >>> images = kb.data.LabelledImages(x, y)
        >>> dataset = kb.BalancedDataset(images, batch_size=64)
    """

    def __init__(
        self,
        x,
        y=None,
        num_classes=None,
        class_names=None,
        data_format=None,
        value_range=None,
        titles=None,
        images=None,
        labels=None,
        cache=None,
    ):
        if num_classes is not None:
            num_classes = whole_number("num_classes", num_classes, 1)
        self.sample_weight, given = None, x
        if is_stream(x):
            check_no_labels(x, y)
            x, y, self.sample_weight = read_stream(x, images, labels, cache)
        elif cache is not None:
            raise ValueError(
                "`cache` must be None where `x` is no pipeline of images and labels. "
                f"Received: cache={cache!r} with x of type {type(x).__name__}"
            )
        x, self._inputs = split(x, images, "images", "x")
        y, self._outputs = split(y, labels, "labels", "y")
        self.source = open_source(x)
        check_images(self.source)
        if y is None:
            raise ValueError(
                "`y` must be given where `x` is an array. "
                f"Received: y=None with x of type {type(x).__name__}"
            )
        y = to_numpy(y)
        check_same_length(x, y)
        indices, encoding = read_labels(y, num_classes, class_names)
        if titles is None:
            titles = _own_titles(given, encoding, class_names)
        self.encoding = encoding.titled(titles)
        self.data_format = checks.data_format(data_format, x, self.source.shape)
        if value_range is not None:
            self.value_range = check_value_range(value_range)
        self._set_indices(indices)

    @classmethod
    def read(cls, x, y=None, **options):
        """`LabelledImages` of `x` and `y`; `x` itself where it is one.

        Args:
            x: Images, or `LabelledImages`, or a `BalancedDataset`, whose real images
                are taken.
            y: Their labels; None with `LabelledImages`.
            **options: Other arguments of `LabelledImages`; None where not given.

        Raises:
            ValueError: When labels or options come beside `LabelledImages`.
        """
        x = _of_dataset(x, cls)
        if not isinstance(x, cls):
            return cls(x, y, **options)
        given = {name: value for name, value in options.items() if value is not None}
        for name, value in {"y": y, **given}.items():
            if value is not None:
                raise ValueError(
                    f"`{name}` must be None where `x` is `LabelledImages`, which hold "
                    f"it already. Received: {name} of type {type(value).__name__}"
                )
        return x

    def _set_indices(self, indices):
        self.indices = indices.astype(np.min_scalar_type(self.num_classes))
        self._by_class = np.argsort(self.indices, kind="stable").astype(
            np.min_scalar_type(len(indices))
        )
        self._borders = np.searchsorted(
            self.indices, np.arange(self.num_classes + 1), sorter=self._by_class
        )

    def __len__(self):
        return len(self.indices)

    @property
    def x(self):
        """The images, as they were given."""
        return self.source.array

    @property
    def labels(self):
        """The labels `(n, ...)`, written as they came in."""
        return self.encoding.encode(self.indices)

    @property
    def labels_are_indices(self):
        """Whether the labels are 0, 1, ..., or one-hot."""
        return np.array_equal(self.encoding.classes, np.arange(self.num_classes))

    @property
    def num_classes(self):
        """Number of classes, those without any image included."""
        return self.encoding.num_classes

    @property
    def image_shape(self):
        """Shape of one image."""
        return tuple(self.source.shape[1:])

    @property
    def counts(self):
        """Images of each class, int64 array `(num_classes,)`."""
        return count_classes(self.indices, self.num_classes)

    @functools.cached_property
    def value_range(self):
        """The `(low, high)` of the pixels."""
        return value_range(self.source)

    @property
    def has_companions(self):
        """Whether other inputs come along with the images, or other labels."""
        return any(part and part.others for part in (self._inputs, self._outputs))

    def join(self, images, labels, rows):
        """Put a batch together as data came in.

        Args:
            images: Images `(m, ...)`.
            labels: Their labels `(m, ...)`.
            rows: Rows of the real images that these are, or were made from `(m,)`.

        Returns:
            `(x, y)`: the images and their labels, each among the entries that come
            along with it where `x` or `y` has others.
        """
        x = self._inputs.join(images, rows) if self._inputs else images
        return x, self._outputs.join(labels, rows) if self._outputs else labels

    def alone(self):
        """Give the same images and labels without what comes along with them."""
        same = copy.copy(self)
        same._inputs = same._outputs = same.sample_weight = None
        return same

    def weighed(self, sample_weight):
        """Give the same images with other weights `(n,)`, or None for none.

        Raises:
            TypeError: For what are no numbers.
            ValueError: For weights of another shape, negative ones and such as are not
                finite.
        """
        if sample_weight is None:
            return self
        same = copy.copy(self)
        same.sample_weight = check_sample_weight(sample_weight, len(self))
        return same

    def check_every_class(self):
        """Raise a `ValueError` for a class without images, or a single class."""
        check_every_class(self.counts, self.encoding.keys)
        if self.num_classes < 2:
            raise ValueError(
                "`y` must hold at least two classes. Received: y with the class "
                f"{self.encoding.classes[0].item()!r} alone"
            )

    def rows_of(self, label):
        """Rows of all the images of one class, by its index."""
        return self._by_class[self._borders[label] : self._borders[label + 1]]

    def draw(self, labels, generator):
        """Rows of images of the class indices `labels` `(n,)`, drawn evenly.

        Within a class, each image comes as often as the others, give or take one.

        Args:
            labels: Class indices `(n,)`.
            generator: NumPy generator.
        """
        rows = np.empty(len(labels), dtype=self._by_class.dtype)
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            members = self.rows_of(label)
            rounds, rest = divmod(len(wanted), len(members))
            rows[wanted] = np.concatenate(
                [np.tile(members, rounds), generator.permutation(members)[:rest]]
            )
        return rows

    def sample(self, per_class, seed):
        """Up to `per_class` images of each class, in the order of `x`.

        Returns:
            `(images, class indices)`, as NumPy arrays.
        """
        rows = [
            random_generator(seed, c).permutation(self.rows_of(c))[:per_class]
            for c in range(self.num_classes)
        ]
        rows = np.sort(np.concatenate(rows))
        return self.source.take(rows), self.indices[rows].astype("int64")

    def part(self, rows, in_memory=True):
        """Images and labels of some rows; classes stay as they are.

        What comes along with them is left out, as in `alone`.

        Args:
            rows: int array.
            in_memory: Whether they are read into memory, and not when they are needed.
        """
        part = self.alone()
        if in_memory or self.source.in_memory:
            part.source = ArraySource(self.source.take(rows))
        else:
            part.source = SomeRows(self.source, rows)
        part.value_range = self.value_range  # of all, not of the part
        part._set_indices(self.indices[rows])
        return part

    def fingerprint(self, at_a_glance=False):
        """Hash of images, classes and weights, by which what is kept knows its data.

        Args:
            at_a_glance: Whether to look at a few images alone where all would take
                time, and at none where they are drawn anew at each look.
        """
        return fingerprint(self, at_a_glance)

    def as_indices(self):
        """Give the images alone, with class indices 0, 1, ... for labels `(n,)`."""
        same = self.alone()
        classes = np.arange(self.num_classes)
        same.encoding = LabelEncoding(classes, "sparse", classes.dtype)
        return same


def _of_dataset(x, kind):
    """Real images of a `BalancedDataset`; anything else as it is."""
    images = getattr(x, "images", None)
    return images if isinstance(images, kind) else x


def _own_titles(x, encoding, class_names):
    """Names of classes whose labels are their places: as given, or as `x` tells."""
    if encoding.form == "one_hot" and class_names is not None:
        return class_names
    names = getattr(x, "class_names", None)
    places = None if names is None else np.arange(len(names))
    return names if np.array_equal(encoding.classes, places) else None
