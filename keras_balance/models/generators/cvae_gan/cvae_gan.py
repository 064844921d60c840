"""CVAE-GAN: a variational autoencoder whose images must pass for real ones."""

import keras

from keras_balance.models.generators.cvae_gan import networks, steps
from keras_balance.models.generators.vae import VAE
from keras_balance.models.training.weights import copy_weights


@keras.saving.register_keras_serializable(package="keras_balance")
class CVAEGAN(VAE):
    """Class-conditional variational autoencoder with a discriminator and a classifier.

    Phase 1 trains the `VAE`, and the classifier on real images. Phase 2 goes on with
    all four networks of the published one: encoder and generator match each image in
    the features of the discriminator and of the classifier, and generated images match
    the means of these features. The published one does it all at once, from thousands
    of images a class.

    Args:
        image_shape: As of `VAE`, like the other arguments.
        num_classes: Number of classes, 2 or more.
        *arguments: Those of `VAE`.
        **kwargs: Those of `VAE`.

    Raises:
        ValueError: For images too small, and numbers out of bounds.

    Example:
        >>> generator = kb.models.CVAEGAN((28, 28, 1), num_classes=10, seed=1)
        >>> generator.fit(x_train, y_train)
        >>> zeros = generator.generate([0] * 100, seed=2)

    Reference:
        Bao et al. 2017, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric
        Training".
    """

    phases = steps.PHASES
    log_names = ("autoencoder_loss", "c_loss", "d_loss", "g_loss")

    def __init__(self, image_shape, num_classes, *arguments, name="cvae_gan", **kwargs):
        super().__init__(image_shape, num_classes, *arguments, name=name, **kwargs)

    def build_networks(self):
        """Build encoder and decoder, discriminator and classifier."""
        super().build_networks()
        shape, seed = self.images.network_shape, self.root_seed
        self.discriminator = networks.build_judge(shape, 1, seed + 200, "discriminator")
        self.classifier = networks.build_judge(
            shape, self.num_classes, seed + 300, "classifier"
        )
        # What `generate` uses: the decoder's moving average, never trained itself.
        self.generator = keras.models.clone_model(self.decoder)
        self.generator.trainable = False

    @property
    def drawn_by(self):
        """The network that draws."""
        return self.generator

    @property
    def trained_by(self):
        """Variables of each optimizer."""
        return {
            "classifier": self.classifier.trainable_variables,
            **super().trained_by,
            "discriminator": self.discriminator.trainable_variables,
            "generator": super().trained_by["autoencoder"],
        }

    @property
    def served(self):
        """Variables of a checkpoint."""
        parts = (self.encoder, self.generator, self.gaussians)
        return [variable for part in parts for variable in part.weights]

    def compile(
        self,
        autoencoder_optimizer=None,
        classifier_optimizer=None,
        discriminator_optimizer=None,
        generator_optimizer=None,
        kl_weight=1.0,
        divergence_weight=0.03,
        matching_weight=1.0,
        ema_momentum=0.99,
        **kwargs,
    ):
        """Choose the optimizers of the phases and the weights of the losses.

        Args:
            autoencoder_optimizer: Of encoder and decoder in phase 1; Adam by default.
            classifier_optimizer: Of the classifier in both phases; Adam by default.
            discriminator_optimizer: Of the discriminator in phase 2; Adam by default.
            generator_optimizer: Of encoder and decoder in phase 2; Adam by default.
            kl_weight: Weight of the KL divergence in phase 1.
            divergence_weight: Weight of the KL divergence in phase 2, a number of the
                code.
            matching_weight: Weight of the matching of mean features in phase 2.
            ema_momentum: Momentum of the average of the generator's weights.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        adam = keras.optimizers.Adam
        optimizers = {
            "autoencoder": autoencoder_optimizer or adam(1e-3),
            "classifier": classifier_optimizer or adam(1e-3),
            "discriminator": discriminator_optimizer or adam(2e-4, beta_1=0.5),
            "generator": generator_optimizer or adam(2e-4, beta_1=0.5),
        }
        weights = {
            "kl_weight": kl_weight,
            "divergence_weight": divergence_weight,
            "matching_weight": matching_weight,
        }
        self.compile_phases(
            optimizers, weights, {"ema_momentum": ema_momentum}, **kwargs
        )

    def begin_phase(self, phase, images, labels):
        """Phase 2 begins with the decoder of phase 1, and averages from there on."""
        if phase == "gan":
            self.settle(images, labels)
            copy_weights(self.decoder, self.generator)

    def settle(self, images, labels):
        """Fit the Gaussians to the codes, and in phase 1 serve the decoder."""
        super().settle(images, labels)
        if not self.has_trained("gan"):
            copy_weights(self.decoder, self.generator)
