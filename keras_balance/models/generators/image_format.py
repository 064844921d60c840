"""Between the images of the user and those of the networks."""

import keras
from keras import ops

from keras_balance.models.generators import checks
from keras_balance.utils.images import check_images, check_value_range, rescale

NETWORK_RANGE = (-1.0, 1.0)


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
        return ops.convert_to_numpy(self.to_network(images))
