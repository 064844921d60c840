"""The balancing GAN: a Keras model that learns to draw images of a rare class."""

import keras
import numpy as np
from keras import ops

from keras_balance.layers import ManualAugmentation
from keras_balance.models.bagan import gradients, latent, losses, networks
from keras_balance.models.bagan.feeding import real_sample, training_data
from keras_balance.models.bagan.optimizers import PhaseOptimizers
from keras_balance.models.bagan.phases import Phases
from keras_balance.utils.images import check_images, check_value_range, rescale
from keras_balance.utils.labels import read_labels
from keras_balance.utils.seeds import check_seed, derive_seed, random_generator

_NETWORK_RANGE = (-1.0, 1.0)


@keras.saving.register_keras_serializable(package="keras_balance")
class BAGAN(keras.Model):
    def __init__(
        self,
        image_shape,
        num_classes,
        latent_dim=32,
        value_range=(0, 255),
        encoder=None,
        decoder=None,
        augmentation="auto",
        code_noise=0.2,
        code_penalty=1e-3,
        label_weight=0.02,
        shrinkage="auto",
        truncation=0.95,
        fake_share=0.5,
        anchor_weight=1.0,
        ema_momentum=0.99,
        candidates=3,
        balanced=True,
        class_names=None,
        seed=None,
        name="bagan",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes
        self.latent_dim = latent_dim
        self.value_range = check_value_range(value_range)
        self.code_noise = code_noise
        self.code_penalty = code_penalty
        self.label_weight = label_weight
        self.shrinkage = shrinkage
        self.truncation = truncation
        self.fake_share = fake_share
        self.anchor_weight = anchor_weight
        self.ema_momentum = ema_momentum
        self.candidates = candidates
        self.balanced = balanced
        self.class_names = class_names
        self.seed = seed
        self._root_seed = check_seed(seed)
        self._seeds = keras.random.SeedGenerator(self._root_seed)
        self._build_networks(encoder, decoder)
        self._build_latent()
        if augmentation == "auto":
            augmentation = ManualAugmentation(
                rotation_factor=0.04,
                zoom_factor=0.1,
                noise_factor=0.0,
                value_range=_NETWORK_RANGE,
                fill_mode="nearest",
                data_format="channels_last",
                seed=self._root_seed,
            )
        self.augmentation = augmentation
        self.trackers = {
            name: keras.metrics.Mean(name)
            for name in ("autoencoder_loss", "reconstruction_loss", "d_loss", "g_loss")
        }
        self.phase = "autoencoder"
        self.built = True

    def _build_networks(self, encoder, decoder):
        shape, seed = self._network_shape, self._root_seed
        self.encoder = encoder or networks.build_encoder(shape, self.latent_dim, seed)
        self.decoder = decoder or networks.build_decoder(
            shape, self.latent_dim, seed + 100
        )
        self.label_head = networks.build_label_head(
            self.latent_dim, self.num_classes, seed + 200
        )
        self.discriminator = networks.build_discriminator(
            self.encoder, self.num_classes, seed + 300
        )
        # What `generate` uses, and the best checkpoint so far: never trained.
        self.generator = keras.models.clone_model(self.decoder)
        self.best = keras.models.clone_model(self.decoder)
        self.generator.trainable = self.best.trainable = False

    def _build_latent(self):
        def weight(name, *shape):
            return self.add_weight(
                name=name, shape=shape, initializer="zeros", trainable=False,
                dtype="float32",
            )

        classes, dimensions = self.num_classes, self.latent_dim
        self.means = weight("means", classes, dimensions)
        self.factors = weight("factors", classes, dimensions, dimensions)
        self.radius = weight("radius")
        self.best_score = weight("best_score")

    @property
    def _network_shape(self):
        return self.image_shape

    # Training

    def compile(
        self,
        autoencoder_optimizer=None,
        discriminator_optimizer=None,
        generator_optimizer=None,
        **kwargs,
    ):
        """Choose the optimizers: Adam in all three places when not given."""
        adam = keras.optimizers.Adam
        optimizers = PhaseOptimizers(
            autoencoder_optimizer or adam(2e-3),
            discriminator_optimizer or adam(2e-4, beta_1=0.5),
            generator_optimizer or adam(1e-4, beta_1=0.5),
        )
        optimizers.build_phases(
            self._autoencoder_variables,
            self.discriminator.trainable_variables,
            self.decoder.trainable_variables,
        )
        super().compile(optimizer=optimizers, auto_scale_loss=False, **kwargs)

    @property
    def _autoencoder_variables(self):
        parts = (self.encoder, self.decoder, self.label_head)
        return [variable for part in parts for variable in part.trainable_variables]

    def fit(
        self,
        x,
        y=None,
        *,
        epochs=None,
        autoencoder_epochs=None,
        batch_size=64,
        callbacks=None,
        verbose="auto",
        initial_epoch=0,
    ):
        if not self.compiled:
            self.compile()
        data, steps = training_data(self, x, y, batch_size)
        sample = real_sample(self, x, y)
        if autoencoder_epochs is None:
            autoencoder_epochs = max(1, round(1500 / steps))
        if epochs is None:
            epochs = max(1, round(600 / steps))
        phases = Phases(autoencoder_epochs, epochs, sample)
        return super().fit(
            data,
            epochs=autoencoder_epochs + epochs,
            initial_epoch=initial_epoch,
            callbacks=[phases, *(callbacks or [])],
            verbose=verbose,
            shuffle=False,
        )

    def enter(self, phase):
        """Make the next training step that of `"autoencoder"` or `"gan"`."""
        optimizers = self.optimizer
        if phase == "autoencoder":
            optimizers.active = (optimizers.autoencoder,)
        else:
            optimizers.active = (optimizers.discriminator, optimizers.generator)
        if phase != self.phase:
            self.phase = phase
            # The step is traced once a phase, without a branch in it.
            self.train_function = None
            self.make_train_function()

    def train_step(self, *arguments):
        """One step of the phase in progress; the arguments are the backend's."""
        step = {"autoencoder": self._autoencoder_step, "gan": self._gan_step}
        return gradients.run(self, step[self.phase], arguments)

    def _autoencoder_step(self, data):
        images, labels = self._real_batch(data)
        images = self._augment(images)
        noise = keras.random.normal(
            (ops.shape(images)[0], self.latent_dim), stddev=self.code_noise,
            seed=self._seeds,
        )
        values = {}

        def loss_function():
            codes = self.encoder(images, training=True)
            reconstructions = self.decoder(codes + noise, training=True)
            reconstruction = losses.reconstruction_loss(images, reconstructions)
            label = losses.classification_loss(
                labels, self.label_head(codes, training=True)
            )
            penalty = ops.mean(ops.square(codes))
            return (
                reconstruction
                + self.label_weight * label
                + self.code_penalty * penalty
            )

        loss = gradients.minimize(
            self, loss_function, self.optimizer.autoencoder, self._autoencoder_variables
        )
        return self._track(autoencoder_loss=loss)

    def _gan_step(self, data):
        images, labels = self._real_batch(data)
        count = ops.shape(images)[0]
        wanted = keras.random.randint(
            (count,), 0, self.num_classes, seed=self._seeds, dtype="int32"
        )
        codes = self._sample_codes(wanted)
        fakes = ops.stop_gradient(self.decoder(codes, training=True))
        real_views, fake_views = self._augment(images), self._augment(fakes)

        def discriminator_loss():
            return losses.discriminator_loss(
                labels,
                self.discriminator(real_views, training=True),
                self.discriminator(fake_views, training=True),
                self.fake_share,
            )

        def generator_loss():
            views = self._augment(self.decoder(codes, training=True))
            adversarial = losses.generator_loss(
                wanted, self.discriminator(views, training=True)
            )
            if not self.anchor_weight:
                return adversarial
            anchor = losses.reconstruction_loss(
                images, self.decoder(self.encoder(images), training=True)
            )
            return adversarial + self.anchor_weight * anchor

        d_loss = gradients.minimize(
            self,
            discriminator_loss,
            self.optimizer.discriminator,
            self.discriminator.trainable_variables,
        )
        g_loss = gradients.minimize(
            self,
            generator_loss,
            self.optimizer.generator,
            self.decoder.trainable_variables,
        )
        for average, weight in zip(
            self.generator.variables, self.decoder.variables, strict=True
        ):
            average.assign(
                self.ema_momentum * average + (1 - self.ema_momentum) * weight
            )
        return self._track(d_loss=d_loss, g_loss=g_loss)

    def _real_batch(self, data):
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if len(labels.shape) == 2 and labels.shape[1] == self.num_classes:
            labels = ops.argmax(labels, axis=1)
        labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
        return self._to_network(images), labels

    def _augment(self, images):
        if self.augmentation is None:
            return images
        return self.augmentation(images, training=True)

    def _sample_codes(self, labels):
        noise = keras.random.normal(
            (ops.shape(labels)[0], self.latent_dim), seed=self._seeds
        )
        distance = ops.norm(noise, axis=1, keepdims=True)
        noise = noise * ops.minimum(1.0, self.radius / distance)
        factors = ops.take(self.factors, labels, axis=0)
        return ops.take(self.means, labels, axis=0) + ops.einsum(
            "nij,nj->ni", factors, noise
        )

    def _track(self, **values):
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {name: self.trackers[name].result() for name in values}

    def _to_network(self, images):
        return rescale(
            ops.cast(images, "float32"), self.value_range, _NETWORK_RANGE
        )

    def fit_latent(self, images, labels):
        """Fit the class Gaussians, and generate with the decoder as it is now."""
        codes = self.encode(images)
        means, factors = latent.fit_class_gaussians(
            codes, labels, self.num_classes, self.shrinkage
        )
        radius = latent.typical_radius(codes, labels, means, factors, self.truncation)
        self.means.assign(means)
        self.factors.assign(factors)
        self.radius.assign(radius)
        self.generator.set_weights(self.decoder.get_weights())

    # Use

    def generate(self, labels, seed=None, batch_size=256):
        indices, _ = read_labels(
            labels,
            num_classes=None if self.class_names else self.num_classes,
            class_names=self.class_names,
            name="labels",
        )
        if not float(self.radius):
            raise RuntimeError(
                "A BAGAN generates after `fit`, or from the end of its first epoch on."
            )
        codes = latent.sample_class_gaussians(
            ops.convert_to_numpy(self.means),
            ops.convert_to_numpy(self.factors),
            indices,
            float(self.radius),
            random_generator(check_seed(seed)),
        )
        return self._to_images(_in_batches(self.generator, codes, batch_size))

    def encode(self, images, batch_size=256):
        """Codes `(n, latent_dim)` of images in `value_range`."""
        check_images(images, "images")
        images = rescale(
            np.asarray(images, dtype="float32"), self.value_range, _NETWORK_RANGE
        )
        return _in_batches(self.encoder, images, batch_size)

    def reconstruct(self, images, batch_size=256):
        """The images after encoder and generator, float32 in `value_range`."""
        codes = self.encode(images, batch_size)
        return self._to_images(_in_batches(self.generator, codes, batch_size))

    def discriminate(self, images, batch_size=256):
        """Probabilities `(n, num_classes + 1)`; the last one is "fake"."""
        check_images(images, "images")
        images = rescale(
            np.asarray(images, dtype="float32"), self.value_range, _NETWORK_RANGE
        )
        logits = _in_batches(self.discriminator, images, batch_size)
        return ops.convert_to_numpy(ops.softmax(logits))

    def call(self, images, training=None):
        """Reconstruct images in `value_range`."""
        codes = self.encoder(self._to_network(images), training=training)
        images = self.decoder(codes, training=training)
        return rescale(images, _NETWORK_RANGE, self.value_range)

    def _to_images(self, outputs):
        return rescale(outputs, _NETWORK_RANGE, self.value_range).astype("float32")


def _in_batches(network, inputs, batch_size):
    """Run a network over an array in batches of one shape, so it compiles once."""
    padding = -len(inputs) % batch_size
    padded = np.concatenate([inputs, np.zeros((padding, *inputs.shape[1:]), "float32")])
    return network.predict(padded, batch_size=batch_size, verbose=0)[: len(inputs)]
