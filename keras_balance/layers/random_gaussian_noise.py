"""Gaussian noise that knows the images' scale."""

import keras

from keras_balance.layers.base import ImageLayer
from keras_balance.utils.images import check_value_range


@keras.saving.register_keras_serializable(package="keras_balance")
class RandomGaussianNoise(ImageLayer):
    """Adds gaussian noise N(0, (factor * range)^2) and clips to `value_range`."""

    def __init__(
        self, factor=0.1, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor
        self.value_range = check_value_range(value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        low, high = self.value_range
        factors = self.factor
        if not isinstance(factors, (tuple, list)):
            factors = (factors, factors)
        seed = self._seed_generator(seed)
        images = data["images"] if isinstance(data, dict) else data
        shape = tuple(self.backend.shape(images))
        if len(shape) == 3:
            shape = (1, *shape)
        stddev = self.backend.random.uniform(
            (shape[0], 1, 1, 1),
            factors[0] * (high - low),
            factors[1] * (high - low),
            dtype=self.compute_dtype,
            seed=seed,
        )
        noise = self.backend.random.normal(shape, dtype=self.compute_dtype, seed=seed)
        return {"noise": noise * stddev}

    def transform_images(self, images, transformation, training=True):
        images = self.backend.cast(images, self.compute_dtype)
        if not training:
            return images
        return self.backend.numpy.clip(
            images + transformation["noise"], *self.value_range
        )

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        return segmentation_masks

    def get_config(self):
        return {
            **super().get_config(),
            "factor": self.factor,
            "value_range": self.value_range,
        }
