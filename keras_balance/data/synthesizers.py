"""What fills the shortfall of a class: repeated, augmented or generated images."""

import keras
import numpy as np

from keras_balance.utils.images import check_finite
from keras_balance.utils.seeds import derive_seed, random_generator

# Pixels (as float32) that are synthesized at once: 32 MiB.
_PIXELS_AT_ONCE = 2**23


class RealImages:
    """The real images by class, to draw from.

    Args:
        source: Source of the images (see `sources`).
        indices: int array `(n,)`, class of every image.
        num_classes: Number of classes.
    """

    def __init__(self, source, indices, num_classes):
        self.source = source
        self._by_class = np.argsort(indices, kind="stable").astype(
            np.min_scalar_type(len(indices))
        )
        self._borders = np.searchsorted(
            indices, np.arange(num_classes + 1), sorter=self._by_class
        )

    def draw(self, labels, generator):
        """Rows of real images of the classes `labels` `(n,)`, drawn evenly.

        Within a class, each image comes as often as the others, give or take one.
        """
        rows = np.empty(len(labels), dtype=self._by_class.dtype)
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            members = self._by_class[self._borders[label] : self._borders[label + 1]]
            rounds, rest = divmod(len(wanted), len(members))
            rows[wanted] = np.concatenate(
                [np.tile(members, rounds), generator.permutation(members)[:rest]]
            )
        return rows


class AugmentedImages:
    """Real images through a Keras layer, as a pure function of labels and seed."""

    def __init__(self, layer, real):
        self.layer, self.real = layer, real

    def generate(self, labels, seed=None):
        """One augmented image for each class index in `labels`."""
        rows = self.real.draw(labels, random_generator(seed, 0))
        return augment(self.layer, self.real.source.take(rows), derive_seed(seed, 1))


class GeneratedImages:
    """Images of a user's `generate(labels, seed=None)`, which speaks class names."""

    def __init__(self, synthesizer, encoding, image_shape):
        self.synthesizer, self.encoding = synthesizer, encoding
        self.image_shape = tuple(image_shape)

    def generate(self, labels, seed=None):
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


def augment(layer, images, seed):
    """`layer(images, training=True)` with the layer's randomness set by `seed`.

    The layer itself is not changed: its seed generators start from values that hold
    in this call alone. Whatever draws from Keras' seed generators, as all of Keras'
    own layers do, is a pure function of `images` and `seed`.

    Returns:
        float32 array of the shape of `images`.

    Raises:
        ValueError: When the layer returns another shape.
    """
    images = np.asarray(images, dtype="float32")
    if not layer.built:
        layer(images[:1], training=True)
    seeds = [v for v in layer.variables if v.name == "seed_generator_state"]
    states = [
        (variable, np.array([derive_seed(seed, number), 0], dtype=variable.dtype))
        for number, variable in enumerate(seeds)
    ]
    with keras.StatelessScope(
        state_mapping=[(v, keras.ops.convert_to_tensor(s)) for v, s in states]
    ):
        augmented = keras.ops.cast(layer(images, training=True), "float32")
    if tuple(augmented.shape) != images.shape:
        raise ValueError(
            "A layer as `synthesizer` must keep the shape of the images, "
            f"{images.shape}. Received: images of shape {tuple(augmented.shape)}"
        )
    return keras.ops.convert_to_numpy(augmented)


def fill(synthesizer, labels, image_shape, dtype, seed):
    """Synthetic images for `labels` (class indices), made in large batches.

    Returns:
        Array `(n, *image_shape)` of `dtype`, rounded and clipped where that is an
        integer type: as precise as the real images, and as small.
    """
    images = np.empty((len(labels), *image_shape), dtype=dtype)
    at_once = max(1, _PIXELS_AT_ONCE // int(np.prod(image_shape)))
    for start in range(0, len(labels), at_once):
        some = labels[start : start + at_once]
        made = synthesizer.generate(some, seed=derive_seed(seed, start))
        if images.dtype.kind in "iu":
            limits = np.iinfo(dtype)
            made = np.clip(np.rint(made), limits.min, limits.max)
        images[start : start + at_once] = made
    return images
