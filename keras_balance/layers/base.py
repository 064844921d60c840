"""What every layer here stands on: the base class of Keras' own image layers."""

import keras
import numpy as np

from keras_balance.layers.dicts import complete
from keras_balance.layers.warp import affine_boxes
from keras_balance.utils.seeds import check_seed

# Keras does not export this class and moves its file now and then, so it is
# reached through a layer that is exported. It takes dicts of images, boxes and
# masks apart, and gives `self.backend`: the operations that fit the place,
# TensorFlow's inside `tf.data` whatever the backend. tests/layers/test_base.py
# fails when it changes its ways.
BaseImagePreprocessingLayer = keras.layers.RandomRotation.__base__


class ImageLayer(BaseImagePreprocessingLayer):
    """Random image layer that keeps shapes, and labels as they are.

    A subclass draws in `get_random_transformation` and changes images, and what
    else moves with them, in `transform_*`. Every tensor that it draws has the images
    along its first axis, so that they can be taken apart.

    Args:
        data_format: As in Keras' image layers.
        seed: Integer (NumPy's included) or None.
        **kwargs: `bounding_box_format`, and what `keras.layers.Layer` takes.
    """

    _USE_BASE_FACTOR = False

    def __init__(self, data_format=None, seed=None, **kwargs):
        # Keras would cast labels and boxes, too, where images are in half precision.
        super().__init__(data_format=data_format, autocast=False, **kwargs)
        self.seed = None if seed is None else check_seed(seed)
        self.generator = keras.random.SeedGenerator(self.seed)

    def __call__(self, data, **kwargs):
        """Apply the layer to images, or to a dict of images and what goes along."""
        if not isinstance(data, dict):
            return super().__call__(data, **kwargs)
        # Keras writes into the dict it is given, and inside tf.data casts the
        # labels: it gets a copy, without them.
        data = keras.tree.map_structure(lambda entry: entry, data)
        data, undo = complete(data, self.data_format)
        if "labels" not in data:
            return undo(super().__call__(data, **kwargs))
        labels = data.pop("labels")
        outputs = undo(super().__call__(data, **kwargs))
        if keras.ops.is_tensor(outputs["images"]):
            labels = keras.ops.convert_to_tensor(labels)
        return {**outputs, "labels": labels}

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Boxes as they are."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Masks as they are."""
        return segmentation_masks

    def compute_output_shape(self, input_shape):
        """Shapes as they are."""
        return input_shape

    def in_parts(self, images, most, seed=None):
        """`self(images, training=True)`, a few images at a time.

        All that is random is drawn for all of them first, so that they come out as
        they do at once; what lies in memory on the way is that of a part.

        Args:
            images: NumPy array of images in the layer's `data_format`.
            most: Numbers in a part, if an image has no more.
            seed: `SeedsOfBatches`, where the images are those of several batches.

        Returns:
            float32 NumPy array of the shape of `images`.
        """
        ops = keras.ops
        drawn = self.get_random_transformation(images, training=True, seed=seed)
        at_once = max(1, most // images[0].size)
        moved = np.empty(images.shape, "float32")
        for start in range(0, len(images), at_once):
            rows = slice(start, start + at_once)
            part = self.transform_images(
                ops.convert_to_tensor(images[rows]), _rows_of(drawn, rows), True
            )
            moved[rows] = ops.convert_to_numpy(ops.cast(part, "float32"))
        return moved

    def _compute_in_float32_beyond(self, value_range):
        """Take float32 where float16, which ends at 65504, cannot hold the pixels.

        Nor may it hold the difference of two, by which they are interpolated.
        """
        low, high = value_range
        most = max(abs(low), abs(high), high - low)
        if self.compute_dtype == "float16" and most > 65504:
            self.dtype_policy = keras.DTypePolicy("float32")

    def get_config(self):
        """Arguments of `__init__`."""
        return {**super().get_config(), "seed": self.seed}

    @property
    def _float_dtype(self):
        """What pixels are computed in: a `dtype` of integers is the result's alone."""
        return self.compute_dtype if "float" in self.compute_dtype else "float32"

    def _in_compute_dtype(self, images):
        """Images in the layer's dtype, rounded where that is one of integers."""
        if self._float_dtype != self.compute_dtype:
            images = self.backend.numpy.round(images)
        return self.backend.cast(images, self.compute_dtype)

    def _seed(self, seed):
        """`seed`, or where it is None the generator that fits the place."""
        return self._get_seed_generator(self.backend.name) if seed is None else seed

    def _image_shape(self, data):
        """`(n, height, width, channels)` of images or the images in a dict."""
        images = data["images"] if isinstance(data, dict) else data
        shape = tuple(self.backend.shape(images))
        if len(shape) not in (3, 4):
            raise ValueError(
                "Images must have rank 3 (one image) or 4 (a batch). "
                f"Received: images of shape {tuple(images.shape)}"
            )
        n, *rest = shape if len(shape) == 4 else (1, *shape)
        if self.data_format == "channels_first":
            rest = (*rest[1:], rest[0])
        return (n, *rest)

    def _move_boxes(self, bounding_boxes, matrix, size):
        """Boxes around the corners that an affine map moves, cut at the borders."""
        utils = keras.utils.bounding_boxes
        size = dict(zip(("height", "width"), size, strict=True))
        boxes = utils.convert_format(
            bounding_boxes, source=self.bounding_box_format, target="xyxy", **size
        )
        moved = affine_boxes(self.backend, matrix, boxes["boxes"])
        boxes = utils.clip_to_image_size(
            {**boxes, "boxes": moved}, bounding_box_format="xyxy", **size
        )
        return utils.convert_format(
            boxes, source="xyxy", target=self.bounding_box_format, **size
        )

    def _channels_last(self, images):
        """Images `(n, height, width, channels)` of those in `data_format`."""
        if self.data_format == "channels_last":
            return images
        return self.backend.numpy.transpose(images, (0, 2, 3, 1))

    def _in_data_format(self, images):
        """Back from `_channels_last`."""
        if self.data_format == "channels_last":
            return images
        return self.backend.numpy.transpose(images, (0, 3, 1, 2))


def _rows_of(transformation, rows):
    """Give what was drawn for some of the images; numbers of all stay."""
    return keras.tree.map_structure(
        lambda entry: entry[rows] if keras.ops.is_tensor(entry) else entry,
        transformation,
    )
