"""What `AutoSynthesizer` and `AutoAugmentation` compare, from the simplest on."""

import functools

import keras
import numpy as np

from keras_balance.data import AugmentedSynthesizer
from keras_balance.data.sources import value_range
from keras_balance.layers import ManualAugmentation
from keras_balance.layers.manual_augmentation import ELASTIC
from keras_balance.models import BAGAN

_BATCH_SIZE = 64
# Strengths of a layer that leaves all but the place of a thing as it is.
_SHIFT = {
    "rotation_factor": 0,
    "zoom_factor": 0,
    "noise_factor": 0,
    "translation_factor": 0.04,
}


class TrainingImages:
    """The images of a `BalancedDataset`, whole or in parts.

    Args:
        real: Its `RealImages`.
        encoding: `LabelEncoding` of its labels.
    """

    def __init__(self, real, encoding):
        self.source, self.encoding = real.source, encoding
        self.value_range = value_range(real.source)
        self.indices = np.empty(len(real), dtype="int64")
        for c in range(encoding.num_classes):
            self.indices[real.rows_of(c)] = c

    def part(self, rows, seed):
        """`Part` of some rows, read into memory."""
        return Part(self.source.take(rows), rows, self, seed)

    def whole(self, seed):
        """`Part` of all, left where it is."""
        return Part(self.source.array, np.arange(len(self.indices)), self, seed)


class Part:
    """A part of the training images, or all of them, and what is fitted on it once.

    Args:
        x: Images `(n, height, width, channels)`.
        rows: Their rows among all.
        images: The `TrainingImages`.
        seed: Integer.

    Attributes:
        indices: Class indices of the images.
        y: Their labels, as the user writes them.
    """

    def __init__(self, x, rows, images, seed):
        self.x, self.indices = x, images.indices[rows]
        self.encoding, self.value_range = images.encoding, images.value_range
        self.y = self.encoding.encode(self.indices)
        self.seed = seed

    @functools.cached_property
    def shift_layer(self):
        """A small translation."""
        return self._make_layer(**_SHIFT)

    @functools.cached_property
    def flip_layer(self):
        """A horizontal flip, and the small translation."""
        # With one seed for both, what is flipped would tell how it is moved.
        flip = keras.layers.RandomFlip("horizontal", seed=self.seed + 1)
        return keras.Sequential([flip, self.shift_layer])

    @functools.cached_property
    def layer(self):
        """The paper's manual augmentation."""
        return self._make_layer()

    @functools.cached_property
    def elastic_layer(self):
        """The same, with a translation and an elastic distortion."""
        return self._make_layer(**ELASTIC)

    def _make_layer(self, **strengths):
        return ManualAugmentation(
            **strengths, value_range=self.value_range, seed=self.seed
        )

    @functools.cached_property
    def augmented_bagan(self):
        """Its images, augmented."""
        return AugmentedSynthesizer(self.bagan, self.layer)

    @functools.cached_property
    def bagan(self):
        """A BAGAN without its GAN, fitted on this part."""
        bagan = BAGAN(
            tuple(self.x.shape[1:]),
            self.encoding.num_classes,
            value_range=self.value_range,
            class_names=self.encoding.classes,
            seed=self.seed,
        )
        bagan.fit(self.x, self.y, epochs=0, batch_size=_BATCH_SIZE, verbose=0)
        return bagan


# The less is left to a generator, the simpler: none of the images, one half, all but
# their pose, all.
CANDIDATES = {
    "nothing": lambda part: "nothing",
    "repeat": lambda part: None,
    "manual": lambda part: part.layer,
    "elastic": lambda part: part.elastic_layer,
    "half bagan+manual, half manual": lambda part: {
        part.augmented_bagan: 0.5,
        part.layer: 0.5,
    },
    "bagan+manual": lambda part: part.augmented_bagan,
    "bagan": lambda part: part.bagan,
}

# Layers in front of a model; None for no layer.
LAYERS = {
    "nothing": lambda part: None,
    "shift": lambda part: part.shift_layer,
    "flip": lambda part: part.flip_layer,
    "manual": lambda part: part.layer,
    "elastic": lambda part: part.elastic_layer,
}
