"""The balancing GAN: a Keras model that learns to draw images of a rare class."""

from functools import partial

import keras
from keras import ops

from keras_balance.layers import ManualAugmentation
from keras_balance.models.generators.bagan import checks, networks, steps
from keras_balance.models.generators.bagan.drawing import Drawing
from keras_balance.models.training import feeding, gradients
from keras_balance.models.training.files import WholeFiles
from keras_balance.models.training.optimizers import PhaseOptimizers
from keras_balance.models.training.phases import Phases
from keras_balance.utils.images import check_images, check_value_range, rescale
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed

_NETWORK_RANGE = (-1.0, 1.0)
_AUTOENCODER_STEPS = 1500
_GAN_STEPS = 250


@keras.saving.register_keras_serializable(package="keras_balance")
class BAGAN(Drawing, WholeFiles, keras.Model):
    """Balancing GAN: learns from all classes to draw images of the rare ones.

    Phase 1 trains an autoencoder on all classes, which is how a rare class comes
    by the strokes and the styles of the frequent ones. Then a Gaussian is fitted to
    the codes of each class. Phase 2 goes on from the autoencoder's weights as a GAN
    whose discriminator tells the `num_classes` classes and "fake" apart. The
    checkpoint that is most useful to a classifier of the training images is kept,
    and the plain autoencoder is one of the candidates.

    It differs from the published BAGAN where that breaks down for a dozen images;
    `published_bagan` builds the published one. It trains under `tf.distribute`
    strategies and `keras.distribution.DataParallel`, with a `batch_size` that is a
    multiple of the devices.

    Args:
        image_shape: Shape of one image, `(height, width, channels)`, or channels
            first where `data_format` says so; any sides from 4 pixels on.
        num_classes: Number of classes, 2 or more.
        latent_dim: Length of the code.
        value_range: The `(low, high)` of the pixels, in and out.
        encoder: Optional `keras.Model` from `(height, width, channels)` in [-1, 1]
            to `(latent_dim,)`. The discriminator is a copy of it, with logits in
            place of its last layer.
        decoder: Optional `keras.Model` from `(latent_dim,)` to
            `(height, width, channels)` in [-1, 1].
        augmentation: A Keras layer applied to real images in phase 1, and to real
            and generated ones alike in phase 2 (Zhao et al. 2020), on images in
            [-1, 1]; None for none. `"auto"` is a slight rotation and zoom.
        code_noise: Standard deviation of the noise on the code in phase 1.
        code_penalty: Weight of the code's mean square in phase 1.
        label_weight: Weight of the loss of a classifier of the code in phase 1,
            which keeps the classes apart.
        shrinkage: `"auto"`, or a number in [0, 1]: how far the covariance of each
            class's codes is drawn to the one within all classes.
        widening: How much wider than its images a rare class is drawn: its variance
            grows by up to this factor and one, the rarer it is the more.
        truncation: Quantile of the real codes' distance beyond which none is
            drawn; None for no bound.
        tries: How often `generate` draws an image, at most, until the classifier of
            the code takes it for its class (rejection sampling). More than 1 raises
            precision and lowers recall; it needs a `label_weight`.
        fake_share: Weight of generated images in the discriminator's loss.
        anchor_weight: Weight of the reconstruction loss in phase 2, which holds
            the generator to the codes.
        ema_momentum: Momentum of the average of the generator's weights in phase 2.
        candidates: Number of checkpoints of phase 2 that are judged; 0 keeps the
            last one.
        balanced: Whether `fit` on arrays repeats images of rare classes.
        class_names: Optional sequence of the labels in class order, as they stand
            in `y`; 0, 1, ... when not given.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own by default.
        seed: Integer or None.

    Attributes:
        candidate_scores: dict of epoch to the usefulness of its checkpoint; the
            first is the plain autoencoder's.

    Raises:
        ValueError: For images too small, networks that do not fit, and numbers out
            of bounds.

    Example:
        >>> bagan = kb.models.BAGAN(image_shape=(28, 28, 1), num_classes=10, seed=1)
        >>> bagan.fit(x_train, y_train)
        >>> zeros = bagan.generate([0] * 100, seed=2)
        >>> model.fit(kb.BalancedDataset(x_train, y_train, synthesizer=bagan))

    Reference:
        Mariani et al. 2018, "BAGAN: Data Augmentation with Balancing GAN".
    """

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
        widening=1.2,
        truncation=0.95,
        tries=1,
        fake_share=0.5,
        anchor_weight=1.0,
        ema_momentum=0.99,
        candidates=3,
        balanced=True,
        class_names=None,
        data_format=None,
        seed=None,
        name="bagan",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.data_format = (
            keras.config.image_data_format() if data_format is None else data_format
        )
        self.image_shape = checks.image_shape(image_shape, self.data_format)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        self.latent_dim = whole_number("latent_dim", latent_dim, 1)
        self.value_range = check_value_range(value_range)
        self.augmentation = augmentation
        self.code_noise = checks.number("code_noise", code_noise)
        self.code_penalty = checks.number("code_penalty", code_penalty)
        self.label_weight = checks.number("label_weight", label_weight)
        self.shrinkage = (
            shrinkage
            if shrinkage == "auto"
            else checks.number("shrinkage", shrinkage, 1)
        )
        self.widening = checks.number("widening", widening)
        self.truncation = (
            None if truncation is None else checks.number("truncation", truncation, 1)
        )
        self.tries = whole_number("tries", tries, 1)
        self.fake_share = checks.number("fake_share", fake_share, 1)
        self.anchor_weight = checks.number("anchor_weight", anchor_weight)
        self.ema_momentum = checks.number("ema_momentum", ema_momentum, 1)
        self.candidates = whole_number("candidates", candidates, 0)
        self.balanced = bool(balanced)
        self.class_names = checks.class_names(class_names, self.num_classes)
        self.seed = seed
        self.root_seed = check_seed(seed)
        self.phase = "autoencoder"
        self.candidate_scores = {}
        self.latent_sample = None
        self.seeds = keras.random.SeedGenerator(self.root_seed)
        self.augment_layer = self._make_augmentation()
        self._build_networks(encoder, decoder)
        self.build_latent()
        self.trackers = {
            key: keras.metrics.Mean(key)
            for key in ("autoencoder_loss", "d_loss", "g_loss")
        }
        self.built = True

    def _make_augmentation(self):
        if self.augmentation != "auto":
            return self.augmentation
        return ManualAugmentation(
            rotation_factor=0.04,
            zoom_factor=0.1,
            noise_factor=0.0,
            value_range=_NETWORK_RANGE,
            fill_mode="nearest",
            data_format="channels_last",
            seed=self.root_seed,
            # TensorFlow has no gradient of its warp in bfloat16.
            dtype="float32",
        )

    def _build_networks(self, encoder, decoder):
        shape, seed, dimensions = self.network_shape, self.root_seed, self.latent_dim
        self.custom_networks = encoder is not None, decoder is not None
        self.encoder = encoder or networks.build_encoder(shape, dimensions, seed)
        self.decoder = decoder or networks.build_decoder(shape, dimensions, seed + 100)
        checks.network("encoder", self.encoder, shape, (dimensions,))
        checks.network("decoder", self.decoder, (dimensions,), shape)
        self.label_head = networks.build_label_head(
            dimensions, self.num_classes, seed + 200
        )
        self.discriminator = networks.build_discriminator(
            self.encoder, self.num_classes, seed + 300
        )
        # What `generate` uses, and the best checkpoint so far: never trained.
        self.generator = keras.models.clone_model(self.decoder)
        self.best = keras.models.clone_model(self.decoder)
        self.generator.trainable = self.best.trainable = False

    # Training.

    def compile(
        self,
        autoencoder_optimizer=None,
        discriminator_optimizer=None,
        generator_optimizer=None,
        **kwargs,
    ):
        """Choose the optimizers of the phases.

        Args:
            autoencoder_optimizer: Of encoder and decoder in phase 1; Adam by default.
            discriminator_optimizer: Of the discriminator in phase 2; Adam by default.
            generator_optimizer: Of the decoder in phase 2; Adam by default, at half
                the discriminator's rate (two time scales, Heusel et al. 2017).
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution` of
                `keras.Model.compile`.
        """
        adam = keras.optimizers.Adam
        optimizers = PhaseOptimizers(
            autoencoder_optimizer or adam(2e-3),
            discriminator_optimizer or adam(2e-4, beta_1=0.5),
            generator_optimizer or adam(1e-4, beta_1=0.5),
        )
        optimizers.build_phases(
            self.autoencoder_variables,
            self.discriminator.trainable_variables,
            self.decoder.trainable_variables,
        )
        super().compile(optimizer=optimizers, auto_scale_loss=False, **kwargs)

    def get_compile_config(self):
        """Config of the optimizers, for `compile_from_config`; None without them."""
        if not self.compiled:
            return None
        return {"optimizers": keras.optimizers.serialize(self.optimizer)}

    def compile_from_config(self, config):
        """Compile as the saved model was."""
        optimizers = keras.optimizers.deserialize(config["optimizers"])
        self.compile(
            optimizers.autoencoder, optimizers.discriminator, optimizers.generator
        )

    @property
    def autoencoder_variables(self):
        """What phase 1 trains: encoder, decoder and the classifier of the code."""
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
        """Train both phases, one after the other, in one run of epochs.

        Args:
            x: Images `(n, height, width, channels)` in `value_range`; or a data set
                of `(images, labels)` batches: a `PyDataset`, a `tf.data.Dataset` or a
                torch `DataLoader`. It is read once more before training, and its
                batches are taken as they come: balance them with `BalancedDataset`.
            y: Labels of an array: sparse, `(n, 1)` or one-hot. Each class has one
                image at least.
            epochs: Epochs of phase 2, 0 for none. By default as many as make
                250 steps.
            autoencoder_epochs: Epochs of phase 1. By default as many as make 1,500
                steps.
            batch_size: Images in a batch of an array.
            callbacks: Keras callbacks; they see both phases as one run, whose logs
                have `autoencoder_loss` in phase 1, and `d_loss`, `g_loss` and
                `diversity` in phase 2.
            verbose: As in `keras.Model.fit`.
            initial_epoch: Epoch of the whole run to begin at, to resume a training:
                see `kb.callbacks.ResumableBackup`.

        Returns:
            The `History` of the run.

        Raises:
            ValueError: For a class without images, labels or pixels that do not fit.
            FloatingPointError: When a loss is NaN or infinite; the weights are then
                those from before the epoch.
        """
        if not self.compiled:
            self.compile()
        options = self.label_options
        if y is not None:
            check_images(x)
            checks.images_fit(x, self.image_shape)
            data = feeding.array_feed(
                x, y, options, batch_size, self.balanced, self.root_seed
            )
            data.epoch = initial_epoch
            images, labels = feeding.sample_array(x, y, options, self.root_seed)
            batches = len(data)
        else:
            checks.is_data_set(x)
            data = x
            with feeding.first_epoch(x, initial_epoch):
                images, labels, batches = feeding.sample_batches(x, options)
            checks.images_fit(images, self.image_shape)
        feeding.check_scale(images, self.value_range)
        if autoencoder_epochs is None:
            autoencoder_epochs = max(1, round(_AUTOENCODER_STEPS / batches))
        if epochs is None:
            epochs = max(1, round(_GAN_STEPS / batches))
        phases = Phases(autoencoder_epochs, epochs, images, labels)
        return super().fit(
            data,
            epochs=autoencoder_epochs + epochs,
            initial_epoch=initial_epoch,
            callbacks=[phases, *(callbacks or [])],
            verbose=verbose,
            shuffle=False,
        )

    def enter(self, phase):
        """Make the next training steps those of `"autoencoder"` or `"gan"`."""
        self.optimizer.phase = phase
        if phase != self.phase:
            self.phase = phase
            # A step is traced for one phase, without a branch in it.
            self.train_function = None
            self.make_train_function()

    def get_training_state(self):
        """Give what of a training is not in variables, as plain data."""
        return {
            "seed": self.root_seed,
            "phase": self.phase,
            "candidate_scores": dict(self.candidate_scores),
        }

    def set_training_state(self, state):
        """Go on with a training from what `get_training_state` gave.

        Raises:
            ValueError: When it was that of another seed.
        """
        if state["seed"] != self.root_seed:
            raise ValueError(
                "To go on with a training, `seed` must be the one it began with, "
                f"{state['seed']}. Received: seed={self.seed}"
            )
        self.candidate_scores = dict(state["candidate_scores"])
        self.enter(state["phase"])

    def train_step(self, *arguments):
        """One step of the phase in progress; the arguments are the backend's."""
        step = {"autoencoder": steps.autoencoder_step, "gan": steps.gan_step}
        return gradients.run(self, partial(step[self.phase], self), arguments)

    # Use.

    def encode(self, images, batch_size=256):
        """Codes, float32 `(n, latent_dim)`, of images in `value_range`."""
        return networks.predict(self.encoder, self._check_and_scale(images), batch_size)

    def reconstruct(self, images, batch_size=256):
        """Pass images through encoder and generator; float32 in `value_range`."""
        codes = self.encode(images, batch_size)
        return self.to_user(networks.predict(self.generator, codes, batch_size))

    def discriminate(self, images, batch_size=256):
        """Class probabilities `(n, num_classes + 1)` of images; the last is "fake"."""
        logits = networks.predict(
            self.discriminator, self._check_and_scale(images), batch_size
        )
        return ops.convert_to_numpy(ops.softmax(logits))

    def call(self, images, training=None):
        """Reconstruct a batch of images in `value_range`."""
        codes = self.encoder(self.to_network(images), training=training)
        return self._from_network(self.decoder(codes, training=training))

    def _check_and_scale(self, images):
        check_images(images, "images")
        checks.images_fit(images, self.image_shape, "images")
        return ops.convert_to_numpy(self.to_network(images))

    # Between the images of the user and those of the networks.

    @property
    def network_shape(self):
        """Shape of an image in the networks, channels last."""
        if self.data_format == "channels_first":
            return (*self.image_shape[1:], self.image_shape[0])
        return self.image_shape

    def to_network(self, images):
        """Images in `value_range` as the networks want them: channels last, [-1, 1]."""
        images = rescale(ops.cast(images, "float32"), self.value_range, _NETWORK_RANGE)
        if self.data_format == "channels_first":
            images = ops.transpose(images, (0, 2, 3, 1))
        return images

    def _from_network(self, images):
        images = rescale(images, _NETWORK_RANGE, self.value_range)
        if self.data_format == "channels_first":
            images = ops.transpose(images, (0, 3, 1, 2))
        return images

    def to_user(self, images):
        """Images of the networks as NumPy arrays in `value_range`."""
        images = self._from_network(ops.convert_to_tensor(images))
        return ops.convert_to_numpy(ops.clip(images, *self.value_range))

    @property
    def label_options(self):
        """Arguments of `read_labels` that tell the classes."""
        if self.class_names is None:
            return {"num_classes": self.num_classes}
        return {"class_names": self.class_names}

    def get_config(self):
        """Config to rebuild the model from; weights apart."""
        own = (
            "image_shape num_classes latent_dim value_range code_noise code_penalty "
            "label_weight shrinkage widening truncation tries fake_share anchor_weight "
            "ema_momentum candidates balanced class_names data_format seed"
        )
        config = super().get_config() | {key: getattr(self, key) for key in own.split()}
        serialize = keras.saving.serialize_keras_object
        config["augmentation"] = serialize(self.augmentation)
        for key, is_custom in zip(
            ("encoder", "decoder"), self.custom_networks, strict=True
        ):
            config[key] = serialize(getattr(self, key)) if is_custom else None
        return config

    @classmethod
    def from_config(cls, config):
        """Rebuild from `get_config`."""
        deserialize = keras.saving.deserialize_keras_object
        objects = {
            key: deserialize(config[key])
            for key in ("encoder", "decoder", "augmentation")
        }
        return cls(**config | objects)
