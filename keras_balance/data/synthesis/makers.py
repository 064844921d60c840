"""What fills the shortfall of a class: augmented, interpolated or generated images.

The users' protocol is `generate(labels, seed=None)` on labels as they are called in
`y`. Makers are the same on class indices: pure functions of labels and seed.
"""

import keras
import numpy as np

from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.augment import (
    augment,
    warn_of_own_range,
    warn_of_range,
)
from keras_balance.data.synthesis.called import CalledImages, is_function
from keras_balance.layers.mixing import check_mixes_nothing
from keras_balance.utils.images import check_finite
from keras_balance.utils.numbers import real_number
from keras_balance.utils.seeds import derive_seed, random_generator

# The maker that leaves its share of the shortfall as it is.
NOTHING = registry.NOTHING

# Pixels that are synthesized at once: 8 MiB as float32.
_PIXELS_AT_ONCE = 2**21


def read_synthesizer(synthesizer, images, seed):
    """List of `(maker, share)` for the argument of `BalancedDataset`.

    The maker None repeats real images, which needs no new pixels.

    Args:
        synthesizer: As in `BalancedDataset`; what decides by the data has decided.
        images: `LabelledImages`.
        seed: Integer, for what must be fitted first.
    """
    if not isinstance(synthesizer, dict):
        return _read(synthesizer, images, seed, 1.0, {})
    _check_shares(synthesizer)
    fitted = {}
    return [
        maker
        for part, share in synthesizer.items()
        for maker in _read(part, images, seed, share, fitted)
    ]


def _read(synthesizer, images, seed, share, fitted):
    if isinstance(synthesizer, str) and synthesizer != NOTHING:
        name = synthesizer
        synthesizer = registry.fit(name, images, seed, fitted)
        if hasattr(synthesizer, "choose"):
            raise ValueError(
                f"{name!r} must stand alone, not in a mixture. "
                f"Received: synthesizer with {name!r} as a part"
            )
    if not isinstance(synthesizer, dict):
        return [(_make_maker(synthesizer, images), share)]
    whole = sum(synthesizer.values())
    return [
        maker
        for part, weight in synthesizer.items()
        for maker in _read(part, images, seed, share * weight / whole, fitted)
    ]


def _check_shares(mixture):
    for part, share in mixture.items():
        real_number(f"synthesizer[{part!r}]", share, above=0)
    if not mixture:
        raise ValueError(
            "A mixture of synthesizers must have a part. Received: synthesizer={}"
        )


def check_tells_rows(parts):
    """Raise a `ValueError` for a maker of images that come from no single real one.

    Args:
        parts: List of `(maker, share)`.
    """
    for maker, _ in parts:
        if maker not in (None, NOTHING) and not hasattr(maker, "rows"):
            raise ValueError(
                "`synthesizer` must repeat real images or change one at a time (a "
                "Keras layer, a function) where `x` or `y` has other entries, since "
                "nobody knows these for an image that was generated. "
                f"Received: synthesizer={maker.synthesizer!r}"
            )


def synthesize(make, labels, image_shape, seed):
    """Yield what a maker's method gives for class indices, in large batches."""
    at_once = max(1, _PIXELS_AT_ONCE // int(np.prod(image_shape)))
    for start in range(0, len(labels), at_once):
        some = labels[start : start + at_once]
        yield make(some, seed=derive_seed(seed, start))


class AugmentedImages:
    """Real images through a Keras layer."""

    def __init__(self, layer, images):
        self.layer, self.images = layer, images

    def rows(self, labels, seed):
        """Rows of the images that `generate` augments."""
        return self.images.draw(labels, random_generator(seed, 0))

    def generate(self, labels, seed):
        """One augmented image for each class index in `labels`."""
        return augment(
            self.layer,
            self.images.source.take(self.rows(labels, seed)),
            derive_seed(seed, 1),
            self.images.data_format,
        )


class SynthesizedImages:
    """Images of an object with `generate(labels, seed=None)`, checked."""

    def __init__(self, synthesizer, images):
        self.synthesizer, self.encoding = synthesizer, images.encoding
        self.image_shape = images.image_shape

    def generate(self, labels, seed):
        """One generated image for each class index in `labels`."""
        images = self.synthesizer.generate(self.encoding.names(labels), seed=seed)
        if keras.ops.is_tensor(images):
            images = keras.ops.convert_to_numpy(images)
        images = np.asarray(images)
        expected = (len(labels), *self.image_shape)
        if images.shape != expected:
            raise ValueError(
                "`generate(labels)` of the synthesizer must return an image of the "
                f"shape of `x` for each label, {expected}. "
                f"Received: images of shape {images.shape}"
            )
        check_finite(images, name="generate(labels)")
        return images


def _make_maker(synthesizer, images):
    if synthesizer is None:
        return None
    if isinstance(synthesizer, str) and synthesizer == NOTHING:
        return NOTHING  # itself, by which a plan knows it, and no string equal to it
    if hasattr(synthesizer, "generate"):
        warn_of_own_range(synthesizer, "A generator beside real images", images)
        return SynthesizedImages(synthesizer, images)
    if isinstance(synthesizer, keras.layers.Layer):
        check_mixes_nothing(synthesizer, "synthesizer")
        warn_of_range(synthesizer, images)
        return AugmentedImages(synthesizer, images)
    if is_function(synthesizer):
        return CalledImages(synthesizer, images)
    raise TypeError(
        "`synthesizer` must be None, a name, a Keras layer, an object with "
        "`generate(labels, seed=None)`, a function from an image to an image, or a "
        "dict {one of these: share}. "
        f"Received: synthesizer={synthesizer!r}"
    )
