"""`BalancedDataset`: an imbalanced set of images, balanced batch by batch."""

import math

import numpy as np

from keras_balance.data import checks
from keras_balance.data.epochs import EpochDataset
from keras_balance.data.in_fit import check_labels, check_steps
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.data.mix import read_mix
from keras_balance.data.plan import Planner
from keras_balance.data.strategies import target_counts
from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.makers import read_synthesizer
from keras_balance.data.weights import Weights, warn_of_rarity_counted_twice
from keras_balance.utils.class_counts import ClassCounts, RealCounts
from keras_balance.utils.labels import count_classes
from keras_balance.utils.numbers import flag
from keras_balance.utils.seeds import check_seed


class BalancedDataset(EpochDataset):
    """Feeds `model.fit` with balanced batches of an imbalanced set of images.

    In every epoch all real images appear once, and the shortfall of the rare classes
    is filled with repeated, augmented or generated ones. Batches are a pure function
    of seed, epoch and index, whoever asks for them, and in what order.

    `class_weight` in `fit`, or a loss or a `DeferredReweighting` that was given other
    counts, would correct a second time what is balanced here, which is warned of once
    (not where `fit` gets what `to_tf_dataset` gave).

    The guides "Data larger than memory" and "Several devices" tell what is kept in
    memory, and how several devices or machines are fed.

    Args:
        x: Images `(n, height, width, channels)` (or channels first) of any number
            type: an array, a tensor, a `numpy.memmap` or an HDF5-like array, which
            is read batch by batch. Or with `y=None`: `LabelledImages`, a
            `tf.data.Dataset`, or a torch `Dataset` or `DataLoader`. Or a dict or list
            of arrays, for a model of several inputs.
        y: Labels: `(n,)` or `(n, 1)` integers or strings, or one-hot
            `(n, num_classes)`. Or a dict or list of them, for a model of several
            outputs.
        batch_size: Images in a batch; the last one of an epoch may be smaller.
        synthesizer: What fills the shortfall.
            - None or `"repeat"` repeats real images, each equally often,
            - a Keras layer augments real images of the class; `"manual"` is
              `kb.layers.ManualAugmentation`, `"elastic"` the same with
              `translation_factor=0.07, elastic_factor=0.04` (both mirror the image
              where its borders are not black), `"photo"` is
              `kb.layers.PhotoAugmentation`, `"crop"` its crops and flips alone,
            - an object with `generate(labels, seed=None)`, such as a fitted
              `BAGAN`, makes new ones. It gets the labels as they are called in `y`
              (class indices for one-hot `y`) as an array `(n,)`, and returns float
              images in the scale of `x`,
            - a function from an image `(height, width, channels)` to an image, such as
              a `Compose` of albumentations, changes real images, one at a time,
            - `"smote"` interpolates real images (needs imbalanced-learn),
            - a name out of `kb.data.registry.names()`, such as one that was added by
              `kb.data.registry.register`,
            - a dict mixes them: `{"manual": 0.5, bagan: 0.5}`,
            - `"nothing"` leaves the shortfall as it is, or its share in a mixture:
              alone, an epoch holds the real images and no others,
            - `"auto"` finds out which of nothing, repeated, augmented, generated
              and mixed images serve a classifier best, by validation within
              `x` and `y`, which takes minutes. `kb.tuners.AutoSynthesizer` is the
              same with arguments; afterwards `dataset.synthesizer.choice` and
              `print(dataset.synthesizer.table())` tell what was found.
        sampling_strategy: How many images each class gets, in the language of
            imbalanced-learn: `"auto"` (= `"not majority"`), `"minority"`,
            `"not minority"`, `"all"`, a float (size of the classes in parts of the
            largest; larger ones stay as they are) or a dict `{class: count}`, in which
            a class that is not named stays as it is: `{}` leaves all of them, and alone
            allows a class without images; or `"sqrt"`, with which a class that was 16
            times smaller than the largest becomes 4 times smaller.
        shuffle: Whether the images are shuffled anew in every epoch. Without it, the
            real ones come in the order of `x` and the synthetic ones follow, which
            is not balanced within the batches.
        seed: Integer, or None for a fresh one.
        num_classes: Optional number of classes, to check `y` against.
        synthetic_weight: Optional sample weight of the synthetic images; real ones
            weigh 1. Batches then are `(images, labels, weights)`.
        sample_weight: Optional weights `(n,)`, or `(n, 1)`, of the real images, 0 or
            more. A repeated image has its own, another synthetic one the mean of its
            class, times `synthetic_weight`. `class_weight` of `fit` goes with neither.
            By default those of a pipeline of `(x, y, sample_weight)`.
        refresh: Epochs after which synthetic images are made anew: `True` for each
            epoch, `False` for never, or a number of epochs. Repeated images are
            always drawn anew.
        data_format: `"channels_last"` or `"channels_first"`. By default that of `x`
            where it has one, and else Keras' own.
        mix: `"mixup"`, `"cutmix"` or a `kb.data.Mix`, which says more: images are mixed
            with others of their batch, of rare classes above all. Labels then are
            float32 `(n, num_classes)` in the mixed shares, whatever came in.
        images: Name, or place in the list, of the images among the entries of `x`.
            The other entries, rows `(n, ...)`, come along: a synthetic image has those
            of the real one that it was made from, as they are. So a layer that moves
            what is in the picture does not move it in a mask among them.
        labels: Name, or place in the list, of the labels in `y` to balance by; the
            others come along likewise.
        dtype: `"float32"`, or the integer type of `x`, such as `"uint8"`: batches then
            are as small as the images, and a model casts them on its device, which
            every model with a `keras.Input` does. Synthetic images are rounded. MixUp,
            whose pixels lie in between, wants `"float32"`.
        **kwargs: Arguments of `keras.utils.PyDataset`: `workers`,
            `use_multiprocessing`, `max_queue_size`. What several workers need on JAX
            and torch, the guide "Data larger than memory" tells. `fit` takes no
            `steps_per_epoch` with several: an epoch is a whole pass.

    Attributes:
        epoch: The epoch, counted from 0, that batches belong to. It moves on at the
            end of each epoch of `fit`, of each pass of a loop over the dataset, and
            with `on_epoch_end()` once all batches of an epoch were asked for; set it
            to resume a training. (What Keras reads
            ahead before a first epoch can count as one where it reads all: a single
            batch on JAX and torch, a few under `tf.distribute`.)
        class_counts: dict of the images of each class in one epoch.
        real_counts: dict of the real images of each class.
        num_synthetic: How many of the images of one epoch are synthetic.
        has_warned: Whether it has warned of rarity that `fit` counts twice; True keeps
            it silent.

    Raises:
        ValueError: For bad labels or pixels, a class without any image, a single
            class, and a `sampling_strategy` that cannot be met; from a model, for
            labels that are strings; and from `fit`, for a class that the model has no
            output for, and `steps_per_epoch` with several workers.
        TypeError: For arguments of a wrong type.
        ImportError: For `"smote"` without imbalanced-learn.

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
        y=None,
        batch_size=32,
        synthesizer=None,
        sampling_strategy="auto",
        shuffle=True,
        seed=None,
        num_classes=None,
        synthetic_weight=None,
        refresh=True,
        data_format=None,
        mix=None,
        sample_weight=None,
        images=None,
        labels=None,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(**checks.options(kwargs))
        self.batch_size = checks.batch_size(batch_size)
        self.synthesizer = synthesizer
        self.sampling_strategy = sampling_strategy
        self.shuffle = flag("shuffle", shuffle)
        self.seed = check_seed(seed)
        self.num_classes = num_classes
        self.synthetic_weight = checks.synthetic_weight(synthetic_weight)
        self.refresh = checks.refresh(refresh)
        self.images = LabelledImages.read(
            x,
            y,
            num_classes=num_classes,
            data_format=data_format,
            images=images,
            labels=labels,
        )
        # What is left as it is, such as images for validation, may lack a class.
        if not checks.leaves_all(sampling_strategy):
            self.images.check_every_class()
        self._source, self._encoding = self.images.source, self.images.encoding
        self.mix = read_mix(mix, self._encoding)
        if self.mix is not None:
            checks.can_mix(self.images)
        self.dtype = checks.batch_dtype(dtype, self._source.dtype, self.mix)
        self._plan_epochs()
        if sample_weight is None:
            sample_weight = self.images.sample_weight
        self.images = self.images.weighed(sample_weight)
        self.has_warned = False
        self._weights = Weights(self.synthetic_weight, self.images, self._classes)
        self._begin()

    def _plan_epochs(self):
        images = self.images
        targets = target_counts(images.counts, self.sampling_strategy, images.encoding)
        parts = self._fit_synthesizer(targets)
        order = self.shuffle, self.seed, self.refresh
        self._planner = Planner(images, targets - images.counts, parts, *order)
        synthetic = self._planner.synthetic_classes
        self._classes = np.concatenate([images.indices, synthetic])
        self._counts = count_classes(self._classes, images.num_classes)

    def _fit_synthesizer(self, targets):
        """List of `(maker, share)`, after the choice where there is one."""
        synthesizer = self.synthesizer
        if isinstance(synthesizer, str):
            synthesizer = registry.fit(synthesizer, self.images, self.seed)
        if hasattr(synthesizer, "choose"):
            checks.can_choose(self.images)
            self.synthesizer = synthesizer
            synthesizer = synthesizer.choose(self.images, targets, self.seed)
        return read_synthesizer(synthesizer, self.images, self.seed)

    @property
    def x(self):
        """The images, as they were given."""
        return self.images.x

    @property
    def y(self):
        """The labels of the real images, written as they were given."""
        return self.images.labels

    @property
    def class_counts(self):
        """Images of each class in one epoch, real and synthetic: `{class: count}`."""
        counts = self._counts.tolist()
        return ClassCounts(zip(self._encoding.keys, counts, strict=True))

    @property
    def real_counts(self):
        """Real images of each class: `{class: count}`. They know what they became."""
        counts = self.images.counts.tolist()
        real = dict(zip(self._encoding.keys, counts, strict=True))
        return RealCounts(real, shown=self.class_counts)

    @property
    def num_synthetic(self):
        """Number of synthetic images in one epoch."""
        return len(self._classes) - len(self._source)

    def __repr__(self):
        real, shown = self.real_counts, self.class_counts
        counts = ", ".join(
            f"{key!r}: {real[key]}" + f" -> {shown[key]}" * (shown[key] != real[key])
            for key in real
        )
        return (
            f"<BalancedDataset of {len(self._source)} real and {self.num_synthetic} "
            f"synthetic images {self.images.image_shape} ({self._source.dtype}) in "
            f"{len(self)} batches of {self.batch_size}, "
            f"synthesizer={self.synthesizer!r}: {{{counts}}}>"
        )

    def __len__(self):
        return math.ceil(len(self._classes) / self.batch_size)

    def batch(self, epoch, index):
        """Give a batch of any epoch; the dataset stays at its own.

        Args:
            epoch: Number of the epoch, counted from 0.
            index: Number of the batch, negative from the end.

        Returns:
            What `dataset[index]` gives in that epoch: `(images, labels)`, or with
            the weights.
        """
        plan = self._prepare(checks.epoch(epoch))
        index = range(len(self))[index]
        start = index * self.batch_size
        positions = plan.order[start : start + self.batch_size]
        classes = self._classes[positions]
        rows = _rows(len(self._source), plan, positions)
        images = _read(self._source, plan.pool, rows, self.dtype)
        weights = self._weights.of(positions, rows)
        if self.mix is None:
            labels = self._encoding.encode(classes)
        else:
            labels, weights = self.mix.apply(
                images,
                classes,
                weights,
                counts=self._counts,
                place=(self.seed, plan.epoch, index),
                data_format=self.images.data_format,
            )
        rows = plan.real_rows(rows, len(self._source))
        batch = self.images.join(images, labels, rows)
        return batch if weights is None else (*batch, weights)

    @property
    def num_batches(self):
        """Batches of an epoch. A model that is given the dataset asks for them."""
        check_steps(self)  # here, since no worker has begun yet
        if self.mix is None:
            checks.trainable(self._encoding)
            check_labels(self, self._encoding, self._counts)
        return len(self)

    def _check_fit(self):
        checks.fits_devices(len(self._classes), self.batch_size)
        if not self.has_warned:
            classes = self._encoding.classes if self.mix is None else None
            self.has_warned = warn_of_rarity_counted_twice(
                classes, self.images.counts, self._counts
            )


def _rows(num_real, plan, positions):
    """Rows behind positions: real images', or beyond these those of the pool."""
    is_synthetic = positions >= num_real
    rows = positions.copy()
    rows[is_synthetic] = plan.rows[positions[is_synthetic] - num_real]
    return rows


def _read(source, pool, rows, dtype):
    """Images of rows, beyond those of the source of the pool: `(n, ...)`."""
    in_pool = rows >= len(source)
    if not in_pool.any():
        return source.read(rows, dtype)
    images = np.empty((len(rows), *source.shape[1:]), dtype)
    pool.write(images, in_pool, rows[in_pool] - len(source))
    source.write(images, ~in_pool, rows[~in_pool])
    return images
