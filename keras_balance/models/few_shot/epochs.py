"""Epochs of a backbone's features, computed once or anew for each of them."""

import copy
import math
import os

import keras
import numpy as np

from keras_balance.data import (
    BalancedDataset,
    LabelledImages,
    balanced_image_dataset_from_directory,
)
from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.augment import augment
from keras_balance.models.few_shot.feed import AugmentedBatches, layout_of
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.batches import check_batches, each_batch
from keras_balance.utils.progress_line import ProgressLine
from keras_balance.utils.seeds import derive_seed

_CHUNK = 256


class ArrayEpochs:
    """Epochs of images in an array, augmented anew where there is a layer for it.

    Args:
        images: `LabelledImages`.
        features: `Features`.
        augmentation: Keras layer, or None.
        seed: Integer.
    """

    def __init__(self, images, features, augmentation, seed):
        self.images, self.weights = images.alone(), images.sample_weight
        self.features = features
        self.augmentation, self.seed = augmentation, seed
        self.are_fresh = augmentation is not None

    def read(self, epoch, verbose=0):
        """`(rows, labels, weights or None)`; first of the images as they are."""
        rows, size, layout = [], len(self.images), self.images.data_format
        augmentation = self.augmentation if epoch else None
        for start in _watched(range(0, size, _CHUNK), verbose):
            places = np.arange(start, min(start + _CHUNK, size))
            images = np.asarray(self.images.source.take(places))
            seed = derive_seed(self.seed, epoch, start)
            rows.append(_look(self.features, augmentation, images, seed, layout))
        return np.concatenate(rows), self.images.labels, self.weights

    @property
    def image_shape(self):
        """Shape of one image."""
        return self.images.image_shape

    def batches_of(self, batch_size):
        """Batches of an epoch."""
        return math.ceil(len(self.images) / batch_size)

    def as_images(self, batch_size):
        """Give the images themselves, in batches for `fit`."""
        feed = BalancedDataset(
            self.images,
            None,
            batch_size,
            synthesizer="nothing",
            seed=self.seed,
            sample_weight=self.weights,
        )
        return AugmentedBatches(feed, self.augmentation, self.seed)


class BatchEpochs:
    """Epochs of a data set of `(images, labels)` batches.

    Args:
        batches: `PyDataset` or another iterable that can be read again and again.
        features: `Features`.
        augmentation: Keras layer, or None.
        seed: Integer.
    """

    def __init__(self, batches, features, augmentation, seed):
        self.batches, self.features = batches, features
        self.augmentation, self.seed = augmentation, seed
        repeats = isinstance(batches, BalancedDataset) and _only_repeats(batches)
        self.are_fresh = augmentation is not None or not repeats

    def read(self, epoch, verbose=0):
        """`(rows, labels, weights or None)` of an epoch."""
        batches = self.batches
        if isinstance(batches, BalancedDataset):
            batches = copy.copy(batches)  # the user's stays at the epoch it is at
            batches.epoch = epoch
        rows, labels, weights = [], [], []
        layout = layout_of(self.batches)
        augmentation = self.augmentation if epoch else None
        for place, batch in enumerate(_watched(batches, verbose)):
            images, some, weight = keras.utils.unpack_x_y_sample_weight(batch)
            images, seed = _array(images), derive_seed(self.seed, epoch, place)
            rows.append(_look(self.features, augmentation, images, seed, layout))
            self._number = place + 1
            labels.append(_array(some))
            if weight is not None:
                weights.append(_array(weight).reshape(-1))
        weights = np.concatenate(weights) if weights else None
        return np.concatenate(rows), np.concatenate(labels), weights

    @property
    def image_shape(self):
        """Shape of one image."""
        images, *_ = next(each_batch(self.batches))
        return tuple(images.shape[1:])

    def batches_of(self, batch_size):
        """Batches of an epoch: as many as were read."""
        return self._number

    def as_images(self, batch_size):
        """Give the images themselves, in batches for `fit`."""
        if self.augmentation is None:
            return self.batches
        if not isinstance(self.batches, keras.utils.PyDataset):
            raise ValueError(
                "`x` must be arrays, a BalancedDataset or another `PyDataset` where "
                "images are augmented and layers are unfrozen. Received: x of type "
                f"{type(self.batches).__name__}"
            )
        return AugmentedBatches(self.batches, self.augmentation, self.seed)


