"""Gaussian noise that knows the images' scale."""

import keras

from keras_balance.layers.base import ImageLayer
from keras_balance.layers.factors import check_factor, scaled
from keras_balance.layers.noise import gaussian_noise
from keras_balance.utils.images import check_value_range


@keras.saving.register_keras_serializable(package="keras_balance")
class RandomGaussianNoise(ImageLayer):
    """Adds gaussian noise N(0, (factor * range)^2) during training.

    `range` is the length of `value_range`, so that the same factor is the same
    strength for pixels in 0..255 and in 0..1. Results are clipped to
    `value_range`. It is used like Keras' own image layers: inside a model, on
    arrays, or in `tf.data` on every backend. With `training=False` images stay
    as they are. Labels, bounding boxes and segmentation masks always do.

    Input shape:
        `(n, height, width, channels)` or `(height, width, channels)`, channels
        first where `data_format` says so; or a dict with such `"images"`. Any
        dtype.

    Output shape:
        The same shape, in the layer's compute dtype.

    Args:
        factor: Number in [0, 1], or a pair `(lower, upper)` from which one is
            drawn uniformly per image.
        value_range: `(low, high)`, the limits of pixel values.
        data_format: `"channels_last"` or `"channels_first"`; by default the one
            of the Keras configuration.
        seed: Integer or None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        ValueError: For a factor outside [0, 1] or a reversed pair or range.
        TypeError: For a factor that is no number, or a seed that is no integer.

    Example:
        >>> import numpy as np
        >>> images = np.full((2, 28, 28, 1), 100, "uint8")
        >>> noisy = RandomGaussianNoise(factor=0.1, seed=0)(images)
        >>> noisy.shape
        TensorShape([2, 28, 28, 1])
    """

    def __init__(
        self, factor=0.1, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = check_factor(factor, "factor", 0, 1)
        self.value_range = check_value_range(value_range)
        self._compute_in_float32_beyond(self.value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw the `"noise"` to add, channels last."""
        shape = self._image_shape(data)
        if not training:
            return None
        low, high = self.value_range
        stddev = scaled(self.factor, high - low)
        seed = self._seed(seed)
        noise = gaussian_noise(self.backend, shape, stddev, self._float_dtype, seed)
        return {"noise": noise}

    def transform_images(self, images, transformation, training=True):
        """Images with the noise added, clipped."""
        if not training:
            return self.backend.cast(images, self.compute_dtype)
        images = self.backend.cast(images, self._float_dtype)
        noise = self._in_data_format(transformation["noise"])
        noisy = self.backend.numpy.clip(images + noise, *self.value_range)
        return self._in_compute_dtype(noisy)

    def get_config(self):
        """Arguments of `__init__`."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "value_range": self.value_range,
        }
