"""The paper's manual augmentation: rotation, zoom and gaussian noise."""

import math

import keras

from keras_balance.layers import warp
from keras_balance.layers.base import ImageLayer
from keras_balance.layers.factors import (
    around_zero,
    check_factor,
    check_fill_value,
    draw,
    scaled,
)
from keras_balance.layers.noise import gaussian_noise
from keras_balance.utils.images import check_value_range
from keras_balance.utils.numbers import choice

# Types of masks, and those that TensorFlow can move in their place.
_WIDER = dict.fromkeys(("bool", "int8", "int16", "uint16"), "int32")
_WIDER |= dict.fromkeys(("uint32", "uint64"), "int64")
# At -1 a single pixel would fill the whole image.
_MOST_ZOOM_IN = math.nextafter(-1, 0)
# Width of the filter that smooths an elastic distortion: 4 of 29 pixels in
# Simard et al. 2003.
_SMOOTHNESS = 4 / 29
# Strengths that closed the gap to balanced data in the study, on top of the defaults,
# which are the paper's; `synthesizer="elastic"` stands for them.
ELASTIC = {"translation_factor": 0.07, "elastic_factor": 0.04}


@keras.saving.register_keras_serializable(package="keras_balance")
class ManualAugmentation(ImageLayer):
    """Rotates, zooms and adds gaussian noise during training.

    The manual augmentation that the paper compares BAGAN with: no flips, since
    handwriting has none. Rotation, zoom and, where asked for, shear,
    translation and elastic distortion are one resampling, so that images blur
    once; noise comes after it, then values are clipped to `value_range`. The
    layer is used like Keras' own image layers: inside a model (jit-compiled
    too, but on TensorFlow only with `elastic_factor` or `fill_mode="wrap"`), on
    arrays, or in `tf.data` on every backend. With `training=False` images stay as
    they are.

    Each factor is a number f or a pair `(lower, upper)`. One value per image is
    drawn uniformly from `[-f, f]` or `[lower, upper]`; `noise_factor` and
    `elastic_factor` are strengths, where a number f is f for all images.

    Bounding boxes follow rotation, zoom, shear and translation, and segmentation
    masks every move, with the nearest pixel and, where `fill_mode` is `"constant"`, 0
    outside. Labels stay as they are.

    Input shape:
        `(n, height, width, channels)` or `(height, width, channels)`, channels
        first where `data_format` says so; or a dict with such `"images"` and
        any of `"labels"`, `"bounding_boxes"` (with labels of their own or
        without) and `"segmentation_masks"` (with an axis of channels or without).
        Any dtype.

    Output shape:
        The same shape, images in the layer's compute dtype.

    Args:
        rotation_factor: Fraction of a full turn in [-1, 1]; positive is
            counter-clockwise.
        zoom_factor: In (-1, 1]; positive zooms out, negative in. Height and
            width keep their proportion.
        noise_factor: Standard deviation of the noise in [0, 1], in fractions of
            the length of `value_range`.
        value_range: `(low, high)`, the limits of pixel values.
        fill_mode: What is seen beyond the borders: `"constant"` (k k|a b c|k k),
            `"nearest"` (a a|a b c|c c), `"reflect"` (b a|a b c|c b) or `"wrap"`
            (b c|a b c|a b). The paper's handwriting is on black; take `"reflect"` for
            photographs, around which black draws a wavy frame.
        fill_value: The k of `fill_mode="constant"`; by default the low end of
            `value_range`, which is black.
        interpolation: `"bilinear"` or `"nearest"`.
        translation_factor: Fraction of height and width in [-1, 1], drawn for
            each of the two; positive is down and right.
        shear_factor: Slant in [-1, 1], columns per row; positive leans to the
            right, as italics do.
        elastic_factor: Standard deviation of an elastic displacement in [0, 1],
            in fractions of height and width. 0.05 is the setting of Simard et
            al.; 0.02 is mild. 0.04 beside a translation of 0.07 is best for digits.
        data_format: `"channels_last"` or `"channels_first"`; by default the one
            of the Keras configuration.
        seed: Integer or None.
        **kwargs: `bounding_box_format`, as in Keras' image layers, and the
            arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: For a factor out of its bounds, a reversed pair or range, an
            unknown mode, and a fill value outside the range.
        TypeError: For a factor that is no number, or a seed that is no integer.

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1))
        >>> augmented = ManualAugmentation(seed=0)(images)
        >>> augmented.shape
        TensorShape([8, 28, 28, 1])

    Reference:
        - "Improved Reliability using Data Augmentation", section 4.
        - Simard, Steinkraus, Platt 2003, "Best Practices for Convolutional
          Neural Networks Applied to Visual Document Analysis", section 2.
    """

    def __init__(
        self,
        rotation_factor=0.05,
        zoom_factor=0.1,
        noise_factor=0.05,
        value_range=(0, 255),
        fill_mode="constant",
        fill_value=None,
        interpolation="bilinear",
        translation_factor=0.0,
        shear_factor=0.0,
        elastic_factor=0.0,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.rotation_factor = check_factor(rotation_factor, "rotation_factor", -1, 1)
        self.zoom_factor = check_factor(zoom_factor, "zoom_factor", _MOST_ZOOM_IN, 1)
        self.noise_factor = check_factor(noise_factor, "noise_factor", 0, 1)
        self.value_range = check_value_range(value_range)
        self._compute_in_float32_beyond(self.value_range)
        self.fill_mode = choice("fill_mode", fill_mode, warp.FILL_MODES)
        self.fill_value = check_fill_value(fill_value, self.value_range)
        self.interpolation = choice("interpolation", interpolation, warp.INTERPOLATIONS)
        self.translation_factor = check_factor(
            translation_factor, "translation_factor", -1, 1
        )
        self.shear_factor = check_factor(shear_factor, "shear_factor", -1, 1)
        self.elastic_factor = check_factor(elastic_factor, "elastic_factor", 0, 1)
        self.supports_jit = self._is_elastic or not warp.has_kernel(
            self.backend, self.fill_mode
        )

    def get_random_transformation(self, data, training=True, seed=None):
        """All that is random: dict of `"matrix"`, `"displacement"` and `"noise"`."""
        shape = self._image_shape(data)
        if not training:
            return None
        seed = self._seed(seed)
        return {
            "size": shape[1:3],
            "matrix": self._draw_matrix(shape, seed),
            "displacement": self._draw_displacement(shape, seed),
            "noise": self._draw_noise(shape, seed),
        }

    def transform_images(self, images, transformation, training=True):
        """Images moved, with the noise added, clipped."""
        if not training:
            return self.backend.cast(images, self.compute_dtype)
        images = self.backend.cast(images, self._float_dtype)
        fill_value = self.value_range[0] if self.fill_value is None else self.fill_value
        images = self._move(images, transformation, self.interpolation, fill_value)
        if transformation["noise"] is not None:
            images = images + self._in_data_format(transformation["noise"])
        images = self.backend.numpy.clip(images, *self.value_range)
        return self._in_compute_dtype(images)

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Masks moved as the images are."""
        if not training:
            return segmentation_masks
        masks = self.backend.convert_to_tensor(segmentation_masks)
        dtype = keras.backend.standardize_dtype(masks.dtype)
        masks = self.backend.cast(masks, _WIDER.get(dtype, dtype))
        moved = self._move(masks, transformation, "nearest", 0)
        return self.backend.cast(moved, dtype)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Boxes around the moved corners, cut at the borders."""
        if not training:
            return bounding_boxes
        matrix, size = transformation["matrix"], transformation["size"]
        return self._move_boxes(bounding_boxes, matrix, size)

    def get_config(self):
        """Arguments of `__init__`."""
        return {
            **super().get_config(),
            "rotation_factor": self.rotation_factor,
            "zoom_factor": self.zoom_factor,
            "noise_factor": self.noise_factor,
            "value_range": self.value_range,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "interpolation": self.interpolation,
            "translation_factor": self.translation_factor,
            "shear_factor": self.shear_factor,
            "elastic_factor": self.elastic_factor,
        }

    @property
    def _is_elastic(self):
        return self.elastic_factor not in (0, (0, 0))

    def _draw_matrix(self, shape, seed):
        n, *size, _ = shape
        factors = {
            "rotation": self.rotation_factor,
            "zoom": self.zoom_factor,
            "shear": self.shear_factor,
            "shift_y": self.translation_factor,
            "shift_x": self.translation_factor,
        }
        bounds = [around_zero(factor) for factor in factors.values()]
        drawn = draw(self.backend, bounds, n, seed)
        moves = {name: drawn[i] for i, name in enumerate(factors)}
        return warp.affine_matrix(self.backend, size, **moves)

    def _draw_displacement(self, shape, seed):
        if not self._is_elastic:
            return None
        n, *size, _ = shape
        both = warp.elastic_displacement(
            self.backend, n, size, self.elastic_factor, _SMOOTHNESS, seed
        )
        return both[0], both[1]

    def _draw_noise(self, shape, seed):
        if self.noise_factor in (0, (0, 0)):
            return None
        low, high = self.value_range
        stddev = scaled(self.noise_factor, high - low)
        return gaussian_noise(self.backend, shape, stddev, self._float_dtype, seed)

    def _move(self, images, transformation, interpolation, fill_value):
        moved = warp.move(
            self.backend,
            self._channels_last(images),
            transformation["matrix"],
            transformation["displacement"],
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=fill_value,
        )
        return self._in_data_format(moved)
