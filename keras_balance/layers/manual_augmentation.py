"""The paper's manual augmentation: rotation, zoom and gaussian noise."""

import math

import keras

from keras_balance.layers.base import ImageLayer
from keras_balance.utils.images import check_value_range


@keras.saving.register_keras_serializable(package="keras_balance")
class ManualAugmentation(ImageLayer):
    """Rotates, zooms and adds gaussian noise, with a single resampling."""

    def __init__(
        self,
        rotation_factor=0.05,
        zoom_factor=0.1,
        noise_factor=0.05,
        value_range=(0, 255),
        fill_mode="constant",
        interpolation="bilinear",
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.rotation_factor = rotation_factor
        self.zoom_factor = zoom_factor
        self.noise_factor = noise_factor
        self.value_range = check_value_range(value_range)
        self.fill_mode = fill_mode
        self.interpolation = interpolation

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        ops = self.backend
        seed = self._seed_generator(seed)
        n, height, width = self._image_shape(data)
        images = data["images"] if isinstance(data, dict) else data
        shape = tuple(ops.shape(images))
        if len(shape) == 3:
            shape = (1, *shape)
        draw = ops.random.uniform((2, n), -1.0, 1.0, dtype="float32", seed=seed)
        angle = draw[0] * (2 * math.pi * self.rotation_factor)
        zoom = 1 + draw[1] * self.zoom_factor
        cos, sin = zoom * ops.numpy.cos(angle), zoom * ops.numpy.sin(angle)
        x = (ops.cast(width, "float32") - 1) / 2
        y = (ops.cast(height, "float32") - 1) / 2
        zero = ops.numpy.zeros_like(angle)
        matrix = ops.numpy.stack(
            [
                cos,
                -sin,
                x - x * cos + y * sin,
                sin,
                cos,
                y - x * sin - y * cos,
                zero,
                zero,
            ],
            axis=1,
        )
        low, high = self.value_range
        noise = ops.random.normal(
            shape,
            stddev=self.noise_factor * (high - low),
            dtype=self.compute_dtype,
            seed=seed,
        )
        return {"matrix": matrix, "noise": noise}

    def transform_images(self, images, transformation, training=True):
        images = self.backend.cast(images, self.compute_dtype)
        if not training:
            return images
        images = self.backend.image.affine_transform(
            images,
            transformation["matrix"],
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.value_range[0],
            data_format=self.data_format,
        )
        return self.backend.numpy.clip(
            images + transformation["noise"], *self.value_range
        )

    def get_config(self):
        return {
            **super().get_config(),
            "rotation_factor": self.rotation_factor,
            "zoom_factor": self.zoom_factor,
            "noise_factor": self.noise_factor,
            "value_range": self.value_range,
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
        }
