"""The data augmentation GAN: it makes of a real image another one of its class."""

import keras
import numpy as np

from keras_balance.data import LabelledImages
from keras_balance.models.generators.class_generator import ClassGenerator
from keras_balance.models.generators.dagan import networks, steps
from keras_balance.models.training.feeding import PairedBatches, check_scale
from keras_balance.models.training.weights import copy_weights, predict
from keras_balance.utils.images import check_images
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, random_generator


@keras.saving.register_keras_serializable(package="keras_balance")
class DAGAN(ClassGenerator):
    """Data augmentation GAN: makes of a real image another one of its class.

    It never sees a label: what it learns is how images of a class differ, and it does
    the same to images of classes that it was not trained on. So train it on many
    classes, and give `generate` the few images of new ones.

    It draws nothing: it moves the pixels of the image that it starts from, so that a
    character or a piece of clothes stays what it is, as far as one can be bent into
    another of its class. Phase 1 learns that from pairs, as a variational autoencoder
    of one image given another; phase 2 goes on as the GAN. What it is after phase 1 is
    a candidate, and is kept where the GAN does not get more useful. The published
    generator draws every pixel and takes a day on a GPU.

    Args:
        image_shape: Shape of one image, any sides from 4 pixels on.
        num_classes: Number of classes in training, 2 or more.
        noise_dim: Length of the noise.
        examples: Real images of each class that are kept with the model: those that
            `generate` starts from where it is given none.
        value_range: The `(low, high)` of the pixels, in and out.
        augmentation: As of `BAGAN`, like the other arguments; it is applied to real
            and generated images alike before the critic sees them, and to none in
            phase 1, which would learn it.

    Raises:
        ValueError: For images too small, and numbers out of bounds.

    Example:
        >>> dagan = kb.models.DAGAN((28, 28, 1), num_classes=10, seed=1)
        >>> dagan.fit(x_train, y_train)
        >>> more = dagan.generate(["a", "b"], seed=2, images=(x_new, y_new))

    Reference:
        - Antoniou et al. 2018, "Data Augmentation Generative Adversarial Networks".
        - Sohn et al. 2015, "Learning Structured Output Representation using Deep
          Conditional Generative Models": phase 1.
        - Hauberg et al. 2016, "Dreaming More Data: Class-dependent Distributions over
          Diffeomorphisms for Learned Data Augmentation": moves learned from pairs.
        - Jaderberg et al. 2015, "Spatial Transformer Networks": how pixels are moved.
    """

    phases = steps.PHASES

    def __init__(
        self,
        image_shape,
        num_classes,
        noise_dim=16,
        examples=20,
        value_range=(0, 255),
        augmentation="auto",
        candidates=3,
        balanced=True,
        class_names=None,
        data_format=None,
        seed=None,
        name="dagan",
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
            name=name,
            **kwargs,
        )
        self.noise_dim = whole_number("noise_dim", noise_dim, 1)
        self.examples = whole_number("examples", examples, 1)
        shape = self.images.network_shape
        self.trained = networks.build_generator(shape, self.noise_dim, self.root_seed)
        self.reader = networks.build_reader(shape, self.noise_dim, self.root_seed + 200)
        self.critic = networks.build_critic(shape, self.root_seed + 100)
        # What `generate` uses: the moving average, never trained itself.
        self.generator = keras.models.clone_model(self.trained)
        self.generator.trainable = False
        self.kept = self._weight("kept", (self.num_classes, self.examples, *shape))
        self.kept_counts = self._weight("kept_counts", (self.num_classes,))
        self.finish_building("autoencoder_loss", "d_loss", "g_loss")

    def _weight(self, name, shape):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer="zeros",
            trainable=False,
            dtype="float32",
        )

    @property
    def trained_by(self):
        """Variables of each optimizer."""
        generator = self.trained.trainable_variables
        return {
            "autoencoder": [*generator, *self.reader.trainable_variables],
            "critic": self.critic.trainable_variables,
            "generator": generator,
        }

    @property
    def served(self):
        """Variables of a checkpoint."""
        return self.generator.weights

    def compile(
        self,
        autoencoder_optimizer=None,
        critic_optimizer=None,
        generator_optimizer=None,
        kl_weight=20.0,
        penalty_weight=10.0,
        ema_momentum=0.99,
        critic_steps=1,
        **kwargs,
    ):
        """Choose the optimizers, and the weights of the losses.

        Args:
            autoencoder_optimizer: Of the generator and the network that reads pairs,
                in phase 1; Adam by default.
            critic_optimizer: Of the critic; Adam by default.
            generator_optimizer: Of the generator in phase 2; Adam by default.
            kl_weight: Weight of the KL divergence in phase 1: the higher, the less is
                moved, and the less depends on which pairs were seen.
            penalty_weight: Weight of the gradient penalty.
            ema_momentum: Momentum of the average of the generator's weights.
            critic_steps: Steps of the critic to one of the generator; 5 as published.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        adam = keras.optimizers.Adam
        optimizers = {
            "autoencoder": autoencoder_optimizer or adam(1e-3, clipnorm=5.0),
            "critic": critic_optimizer or adam(4e-4, beta_1=0.0, beta_2=0.9),
            "generator": generator_optimizer or adam(2e-4, beta_1=0.0, beta_2=0.9),
        }
        self.compile_phases(
            optimizers,
            {"kl_weight": kl_weight, "penalty_weight": penalty_weight},
            {"ema_momentum": ema_momentum},
            {"critic_steps": critic_steps},
            **kwargs,
        )

    # Training.

    def feed(self, data, images):
        """Give each image of a batch another one of its class."""
        return PairedBatches(data, images, self.root_seed)

    def begin_phase(self, phase, images, labels):
        """Keep half of the real images, so that the others can judge."""
        self._keep(images, labels, self._chosen(labels, half=True))
        copy_weights(self.trained, self.generator)

    def settle(self, images, labels):
        """In phase 1 serve the generator as it is; in phase 2 its average."""
        if not self.has_trained("gan"):
            copy_weights(self.trained, self.generator)

    def end_training(self, images, labels):
        """Keep as many real images as there is room for."""
        self._keep(images, labels, self._chosen(labels, half=False))

    def unseen(self, images, labels):
        """Real images that `generate` does not start from while it is trained."""
        left = np.ones(len(labels), bool)
        for rows in self._chosen(labels, half=True):
            if len(rows) < np.count_nonzero(labels == labels[rows[0]]):
                left[rows] = False
        return images[left], labels[left]

    def _chosen(self, labels, half):
        """Rows of the images to keep, class by class."""
        chosen = []
        for c in range(self.num_classes):
            rows = np.flatnonzero(labels == c)
            most = (len(rows) + 1) // 2 if half else len(rows)
            shuffled = random_generator(self.root_seed, c).permutation(rows)
            chosen.append(shuffled[: min(most, self.examples)])
        return chosen

    def _keep(self, images, labels, chosen):
        kept = np.zeros(self.kept.shape, "float32")
        for c, rows in enumerate(chosen):
            kept[c, : len(rows)] = self.images.as_arrays(images[rows])
        self.kept.assign(kept)
        self.kept_counts.assign([len(rows) for rows in chosen])

    # Use.

    def draw(self, indices, generator, batch_size):
        """Make one image of a kept real one for each class index."""
        counts = keras.ops.convert_to_numpy(self.kept_counts).astype("int64")
        rows = generator.integers(0, counts[indices])
        sources = keras.ops.convert_to_numpy(self.kept)[indices, rows]
        return self._vary(sources, generator, batch_size)

    def _vary_images(self, images, seed, batch_size):
        """Vary images of the user that are known to be on the model's scale."""
        sources, generator = self.images.read(images), random_generator(seed)
        return self.images.to_user(self._vary(sources, generator, batch_size))

    def _vary(self, sources, generator, batch_size):
        noise = generator.standard_normal((len(sources), self.noise_dim))
        inputs = [sources, noise.astype("float32")]
        return predict(self.generator, inputs, batch_size)

    def vary(self, images, seed=None, batch_size=256):
        """Make of each real image another one of its class.

        Args:
            images: Images `(n, height, width, channels)` in `value_range`, of any
                classes.
            seed: Integer, or None for a fresh one.
            batch_size: Images made at a time.

        Returns:
            float32 NumPy images of the same shape, in `value_range`.

        Raises:
            ValueError: For images of another shape, or on another scale.
            RuntimeError: Before `fit`.
        """
        self.check_fitted()
        check_images(images, "images")
        pixels = keras.ops.convert_to_numpy(images)
        self._check_scale(pixels.min(), pixels.max())
        return self._vary_images(images, check_seed(seed), batch_size)

    def _check_scale(self, darkest, brightest):
        check_scale(darkest, brightest, self.value_range, "images")

    def generate(self, labels, seed=None, batch_size=256, images=None):
        """Draw one image for each label, from a real one of its class.

        Args:
            labels: Labels: class indices or names `(n,)`, or one-hot; with `images`,
                labels as they stand there.
            seed: Integer, or None for a fresh one.
            batch_size: Images drawn at a time.
            images: Real images to start from, of any classes: `LabelledImages`, or
                `(images, labels)`. By default those that were kept in training.

        Returns:
            float32 NumPy images `(n, height, width, channels)` in `value_range`.

        Raises:
            ValueError: For a label that is not among the classes, and for images of
                another shape, or on another scale.
            RuntimeError: Before `fit`.
        """
        if images is None:
            return super().generate(labels, seed, batch_size)
        self.check_fitted()
        real, seed = self._labelled(images), check_seed(seed)
        self._check_scale(*real.value_range)
        indices = real.encoding.decode(labels, "labels")
        rows = real.draw(indices, random_generator(seed, 1))
        return self._vary_images(real.source.take(rows), seed, batch_size)

    def starting_from(self, images):
        """Give what fills classes that it was not trained on, by varying their images.

        Args:
            images: `LabelledImages`, or `(images, labels)`, of any classes.

        Returns:
            What `BalancedDataset` takes as `synthesizer`.

        Raises:
            ValueError: For bad images or labels.

        Example:
            >>> few = x_new, y_new
            >>> dataset = kb.BalancedDataset(
            ...     *few,
            ...     synthesizer=dagan.starting_from(few),
            ...     sampling_strategy=dict.fromkeys(np.unique(y_new).tolist(), 100),
            ... )
        """
        return _StartingFrom(self, self._labelled(images))

    def _labelled(self, images):
        """Give `LabelledImages`, as such or of `(images, labels)`."""
        if isinstance(images, LabelledImages):
            return images
        return LabelledImages(*images, data_format=self.data_format)

    def get_config(self):
        """Config to rebuild the model from; weights apart."""
        own = {"noise_dim": self.noise_dim, "examples": self.examples}
        return super().get_config() | own


class _StartingFrom:
    """Draws for labels by varying given images."""

    def __init__(self, dagan, images):
        self.dagan, self.images = dagan, images

    def generate(self, labels, seed=None):
        """Make one image for each label."""
        return self.dagan.generate(labels, seed, images=self.images)
