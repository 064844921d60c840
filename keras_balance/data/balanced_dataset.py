"""`BalancedDataset`: an imbalanced set of images, balanced batch by batch."""

import dataclasses
import math
import numbers
import threading

import keras
import numpy as np

from keras_balance.data import synthesizers
from keras_balance.data.sources import open_source
from keras_balance.data.strategies import target_counts
from keras_balance.utils.images import check_images, check_same_length
from keras_balance.utils.labels import count_classes, read_labels
from keras_balance.utils.seeds import check_seed, derive_seed, random_generator

# Places of randomness within an epoch.
_ORDER, _REPEAT, _POOL = range(3)


class BalancedDataset(keras.utils.PyDataset):
    """Feeds `model.fit` with balanced batches of an imbalanced set of images.

    In every epoch all real images appear once, and the shortfall of the rare classes
    is filled with repeated, augmented or generated ones. Batches are a pure function
    of seed, epoch and index, whoever asks for them, and in what order.

    Args:
        x: Images `(n, height, width, channels)` (or channels first) of any number
            type: an array, a tensor, a `numpy.memmap` or an HDF5-like array, which
            is read batch by batch.
        y: Labels: `(n,)` or `(n, 1)` integers or strings, or one-hot
            `(n, num_classes)`.
        batch_size: Images in a batch; the last one of an epoch may be smaller.
        synthesizer: What fills the shortfall.
            - None repeats real images, each equally often,
            - a Keras layer augments real images of the class,
            - an object with `generate(labels, seed=None)`, such as a fitted
              `BAGAN`, makes new ones. It gets the labels as they are called in `y`
              (class indices for one-hot `y`) as an array `(n,)`, and returns float
              images in the scale of `x`.
        sampling_strategy: How many images each class gets, in the language of
            imbalanced-learn: `"auto"` (= `"not majority"`), `"minority"`,
            `"not minority"`, `"all"`, a float (size of the classes in parts of the
            largest) or a dict `{class: count}`.
        shuffle: Whether the images are shuffled anew in every epoch. Without it, the
            real ones come in the order of `x` and the synthetic ones follow, which
            is not balanced within the batches.
        seed: Integer, or None for a fresh one.
        num_classes: Optional number of classes, to check `y` against.
        synthetic_weight: Optional sample weight of the synthetic images; real ones
            weigh 1. Batches then are `(images, labels, weights)`.
        refresh: Epochs after which synthetic images are made anew: `True` for each
            epoch, `False` for never, or a number of epochs.
        **kwargs: Arguments of `keras.utils.PyDataset`: `workers`,
            `use_multiprocessing`, `max_queue_size`.

    Attributes:
        epoch: The epoch, counted from 0, that batches belong to. It moves on at the
            end of each epoch of `fit`; set it to resume a training.
        class_counts: dict of the images of each class in one epoch.
        num_synthetic: How many of them are synthetic.

    Raises:
        ValueError: For bad labels or pixels, a class without any image, a single
            class, and a `sampling_strategy` that cannot be met.
        TypeError: For arguments of a wrong type.

    Example:
        >>> import numpy as np
        >>> x = np.zeros((100, 8, 8, 1), "uint8")
        >>> y = np.array([0] * 90 + [1] * 10)
        >>> dataset = BalancedDataset(x, y, batch_size=60, seed=0)
        >>> dataset.class_counts
        {0: 90, 1: 90}
        >>> images, labels = dataset[0]
        >>> images.shape, images.dtype, len(dataset)
        ((60, 8, 8, 1), dtype('float32'), 3)
    """

    def __init__(
        self,
        x,
        y,
        batch_size=32,
        synthesizer=None,
        sampling_strategy="auto",
        shuffle=True,
        seed=None,
        num_classes=None,
        synthetic_weight=None,
        refresh=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.batch_size = _check_batch_size(batch_size)
        self.synthesizer = synthesizer
        self.sampling_strategy = sampling_strategy
        self.shuffle = bool(shuffle)
        self.seed = check_seed(seed)
        self.num_classes = num_classes
        self.synthetic_weight = _check_weight(synthetic_weight)
        self.refresh = _check_refresh(refresh)
        check_same_length(x, y)
        self._source = open_source(x)
        check_images(self._source)
        self.y = y
        indices, self._encoding = read_labels(y, num_classes=num_classes)
        self._indices = indices.astype(np.min_scalar_type(self._encoding.num_classes))
        self._real = synthesizers.RealImages(
            self._source, self._indices, self._encoding.num_classes
        )
        counts = _check_counts(
            count_classes(indices, self._encoding.num_classes), self._encoding
        )
        self._targets = target_counts(counts, sampling_strategy, self._encoding)
        self._synthetic_classes = np.repeat(
            np.arange(len(counts), dtype=self._indices.dtype), self._targets - counts
        )
        self._maker = self._make_maker(synthesizer)
        self._lock = threading.RLock()
        self._plan = self._pool = None
        self.epoch = 0

    @property
    def x(self):
        """The images, as they were given."""
        return self._source.array

    @property
    def epoch(self):
        """Epoch, counted from 0, that batches belong to."""
        return self._epoch

    @epoch.setter
    def epoch(self, value):
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"`epoch` must be an integer. Received: epoch={value!r}")
        if value < 0:
            raise ValueError(f"`epoch` must not be negative. Received: epoch={value}")
        self._epoch = int(value)
        self._within_epoch, self._fetched = False, 0
        if self.use_multiprocessing:
            # Keras forks its workers before it calls `on_epoch_begin`.
            self._prepare()

    @property
    def class_counts(self):
        """Images of each class in one epoch, real and synthetic: `{class: count}`."""
        names = self._encoding.classes.tolist()
        return dict(zip(names, self._targets.tolist(), strict=True))

    @property
    def num_synthetic(self):
        """Number of synthetic images in one epoch."""
        return len(self._synthetic_classes)

    def __len__(self):
        return math.ceil((len(self._source) + self.num_synthetic) / self.batch_size)

    def __getitem__(self, index):
        plan = self._prepare()
        start = range(len(self))[index] * self.batch_size
        if self._within_epoch:
            with self._lock:
                self._fetched += 1
        positions = plan.order[start : start + self.batch_size]
        rows, classes, is_synthetic = self._look_up(plan, positions)
        batch = (self._read(plan, rows), self._encoding.encode(classes))
        if self.synthetic_weight is None:
            return batch
        weights = np.where(is_synthetic, self.synthetic_weight, 1.0)
        return (*batch, weights.astype("float32"))

    def on_epoch_begin(self):
        """Make the synthetic images of the epoch. Called by `fit`."""
        self._within_epoch = True
        self._prepare()

    def on_epoch_end(self):
        """Move on to the next epoch, if this one was seen whole. Called by `fit`.

        It is here, and not in `on_epoch_begin`, that the epoch changes, because Keras
        starts its workers before it calls that. And Keras begins and ends an epoch
        without looking at more than a batch or two, before the first one: that one
        must not count. (Batches fetched in other processes are not seen here.)
        """
        whole = self.use_multiprocessing or self._fetched >= len(self)
        if self._within_epoch and whole:
            self.epoch += 1
        self._within_epoch = False

    def __getstate__(self):
        # A worker process gets the images of the epoch, never a live model.
        dropped = {"_lock": None, "_maker": None, "synthesizer": None}
        return {**self.__dict__, **dropped}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _make_maker(self, synthesizer):
        if synthesizer is None:
            return None
        if hasattr(synthesizer, "generate"):
            return synthesizers.GeneratedImages(
                synthesizer, self._encoding, self._source.shape[1:]
            )
        if isinstance(synthesizer, keras.layers.Layer):
            return synthesizers.AugmentedImages(synthesizer, self._real)
        raise TypeError(
            "`synthesizer` must be None, a Keras layer or an object with "
            f"`generate(labels, seed=None)`. Received: synthesizer={synthesizer!r}"
        )

    def _prepare(self):
        """Give the plan of the present epoch; make it if it is not there."""
        with self._lock:
            if self._plan is None or self._plan.epoch != self._epoch:
                self._plan = self._make_plan(self._epoch)
            return self._plan

    def _make_plan(self, epoch):
        num_real, num_synthetic = len(self._source), self.num_synthetic
        order = np.arange(
            num_real + num_synthetic, dtype=_index_type(num_real + num_synthetic)
        )
        if self.shuffle:
            random_generator(self.seed, epoch, _ORDER).shuffle(order)
        if self._maker is None:
            generator = random_generator(self.seed, epoch, _REPEAT)
            rows = self._real.draw(self._synthetic_classes, generator)
            return _Plan(epoch, order, rows, None)
        rows = np.arange(num_real, num_real + num_synthetic, dtype=order.dtype)
        return _Plan(epoch, order, rows, self._make_pool(epoch))

    def _make_pool(self, epoch):
        number = epoch // self.refresh if self.refresh else 0
        if self._pool is None or self._pool[0] != number:
            self._pool = None
            kind = self._source.dtype.kind
            images = synthesizers.fill(
                self._maker,
                self._synthetic_classes,
                self._source.shape[1:],
                self._source.dtype if kind in "iu" else np.dtype("float32"),
                derive_seed(self.seed, number, _POOL),
            )
            self._pool = (number, open_source(images))
        return self._pool[1]

    def _look_up(self, plan, positions):
        """Row, class and origin of the images at `positions` of an epoch.

        Positions below the number of real images are these; the synthetic ones
        follow. Rows beyond the real images lie in the pool.
        """
        num_real = len(self._source)
        is_synthetic = positions >= num_real
        rows, classes = positions.copy(), np.empty(len(positions), self._indices.dtype)
        behind = positions[is_synthetic] - num_real
        rows[is_synthetic] = plan.rows[behind]
        classes[is_synthetic] = self._synthetic_classes[behind]
        classes[~is_synthetic] = self._indices[positions[~is_synthetic]]
        return rows, classes, is_synthetic

    def _read(self, plan, rows):
        num_real = len(self._source)
        in_pool = rows >= num_real
        images = np.empty((len(rows), *self._source.shape[1:]), dtype="float32")
        if not in_pool.all():
            images[~in_pool] = self._source.take(rows[~in_pool])
        if in_pool.any():
            images[in_pool] = plan.pool.take(rows[in_pool] - num_real)
        return images


