"""What every layer here stands on: the base class of Keras' own image layers."""

import keras

from keras_balance.utils.seeds import check_seed

# Keras does not export this class and moves its file now and then, so it is
# reached through a layer that is exported. It gives `self.backend`, the
# operations that fit the place (TensorFlow's inside `tf.data`, whatever the
# backend), and takes the dicts apart. tests/layers/test_base.py fails when it
# changes its ways.
BaseImagePreprocessingLayer = keras.layers.RandomRotation.__base__


class ImageLayer(BaseImagePreprocessingLayer):
    """Random image layer with a seed, that leaves labels as they are.

    Args:
        data_format: As in Keras' image layers.
        seed: Integer (NumPy's included) or None.
        **kwargs: `bounding_box_format`, and the arguments of
            `keras.layers.Layer`.
    """

    _USE_BASE_FACTOR = False

    def __init__(self, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.seed = None if seed is None else check_seed(seed)
        self.generator = keras.random.SeedGenerator(self.seed)

    def __call__(self, data, **kwargs):
        if not isinstance(data, dict):
            return super().__call__(data, **kwargs)
        # Keras changes dicts in place, and inside tf.data casts the labels.
        data = keras.tree.map_structure(lambda entry: entry, data)
        aside = {"labels": data.pop("labels")} if "labels" in data else {}
        return {**super().__call__(data, **kwargs), **aside}

    def compute_output_shape(self, input_shape):
        """Shape of the images, which no layer here changes."""
        return input_shape

    def get_config(self):
        """Arguments of `__init__`."""
        return {**super().get_config(), "seed": self.seed}

    def _seed_generator(self, seed=None):
        return seed or self._get_seed_generator(self.backend.name)

    def _image_shape(self, data):
        """`(n, height, width)` of images, or of the images in a dict."""
        images = data["images"] if isinstance(data, dict) else data
        shape = tuple(self.backend.shape(images))
        if len(shape) == 3:
            shape = (1, *shape)
        first = self.data_format == "channels_first"
        return (shape[0], *(shape[2:] if first else shape[1:3]))
