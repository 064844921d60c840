"""The balancing GAN: a Keras model that learns to draw images of a rare class."""

import keras
import numpy as np
from keras import ops

from keras_balance.models.generators.bagan import networks, steps
from keras_balance.models.generators.bagan.rejection import draw_until_right
from keras_balance.models.generators.latent_generator import LatentGenerator
from keras_balance.models.training.weights import copy_weights, predict
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, random_generator


@keras.saving.register_keras_serializable(package="keras_balance")
class BAGAN(LatentGenerator):
    """Balancing GAN: learns from all classes to draw images of the rare ones.

    Phase 1 trains an autoencoder on all classes, which is how a rare class comes by
    the strokes of the frequent ones, and fits a Gaussian to the codes of each class.
    Phase 2 goes on from its weights as a GAN whose discriminator tells the
    `num_classes` classes and "fake" apart. The checkpoint that is most useful to a
    classifier of the training images is kept; the plain autoencoder is a candidate.

    It differs from the published BAGAN where that breaks down for a dozen images;
    `published_bagan` builds the published one. It trains under `tf.distribute`
    strategies and, of a `BalancedDataset`, `keras.distribution.DataParallel`, with a
    `batch_size` that is a multiple of the devices.

    Args:
        image_shape: Shape of one image, any sides from 4 pixels on.
        num_classes: Number of classes, 2 or more.
        latent_dim: Length of the code.
        value_range: The `(low, high)` of the pixels, in and out.
        encoder: Optional `keras.Model` from `(height, width, channels)` in [-1, 1]
            to `(latent_dim,)`. The discriminator is a copy of it, with logits in
            place of its last layer.
        decoder: Optional `keras.Model` from `(latent_dim,)` to
            `(height, width, channels)` in [-1, 1].
        augmentation: A Keras layer for images in [-1, 1], None, or `"auto"`, a slight
            rotation and zoom; in phase 2 for real and generated images alike (Zhao et
            al. 2020).
        gaussians: A `ClassGaussians` of other settings than its defaults.
        tries: How often `generate` draws an image, at most, until the code's classifier
            takes it for its class. More than 1 raises precision and lowers recall.
        candidates: Checkpoints of phase 2 that are judged; 0 keeps the last.
        balanced: Whether `fit` on arrays repeats images of rare classes.
        class_names: Optional sequence of the classes' names, in class order.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own for None.
        seed: Integer or None.

    Raises:
        ValueError: For images too small, and networks that do not fit.

    Example:
        >>> bagan = kb.models.BAGAN(image_shape=(28, 28, 1), num_classes=10, seed=1)
        >>> bagan.fit(x_train, y_train)
        >>> zeros = bagan.generate([0] * 100, seed=2)
        >>> model.fit(kb.BalancedDataset(x_train, y_train, synthesizer=bagan))

    Reference:
        Mariani et al. 2018, "BAGAN: Data Augmentation with Balancing GAN".
    """

    phases = steps.PHASES
    label_weight = 0.02  # until `compile` says otherwise

    def __init__(
        self,
        image_shape,
        num_classes,
        latent_dim=32,
        value_range=(0, 255),
        encoder=None,
        decoder=None,
        augmentation="auto",
        gaussians=None,
        tries=1,
        candidates=3,
        balanced=True,
        class_names=None,
        data_format=None,
        seed=None,
        name="bagan",
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
        self.tries = whole_number("tries", tries, 1)
        self.custom_networks = {
            "encoder": encoder is not None,
            "decoder": decoder is not None,
        }
        parts = networks.build_all(
            self.images.network_shape,
            self.latent_dim,
            self.num_classes,
            self.root_seed,
            encoder,
            decoder,
        )
        self.encoder, self.decoder, self.label_head, self.discriminator = parts
        # What `generate` uses: the decoder's moving average, never trained itself.
        self.generator = keras.models.clone_model(self.decoder)
        self.generator.trainable = False
        self.finish_building("autoencoder_loss", "d_loss", "g_loss")

    @property
    def trained_by(self):
        """Variables of each optimizer."""
        parts = (self.encoder, self.decoder, self.label_head)
        return {
            "autoencoder": [v for part in parts for v in part.trainable_variables],
            "discriminator": self.discriminator.trainable_variables,
            "generator": self.decoder.trainable_variables,
        }

    @property
    def served(self):
        """Variables of a checkpoint; the Gaussians stay in phase 2."""
        return self.generator.weights

    # Training.

    def compile(
        self,
        autoencoder_optimizer=None,
        discriminator_optimizer=None,
        generator_optimizer=None,
        code_noise=0.2,
        code_penalty=1e-3,
        label_weight=0.02,
        fake_share=0.5,
        anchor_weight=1.0,
        ema_momentum=0.99,
        **kwargs,
    ):
        """Choose the optimizers of the phases and the weights of the losses.

        Args:
            autoencoder_optimizer: Of encoder and decoder in phase 1; Adam by default.
            discriminator_optimizer: Of the discriminator in phase 2; Adam by default.
            generator_optimizer: Of the decoder in phase 2; Adam by default, at half
                the discriminator's rate (two time scales, Heusel et al. 2017).
            code_noise: Standard deviation of the noise on the code in phase 1.
            code_penalty: Weight of the code's mean square in phase 1.
            label_weight: Weight of the code's classifier, which parts the classes.
            fake_share: Weight of generated images in the discriminator's loss.
            anchor_weight: Weight of the reconstruction in phase 2.
            ema_momentum: Momentum of the average of the generator's weights.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        adam = keras.optimizers.Adam
        optimizers = {
            "autoencoder": autoencoder_optimizer or adam(2e-3),
            "discriminator": discriminator_optimizer or adam(2e-4, beta_1=0.5),
            "generator": generator_optimizer or adam(1e-4, beta_1=0.5),
        }
        weights = {
            "code_noise": code_noise,
            "code_penalty": code_penalty,
            "label_weight": label_weight,
            "anchor_weight": anchor_weight,
        }
        shares = {"fake_share": fake_share, "ema_momentum": ema_momentum}
        self.compile_phases(optimizers, weights, shares, **kwargs)

    def fit(self, x, y=None, *, epochs=None, autoencoder_epochs=None, **kwargs):
        """Train both phases, one after the other: see `ClassGenerator.fit`.

        Args:
            x: Images `(n, height, width, channels)`, or batches of images and labels.
            y: Labels of an array.
            epochs: Epochs of phase 2, 0 for none; by default about 250 steps. They
                log `d_loss`, `g_loss` and `diversity`.
            autoencoder_epochs: Epochs of phase 1; by default about 1,500 steps. They
                log `autoencoder_loss`.
            **kwargs: `batch_size`, `callbacks`, `verbose`, `initial_epoch`.
        """
        return super().fit(
            x, y, epochs=epochs, autoencoder_epochs=autoencoder_epochs, **kwargs
        )

    def begin_phase(self, phase, images, labels):
        """Phase 2 draws from the Gaussians, and begins with the encoder's weights."""
        if phase == "gan":
            self._settle_phase_1(images, labels)
            networks.inherit_trunk(self.discriminator, self.encoder)

    def settle(self, images, labels):
        """In phase 1 the Gaussians change with the codes; in phase 2 they stay."""
        if not self.has_trained("gan"):
            self._settle_phase_1(images, labels)

    def _settle_phase_1(self, images, labels):
        self.fit_gaussians(images, labels)
        copy_weights(self.decoder, self.generator)

    # Use.

    def draw(self, indices, generator, batch_size):
        """Draw images, again where the classifier of the code disagrees."""
        tries = self.tries if self.label_weight else 1
        return draw_until_right(
            lambda some: super(BAGAN, self).draw(some, generator, batch_size),
            lambda images: self._guess(images, batch_size).argmax(axis=1),
            indices,
            tries,
        )

    def codes_of(self, images, labels, batch_size):
        """Codes of images as the networks see them, whatever their labels."""
        return predict(self.encoder, images, batch_size)

    def decode(self, codes, labels, batch_size):
        """Decode by the moving average of the decoder."""
        return predict(self.generator, codes, batch_size)

    def _guess(self, images, batch_size):
        """Logits of the code's classifier, of images as the networks see them."""
        codes = predict(self.encoder, images, batch_size)
        return predict(self.label_head, codes, batch_size)

    def acceptance_rates(self, samples=200, seed=None):
        """Share of images, drawn once, that the code's classifier takes for right.

        What `generate` makes of a class is the less certain, the lower its rate is.

        Args:
            samples: Images of each class to draw.
            seed: Integer, or None for a fresh one.

        Returns:
            dict of label to a float in [0, 1].
        """
        self.check_fitted()
        self.settle_pending()
        samples = whole_number("samples", samples, 1)
        indices = np.repeat(np.arange(self.num_classes), samples)
        drawn = super().draw(indices, random_generator(check_seed(seed)), 256)
        hits = self._guess(drawn, 256).argmax(axis=1) == indices
        rates = hits.reshape(-1, samples).mean(axis=1).tolist()
        return dict(zip(self.class_names or range(len(rates)), rates, strict=True))

    def encode(self, images, batch_size=256):
        """Codes, float32 `(n, latent_dim)`, of images in `value_range`."""
        return predict(self.encoder, self.images.read(images), batch_size)

    def reconstruct(self, images, batch_size=256):
        """Pass images through encoder and generator; float32 in `value_range`."""
        codes = self.encode(images, batch_size)
        return self.images.to_user(predict(self.generator, codes, batch_size))

    def classify(self, images, batch_size=256):
        """Class probabilities `(n, num_classes)` of images, by their codes.

        Raises:
            RuntimeError: Before `fit`, and where `label_weight` is 0.
        """
        self.check_fitted()
        if not self.label_weight:
            raise RuntimeError(
                "The code's classifier learns where `label_weight` is above 0. "
                "Received: label_weight=0.0"
            )
        logits = self._guess(self.images.read(images), batch_size)
        return ops.convert_to_numpy(ops.softmax(logits))

    def discriminate(self, images, batch_size=256):
        """Class probabilities `(n, num_classes + 1)` of images; the last is "fake".

        Raises:
            RuntimeError: Before `fit`, and after `fit(epochs=0)`.
        """
        if not self.has_trained("gan"):
            raise RuntimeError(
                "The discriminator learns in phase 2: run `fit` with `epochs` above 0, "
                "or judge by `classify`. Received: a BAGAN without phase 2"
            )
        logits = predict(self.discriminator, self.images.read(images), batch_size)
        return ops.convert_to_numpy(ops.softmax(logits))

    def call(self, images, training=None):
        """Reconstruct a batch of images in `value_range`."""
        codes = self.encoder(self.images.to_network(images), training=training)
        return self.images.from_network(self.decoder(codes, training=training))

    def get_config(self):
        """Config to rebuild the model from; weights apart."""
        config = super().get_config() | {"tries": self.tries}
        serialize = keras.saving.serialize_keras_object
        for key, is_custom in self.custom_networks.items():
            config[key] = serialize(getattr(self, key)) if is_custom else None
        return config

    @classmethod
    def from_config(cls, config):
        """Rebuild from `get_config`."""
        deserialize = keras.saving.deserialize_keras_object
        objects = {key: deserialize(config[key]) for key in ("encoder", "decoder")}
        return super().from_config(config | objects)
