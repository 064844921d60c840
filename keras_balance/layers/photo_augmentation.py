"""Augmentation for photographs: crop, flip, colour and an erased square."""

import keras

from keras_balance.layers import warp
from keras_balance.layers.base import ImageLayer
from keras_balance.layers.factors import (
    around_zero,
    check_factor,
    check_fill_value,
    draw,
)
from keras_balance.utils.images import check_value_range
from keras_balance.utils.numbers import choice

_FLIPS = ("horizontal", "vertical", "horizontal_and_vertical", None)
# How bright the eye finds red, green and blue (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)


@keras.saving.register_keras_serializable(package="keras_balance")
class PhotoAugmentation(ImageLayer):
    """Crops, flips, recolours and erases a square of photographs during training.

    The counterpart of `ManualAugmentation` for photographs. Every image gets draws of
    its own:

    - it moves by whole pixels, as padding and a random crop do, so that it is not
      blurred,
    - half of the images are flipped,
    - saturation, contrast and brightness are each multiplied by a number drawn around
      1, in this order, as one linear map,
    - a square is erased whose centre may be any point of the image, so that a part of
      it may lie outside.

    Values are clipped to `value_range`. The layer is used like Keras' own image layers:
    inside a model (jit-compiled too), on arrays, or in `tf.data` on every backend. With
    `training=False` images stay as they are.

    `crop_factor` and `colour_factor` are a number f or a pair `(lower, upper)`: one
    value per image is drawn uniformly from `[-f, f]` or `[lower, upper]`.
    `erase_factor` is a strength, where a number f is f for all images.

    Bounding boxes and segmentation masks move and flip with the image, with 0 in masks
    where nothing is known; the erased square leaves both as they are, since what they
    mark is still there behind it. Labels stay as they are.

    Input shape:
        `(n, height, width, channels)` or `(height, width, channels)`, channels first
        where `data_format` says so; or a dict with such `"images"` and any of
        `"labels"`, `"bounding_boxes"` (with labels of their own or without) and
        `"segmentation_masks"` (with an axis of channels or without). Any dtype. Three
        channels are red, green and blue; a single one has no saturation.

    Output shape:
        The same shape, images in the layer's compute dtype.

    Args:
        flip: `"horizontal"`, `"vertical"`, `"horizontal_and_vertical"`, or None for no
            flips.
        crop_factor: Fraction of height and width in [-1, 1] to move by, drawn for each
            of the two; positive is down and right. 0.125 is 4 pixels of 32.
        colour_factor: In [-1, 1]. Saturation, contrast and brightness are multiplied
            by 1 plus a draw each.
        erase_factor: Side of the erased square in [0, 1], in fractions of the smaller
            one of height and width; 0 for none.
        fill_mode: What is seen beyond the borders: `"constant"` (k k|a b c|k k),
            `"nearest"` (a a|a b c|c c), `"reflect"` (b a|a b c|c b) or `"wrap"`
            (b c|a b c|a b).
        fill_value: The k of `fill_mode="constant"`, and what is put for the erased
            square; by default the low end of `value_range`, which is black.
        value_range: `(low, high)`, the limits of pixel values.
        data_format: `"channels_last"` or `"channels_first"`; by default the one of the
            Keras configuration.
        seed: Integer or None.
        **kwargs: `bounding_box_format`, as in Keras' image layers, and the arguments
            of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: For a factor out of its bounds, a reversed pair or range, an unknown
            flip or fill mode, and a fill value outside the range.
        TypeError: For a factor that is no number, or a seed that is no integer.

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3))
        >>> augmented = PhotoAugmentation(seed=0)(images)
        >>> augmented.shape
        TensorShape([8, 32, 32, 3])

    Reference:
        - He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2,
          for crop and flip.
        - DeVries, Taylor 2017, "Improved Regularization of Convolutional Neural
          Networks with Cutout", section 3, for the square.
    """

    def __init__(
        self,
        flip="horizontal",
        crop_factor=0.125,
        colour_factor=0.4,
        erase_factor=0.25,
        fill_mode="constant",
        fill_value=None,
        value_range=(0, 255),
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.flip = choice("flip", flip, _FLIPS)
        self.crop_factor = check_factor(crop_factor, "crop_factor", -1, 1)
        self.colour_factor = check_factor(colour_factor, "colour_factor", -1, 1)
        self.erase_factor = check_factor(erase_factor, "erase_factor", 0, 1)
        self.fill_mode = choice("fill_mode", fill_mode, warp.FILL_MODES)
        self.value_range = check_value_range(value_range)
        self.fill_value = check_fill_value(fill_value, self.value_range)
        self._compute_in_float32_beyond(self.value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        """All that is random, in a dict: where pixels come from, colour, the square."""
        n, height, width, _ = self._image_shape(data)
        if not training:
            return None
        erase = self.erase_factor
        bounds = {
            "flip_y": (0, 1),
            "flip_x": (0, 1),
            "move_y": (0, 1),
            "move_x": (0, 1),
            "saturation": around_zero(self.colour_factor),
            "contrast": around_zero(self.colour_factor),
            "brightness": around_zero(self.colour_factor),
            "side": erase if isinstance(erase, tuple) else (erase, erase),
            "center_y": (0, 1),
            "center_x": (0, 1),
        }
        drawn = draw(self.backend, list(bounds.values()), n, self._seed(seed))
        draws = {name: drawn[place] for place, name in enumerate(bounds)}
        flips = self.flip or ""
        rows = self._line(draws["move_y"], draws["flip_y"], height, "vertical" in flips)
        columns = self._line(
            draws["move_x"], draws["flip_x"], width, "horizontal" in flips
        )
        return {**draws, "size": (height, width), "rows": rows, "columns": columns}

    def transform_images(self, images, transformation, training=True):
        """Images moved, flipped, recoloured and with their square erased."""
        if not training:
            return self.backend.cast(images, self.compute_dtype)
        images = self._channels_last(self.backend.cast(images, "float32"))
        y, x = self._coordinates(transformation)
        moved = warp.gather(self.backend, images, y, x, self.fill_mode)
        if self.colour_factor not in (0, (0, 0)):
            moved = self._recolour(moved, images, transformation)
        moved = self.backend.numpy.clip(moved, *self.value_range)
        moved = self._fill(moved, self._seen(y, x, transformation))
        return self._in_compute_dtype(self._in_data_format(moved))

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Masks moved and flipped as the images are."""
        if not training:
            return segmentation_masks
        ops = self.backend
        masks = self._channels_last(ops.convert_to_tensor(segmentation_masks))
        y, x = self._coordinates(transformation)
        moved = warp.gather(ops, masks, y, x, self.fill_mode)
        if self.fill_mode == "constant":
            inside = self._inside(y, x, transformation)[..., None]
            moved = ops.numpy.where(inside, moved, ops.numpy.zeros_like(moved))
        return self._in_data_format(moved)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Boxes moved and flipped as the images are, cut at the borders."""
        if not training:
            return bounding_boxes
        (yy, y0), (xx, x0) = transformation["rows"], transformation["columns"]
        zero = self.backend.numpy.zeros_like(xx)
        matrix = self.backend.numpy.stack(
            [xx, zero, x0, zero, yy, y0, zero, zero], axis=1
        )
        return self._move_boxes(bounding_boxes, matrix, transformation["size"])

    def get_config(self):
        """Arguments of `__init__`."""
        return {
            **super().get_config(),
            "flip": self.flip,
            "crop_factor": self.crop_factor,
            "colour_factor": self.colour_factor,
            "erase_factor": self.erase_factor,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }

    def _line(self, move, flip, length, may_flip):
        """Direction and start, `(n,)` each, that an axis is read in and from."""
        ops = self.backend
        length = ops.cast(length, "float32")
        lower, upper = (
            ops.numpy.round(bound * length) for bound in around_zero(self.crop_factor)
        )
        # Each whole number of pixels is as likely as any other.
        move = ops.numpy.floor(lower + move * (upper - lower + 1))
        start = -ops.numpy.minimum(move, upper)
        if not may_flip:
            return ops.numpy.ones_like(start), start
        direction = ops.cast(flip < 0.5, "float32") * 2 - 1
        return direction, ops.numpy.where(direction > 0, start, length - 1 - start)

    def _coordinates(self, transformation):
        """Rows `(n, height, 1)` and columns `(n, 1, width)` that pixels come from."""
        arange, reshape = self.backend.numpy.arange, self.backend.numpy.reshape
        height, width = transformation["size"]
        (yy, y0), (xx, x0) = transformation["rows"], transformation["columns"]
        y = yy[:, None] * arange(height, dtype="float32") + y0[:, None]
        x = xx[:, None] * arange(width, dtype="float32") + x0[:, None]
        return reshape(y, (-1, height, 1)), reshape(x, (-1, 1, width))

    def _recolour(self, moved, images, transformation):
        """Saturation, contrast, brightness: one linear map of a pixel and its grey.

        With s, c and b for the three, black at 0 and m for the mean grey of the image,
        a pixel x whose grey is g becomes b (c (s x + (1 - s) g) + (1 - c) m).
        """
        ops = self.backend
        saturation, contrast, brightness = (
            ops.numpy.reshape(1 + transformation[name], (-1, 1, 1, 1))
            for name in ("saturation", "contrast", "brightness")
        )
        to_grey = self._to_grey(ops.shape(images)[-1])
        mean = ops.numpy.mean(images, axis=(1, 2), keepdims=True)
        mean = ops.numpy.matmul(mean, to_grey)
        black = self.value_range[0]
        rest = brightness * (1 - contrast) * mean + black * (1 - brightness)
        scale = brightness * contrast
        if images.shape[-1] == 1:
            return moved * scale + rest
        grey = ops.numpy.matmul(moved, to_grey)
        return moved * (scale * saturation) + (grey * (scale * (1 - saturation)) + rest)

    def _to_grey(self, channels):
        """Weights `(channels, 1)` of the channels in a pixel's grey."""
        ops = self.backend
        # Inside tf.data their number may be a tensor.
        place = ops.numpy.arange(channels)[:, None]
        luma = ops.convert_to_tensor(_LUMA, "float32")
        luma = ops.numpy.take(luma, ops.numpy.minimum(place, len(_LUMA) - 1))
        even = ops.numpy.ones_like(luma) / ops.cast(channels, "float32")
        return ops.numpy.where(channels == len(_LUMA), luma, even)

    def _inside(self, y, x, transformation):
        """Whether pixels come from within the image: bool `(n, height, width)`."""
        height, width = transformation["size"]
        rows = (y >= 0) & (y < self.backend.cast(height, "float32"))
        return rows & (x >= 0) & (x < self.backend.cast(width, "float32"))

    def _seen(self, y, x, transformation):
        """Whether pixels are of the image, bool `(n, height, width)`; None for all."""
        seen = None
        if self.fill_mode == "constant":
            seen = self._inside(y, x, transformation)
        if self.erase_factor in (0, (0, 0)):
            return seen
        kept = ~self._erased(transformation)
        return kept if seen is None else seen & kept

    def _erased(self, transformation):
        """Whether pixels are in the square: bool `(n, height, width)`."""
        ops = self.backend
        height, width = (ops.cast(side, "float32") for side in transformation["size"])
        half = transformation["side"][:, None] * ops.numpy.minimum(height, width) / 2

        def within(center, length, size):
            middles = ops.numpy.arange(size, dtype="float32") + 0.5
            return ops.numpy.abs(middles - center[:, None] * length) < half

        rows = within(transformation["center_y"], height, transformation["size"][0])
        columns = within(transformation["center_x"], width, transformation["size"][1])
        return rows[:, :, None] & columns[:, None, :]

    def _fill(self, images, seen):
        """Images with the fill value where they are not seen."""
        if seen is None:
            return images
        # By products: a `where` that broadcasts takes TensorFlow ten times as long.
        seen = self.backend.cast(seen[..., None], "float32")
        fill = self.value_range[0] if self.fill_value is None else self.fill_value
        return images * seen if fill == 0 else (images - fill) * seen + fill
