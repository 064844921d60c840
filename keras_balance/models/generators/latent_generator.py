"""A generator that decodes what it draws from class Gaussians."""

import keras

from keras_balance.models.generators.class_gaussians import ClassGaussians
from keras_balance.models.generators.class_generator import ClassGenerator
from keras_balance.utils.numbers import whole_number


class LatentGenerator(ClassGenerator):
    """Base of the generators with an encoder and a decoder.

    A subclass overrides `codes_of` and `decode`.

    Args:
        *arguments: Those of `ClassGenerator`.
        latent_dim: Length of the code.
        gaussians: A `ClassGaussians` of other settings than its defaults, or None.
        **kwargs: Those of `ClassGenerator`.
    """

    def __init__(self, *arguments, latent_dim, gaussians, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.latent_dim = whole_number("latent_dim", latent_dim, 1)
        self.gaussians = ClassGaussians() if gaussians is None else gaussians
        self.gaussians.make_weights(self.num_classes, self.latent_dim)

    def codes_of(self, images, labels, batch_size):
        """Codes `(n, latent_dim)` of images as the networks see them."""
        raise NotImplementedError

    def decode(self, codes, labels, batch_size):
        """Decode codes of class indices, to images as the networks see them."""
        raise NotImplementedError

    def fit_gaussians(self, images, labels, batch_size=256):
        """Fit the Gaussians to the codes of images that `fit` has read."""
        codes = self.codes_of(self.images.as_arrays(images), labels, batch_size)
        self.gaussians.fit(codes, labels)

    def draw(self, indices, generator, batch_size):
        """Draw one image for each class index, as the networks see it."""
        codes = self.gaussians.draw(indices, generator)
        return self.decode(codes, indices, batch_size)

    def get_config(self):
        """Config to rebuild the model from; weights apart."""
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "gaussians": keras.saving.serialize_keras_object(self.gaussians),
        }

    @classmethod
    def from_config(cls, config):
        """Rebuild from `get_config`."""
        gaussians = keras.saving.deserialize_keras_object(config["gaussians"])
        return super().from_config(config | {"gaussians": gaussians})