@dataclasses.dataclass(frozen=True)
class _Plan:
    """One epoch: the order of positions, the row behind each synthetic one."""

    epoch: int
    order: np.ndarray
    rows: np.ndarray
    pool: object


def _index_type(count):
    return np.dtype("int32" if count < 2**31 else "int64")


def _check_batch_size(batch_size):
    if isinstance(batch_size, bool) or not isinstance(batch_size, numbers.Integral):
        raise TypeError(
            f"`batch_size` must be an integer. Received: batch_size={batch_size!r}"
        )
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be positive. Received: batch_size={batch_size}"
        )
    return int(batch_size)


def _check_weight(weight):
    if weight is None:
        return None
    if isinstance(weight, bool) or not isinstance(weight, numbers.Real):
        raise TypeError(
            "`synthetic_weight` must be a number or None. "
            f"Received: synthetic_weight={weight!r}"
        )
    if not 0 <= weight < np.inf:
        raise ValueError(
            "`synthetic_weight` must be finite and not negative. "
            f"Received: synthetic_weight={weight}"
        )
    return float(weight)


def _check_refresh(refresh):
    if not isinstance(refresh, numbers.Integral):
        raise TypeError(
            "`refresh` must be a bool or a number of epochs. "
            f"Received: refresh={refresh!r}"
        )
    if refresh < 0:
        raise ValueError(f"`refresh` must not be negative. Received: refresh={refresh}")
    return refresh


def _check_counts(counts, encoding):
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise ValueError(
            "Every class must have at least one image. "
            f"Received: y without class {encoding.classes[empty[0]].item()!r}"
        )
    if len(counts) < 2:
        raise ValueError(
            "`y` must hold at least two classes. "
            f"Received: y with the class {encoding.classes[0].item()!r} alone"
        )
    return counts
