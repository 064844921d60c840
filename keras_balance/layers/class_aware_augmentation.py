"""Augmentation whose strength depends on the class."""

import keras
import numpy as np

from keras_balance.layers.base import ImageLayer


@keras.saving.register_keras_serializable(package="keras_balance")
class ClassAwareAugmentation(ImageLayer):
    """Augments an image of class c with probability `rates[c]`."""

    def __init__(self, layer, rates, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.layer = layer
        self.rates = rates

    def __call__(self, data, **kwargs):
        labels = data["labels"]
        images = super(ImageLayer, self).__call__(
            {"images": data["images"]}, labels=labels, **kwargs
        )
        return {**data, "images": images}

    def call(self, data, labels=None, training=True):
        ops = self.backend
        images = ops.cast(ops.convert_to_tensor(data["images"]), self.compute_dtype)
        if not training:
            return images
        is_dict = isinstance(self.rates, dict)
        items = list(self.rates.items() if is_dict else enumerate(self.rates))
        table = np.zeros(1 + max((int(c) for c, _ in items), default=0), "float32")
        for c, rate in items:
            table[int(c)] = rate
        labels = ops.convert_to_tensor(labels)
        if len(labels.shape) == 2 and labels.shape[1] > 1:
            labels = ops.numpy.argmax(labels, axis=1)
        labels = ops.cast(ops.numpy.reshape(labels, (-1,)), "int32")
        known = (labels >= 0) & (labels < len(table))
        rate = ops.numpy.take(
            ops.convert_to_tensor(table), ops.numpy.clip(labels, 0, len(table) - 1)
        )
        draw = ops.random.uniform(
            ops.shape(labels), dtype="float32", seed=self._seed_generator()
        )
        chosen = ops.numpy.reshape(known & (draw < rate), (-1, 1, 1, 1))
        return ops.numpy.where(chosen, self.layer(images, training=True), images)

    def get_config(self):
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
            "rates": self.rates,
        }

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