class RowEpochs:
    """Epochs of features that are there already.

    Args:
        rows: Features `(n, d)`.
        labels: Labels, as they come.
    """

    are_fresh = False

    def __init__(self, rows, labels):
        self.rows, self.labels = rows, labels

    def read(self, epoch, verbose=0):
        """`(rows, labels, None)`, the same in every epoch."""
        rows = np.asarray(_array(self.rows), dtype="float32")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ValueError(
                "Features `x` must be finite. "
                f"Received: x[{row}, {column}]={rows[row, column]}"
            )
        if self.labels is None or len(rows) != len(self.labels):
            raise ValueError(
                "`y` must hold one label for each row of features. Received: "
                f"x of shape {rows.shape} with y={self.labels!r}"
            )
        return rows, np.asarray(self.labels), None

    @property
    def image_shape(self):
        """Raise: there are no images."""
        raise self._no_images()

    def as_images(self, batch_size):
        """Raise: there are no images."""
        raise self._no_images()

    def _no_images(self):
        return ValueError(
            "`x` must hold images for a backbone that is not built, and to `unfreeze` "
            f"its layers. Received: features of shape {np.shape(self.rows)}"
        )


def open_epochs(x, y, model, features, augmentation=None, seed=0):
    """Find the epochs behind what `FewShotClassifier.fit` was given."""
    if isinstance(x, (str, os.PathLike)):
        x = _open_folder(x, model.backbone.input_shape)
    is_array = hasattr(x, "shape") and not isinstance(x, LabelledImages)
    if y is None and not is_array and not isinstance(x, LabelledImages):
        check_batches(x)
        return BatchEpochs(x, features, augmentation, seed)
    if is_array and len(x.shape) == 2:
        return RowEpochs(x, y)
    return ArrayEpochs(LabelledImages.read(x, y), features, augmentation, seed)


def open_held_out(validation_data, data, model):
    """Give validation data as they are, but a folder's as `LabelledImages`.

    Its classes are those of the folder that `data`, what `open_epochs` gives, came of.
    """
    if not isinstance(validation_data, (str, os.PathLike)):
        return validation_data
    names = getattr(getattr(data, "batches", None), "class_names", None)
    opened = _open_folder(validation_data, model.backbone.input_shape, names)
    if len(opened.class_names) != model.num_classes:
        raise ValueError(
            "`validation_data` must be a folder with one folder for each of "
            f"{model.num_classes} classes. Received: validation_data="
            f"{os.fspath(validation_data)!r} with {len(opened.class_names)} folders"
        )
    return opened.images


def _open_folder(folder, input_shape, class_names=None):
    """Open a folder of class folders at the size and colours that a model takes."""
    first = keras.config.image_data_format() == "channels_first"
    channels, sides = input_shape[1 if first else 3], input_shape[2:4]
    sides = sides if first else input_shape[1:3]
    if None in (channels, *sides):
        raise ValueError(
            "A folder can be read where the backbone names its `input_shape`; use "
            "`kb.data.balanced_image_dataset_from_directory` instead. "
            f"Received: backbone with input_shape={input_shape}"
        )
    return balanced_image_dataset_from_directory(
        folder,
        class_names=class_names,
        image_size=sides,
        color_mode="grayscale" if channels == 1 else "rgb",
        synthesizer="nothing",
        seed=0,
    )


def held_out_features(validation_data, model, features):
    """Give validation data with features for its images, where they are arrays.

    Returns:
        `(features, labels)`, or with weights; a data set of batches as it is.
    """
    if isinstance(validation_data, LabelledImages):
        data = open_epochs(validation_data, None, model, features)
        found = [part for part in data.read(0) if part is not None]
    elif isinstance(validation_data, (tuple, list)):
        x, *found = map(_array, validation_data)
        found = [x if x.ndim == 2 else features(x), *found]
    else:
        return validation_data
    features.save()
    return tuple(found)


def _look(features, augmentation, images, seed, layout):
    """Features of images, through a layer before that where there is one."""
    if augmentation is None:
        return features(images)
    # What is new in each epoch is not worth keeping.
    return features.compute(augment(augmentation, images, seed, layout))


def _only_repeats(dataset):
    """Whether an epoch holds the same images as any other."""
    return dataset.synthesizer in (None, registry.REPEAT, registry.NOTHING)


def _watched(batches, verbose):
    """Give batches one by one; a line tells of how many there are features already."""
    try:
        number = f" of {len(batches):,}"
    except TypeError:  # a pipeline of unknown length
        number = ""
    line = ProgressLine(verbose)
    try:
        for place, batch in enumerate(each_batch(batches), 1):
            yield batch
            line.now_and_then(f"Computing features: {place:,}{number} batches")
    finally:
        line.end()


def _array(values):
    return np.asarray(to_numpy(values))
