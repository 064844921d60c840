"""The class-conditional variational autoencoder: a Keras model that draws images."""

import keras
import numpy as np
from keras import ops

from keras_balance.models.generators import networks
from keras_balance.models.generators.latent_generator import LatentGenerator
from keras_balance.models.generators.variational import (
    LOG_BOUND,
    kl_divergence,
    negative_log_likelihood,
    posterior,
    sample,
)
from keras_balance.models.training.phases import Phase
from keras_balance.models.training.weights import predict
from keras_balance.utils.images import check_same_length
from keras_balance.utils.seeds import derive_seed, random_generator


def autoencoder_step(vae, data):
    """Maximise the evidence lower bound given the class: Sohn et al. 2015."""
    images, labels = vae.read_batch(data)
    images, classes = vae.augment(images), vae.one_hot(labels)
    noise = vae.noise(images, vae.latent_dim)

    def loss_function():
        means, log_variances = vae.posterior(images, classes, training=True)
        codes = sample(means, log_variances, noise)
        reconstructions = vae.decoder(vae.join(codes, classes), training=True)
        error = ops.mean(ops.square(images - reconstructions))
        loss = negative_log_likelihood(error, np.prod(images.shape[1:]))
        return loss + vae.kl_weight * kl_divergence(means, log_variances)

    return vae.track(autoencoder_loss=vae.minimize("autoencoder", loss_function))


@keras.saving.register_keras_serializable(package="keras_balance")
class VAE(LatentGenerator):
    """Variational autoencoder whose encoder and decoder are given the class.

    Its images are smooth and vary little; it trains fast and does not collapse. The
    published one draws codes from N(0, 1) whatever the class. This one draws them from
    Gaussians fitted to the codes of each class, since those of a dozen images lie where
    they lie; a rare class borrows the spread of the others.

    Args:
        image_shape: Shape of one image, any sides from 4 pixels on.
        num_classes: Number of classes, 2 or more.
        latent_dim: Length of the code.
        value_range: The `(low, high)` of the pixels, in and out.
        augmentation: As of `BAGAN`, like the other arguments.
        gaussians: A `ClassGaussians` of other settings than its defaults.

    Raises:
        ValueError: For images too small, and numbers out of bounds.

    Example:
        >>> vae = kb.models.VAE(image_shape=(28, 28, 1), num_classes=10, seed=1)
        >>> vae.fit(x_train, y_train)
        >>> zeros = vae.generate([0] * 100, seed=2)

    Reference:
        - Kingma and Welling 2014, "Auto-Encoding Variational Bayes".
        - Sohn et al. 2015, "Learning Structured Output Representation using Deep
          Conditional Generative Models".
    """

    phases = (Phase("autoencoder", autoencoder_step, ("autoencoder",), steps=1500),)

    def __init__(
        self,
        image_shape,
        num_classes,
        latent_dim=32,
        value_range=(0, 255),
        augmentation="auto",
        gaussians=None,
        candidates=3,
        balanced=True,
        class_names=None,
        data_format=None,
        seed=None,
        name="vae",
        **kwargs,
    ):
        super().__init__(
            image_shape,
            num_classes,
            value_range,
            augmentation,
            candidates,
            balanced,
            class_names,
            data_format,
            seed,
            latent_dim=latent_dim,
            gaussians=gaussians,
            name=name,
            **kwargs,
        )
        self.build_networks()
        self.finish_building(*self.log_names)

    log_names = ("autoencoder_loss",)

    def build_networks(self):
        """Build encoder and decoder, both with the class beside their input."""
        shape, classes = self.images.network_shape, self.num_classes
        self.encoder = networks.build_conditional_encoder(
            shape, classes, 2 * self.latent_dim, self.root_seed
        )
        self.decoder = networks.build_decoder(
            shape, self.latent_dim + classes, self.root_seed + 100
        )

    @property
    def trained_by(self):
        """Variables of each optimizer."""
        parts = (self.encoder, self.decoder)
        return {"autoencoder": [v for part in parts for v in part.trainable_variables]}

    @property
    def served(self):
        """Variables of a checkpoint."""
        parts = (self.encoder, self.decoder, self.gaussians)
        return [variable for part in parts for variable in part.weights]

    def compile(self, autoencoder_optimizer=None, kl_weight=1.0, **kwargs):
        """Choose the optimizer and the weight of the KL divergence.

        Args:
            autoencoder_optimizer: Of encoder and decoder; Adam by default.
            kl_weight: Weight of the KL divergence; 1 is the evidence lower bound.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        optimizer = autoencoder_optimizer or keras.optimizers.Adam(1e-3)
        self.compile_phases(
            {"autoencoder": optimizer}, {"kl_weight": kl_weight}, **kwargs
        )

    def settle(self, images, labels):
        """Fit the Gaussians to the codes."""
        self.fit_gaussians(images, labels)

    # Networks, with the class beside their input.

    def one_hot(self, labels):
        """Float32 one-hot rows of class indices, as a tensor."""
        return ops.one_hot(labels, self.num_classes, dtype="float32")

    def join(self, codes, classes):
        """Codes and one-hot classes, side by side."""
        return ops.concatenate([codes, classes], axis=1)

    def posterior(self, images, classes, training=False):
        """Means and log variances of the codes, `(n, latent_dim)` each, as tensors."""
        return posterior(self.encoder([images, classes], training=training))

    def codes_of(self, images, labels, batch_size):
        """Codes drawn from the posterior, always the same."""
        outputs = self._encode(images, labels, batch_size)
        means, log_variances = np.split(outputs, 2, axis=1)
        seed = derive_seed(self.root_seed, len(images))
        noise = random_generator(seed).standard_normal(means.shape)
        deviations = np.exp(0.5 * np.clip(log_variances, -LOG_BOUND, LOG_BOUND))
        return (means + deviations * noise).astype("float32")

    def decode(self, codes, labels, batch_size):
        """Decode codes of class indices."""
        classes = np.eye(self.num_classes, dtype="float32")[labels]
        joined = np.concatenate([codes, classes], axis=1)
        return predict(self.drawn_by, joined, batch_size)

    @property
    def drawn_by(self):
        """The network that draws."""
        return self.decoder

    def _encode(self, images, labels, batch_size):
        classes = np.eye(self.num_classes, dtype="float32")[labels]
        return predict(self.encoder, [images, classes], batch_size)

    # Use.

    def encode(self, images, labels, batch_size=256):
        """Means of the codes, float32 `(n, latent_dim)`, of images and their labels."""
        indices, _ = self.read_labels(labels, name="labels")
        check_same_length(images, indices, ("images", "labels"))
        outputs = self._encode(self.images.read(images), indices, batch_size)
        return outputs[:, : self.latent_dim]

    def reconstruct(self, images, labels, batch_size=256):
        """Pass images through encoder and decoder; float32 in `value_range`."""
        indices, _ = self.read_labels(labels, name="labels")
        codes = self.encode(images, labels, batch_size)
        return self.images.to_user(self.decode(codes, indices, batch_size))
