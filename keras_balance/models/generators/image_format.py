"""Between the images of the user and those of the networks."""

import warnings

import keras
from keras import ops

from keras_balance.models.generators import checks
from keras_balance.utils.images import check_images, check_value_range, rescale

NETWORK_RANGE = (-1.0, 1.0)
_LARGE = 128 * 128  # pixels, from which on training is warned of


class ImageFormat:
    """What the user's images are like; those of the networks are channels last.

    Args:
        shape: Shape of one image.
        value_range: The `(low, high)` of its pixels; [-1, 1] in the networks.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own for None.
    """

    def __init__(self, shape, value_range, data_format):
        if data_format is None:
            data_format = keras.config.image_data_format()
        self.data_format = data_format
        self.shape = checks.image_shape(shape, data_format)
        self.value_range = check_value_range(value_range)

    @property
    def is_channels_first(self):
        """Whether the user's images are."""
        return self.data_format == "channels_first"

    @property
    def network_shape(self):
        """Shape of an image in the networks."""
        if self.is_channels_first:
            return (*self.shape[1:], self.shape[0])
        return self.shape

    def warn_of_size(self):
        """Warn of images that take long to learn."""
        height, width, _ = self.network_shape
        if height * width > _LARGE:
            warnings.warn(
                f"A generator of images of {height} by {width} pixels trains long: "
                "224 by 224 take a quarter of an hour on a few cores, and seldom look "
                "real then. Shrink them to 64 by 64, or fill classes by a layer.",
                stacklevel=3,
            )

    def to_network(self, images):
        """Tensor of images for the networks."""
        images = rescale(ops.cast(images, "float32"), self.value_range, NETWORK_RANGE)
        return ops.transpose(images, (0, 2, 3, 1)) if self.is_channels_first else images

    def from_network(self, images):
        """Tensor of images for the user, not clipped."""
        images = rescale(images, NETWORK_RANGE, self.value_range)
        return ops.transpose(images, (0, 3, 1, 2)) if self.is_channels_first else images

    def to_user(self, images):
        """Images of the networks as NumPy arrays in `value_range`."""
        images = self.from_network(ops.convert_to_tensor(images))
        return ops.convert_to_numpy(ops.clip(images, *self.value_range))

    def read(self, images, name="images"):
        """Images of the user, checked, as an array for the networks."""
        check_images(images, name)
        checks.images_fit(images, self.shape, name)
        return self.as_arrays(images)

    def as_arrays(self, images):
        """Images that are known to be good, as an array for the networks."""
        return ops.convert_to_numpy(self.to_network(images))
