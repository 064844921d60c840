"""What all generators share: images, labels, phases, the choice, files, drawing."""

import keras
import numpy as np
from keras import ops

from keras_balance.data import LabelledImages
from keras_balance.data.iterators import untuned
from keras_balance.layers import ManualAugmentation
from keras_balance.layers.mixing import check_augmentation
from keras_balance.models.generators import checks
from keras_balance.models.generators.image_format import NETWORK_RANGE, ImageFormat
from keras_balance.models.training import feeding
from keras_balance.models.training.columns import with_columns
from keras_balance.models.training.phase_bars import PhaseBars
from keras_balance.models.training.phased_model import PhasedModel
from keras_balance.models.training.phases import Closing, Course, plan_epochs
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.labels import class_label_options, read_class_labels
from keras_balance.utils.numbers import flag, whole_number
from keras_balance.utils.seeds import check_seed, random_generator


class ClassGenerator(PhasedModel):
    """Base of the models that learn to draw images of a class.

    A subclass is networks, losses and the steps of its phases: see `PhasedModel`; and
    it overrides `draw`.

    Args:
        image_shape: Shape of one image, `(height, width, channels)`, or channels
            first where `data_format` says so.
        num_classes: Number of classes, 2 or more.
        value_range: The `(low, high)` of the pixels, in and out.
        augmentation: A Keras layer for images in [-1, 1] that mixes none of them, or
            None; `"auto"` is a slight rotation and zoom.
        candidates: Number of checkpoints of the last phase that are judged; 0 keeps
            the last one.
        balanced: Whether `fit` on arrays repeats images of rare classes.
        class_names: Optional sequence of the classes' names, in class order.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own for None.
        seed: Integer or None.
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        value_range=(0, 255),
        augmentation="auto",
        candidates=3,
        balanced=True,
        class_names=None,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(candidates, seed, **kwargs)
        self.images = ImageFormat(image_shape, value_range, data_format)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        self.balanced = flag("balanced", balanced)
        self.class_names = checks.class_names(class_names, self.num_classes)
        self.augmentation = augmentation
        self.augment_layer = _make_augmentation(augmentation, self.root_seed)
        self._names_in_batches = None

    def draw(self, indices, generator, batch_size):
        """Draw one image for each class index, as the networks see it.

        Args:
            indices: Class indices `(n,)`.
            generator: A `numpy.random.Generator`.
            batch_size: Images drawn at a time.
        """
        raise NotImplementedError

    # Training.

    def fit(
        self,
        x,
        y=None,
        *,
        epochs=None,
        batch_size=64,
        callbacks=None,
        verbose="auto",
        initial_epoch=0,
        features=None,
        **phase_epochs,
    ):
        """Train all phases, one after the other, in one run of epochs.

        Args:
            x: Images `(n, height, width, channels)` in `value_range`: an array,
                tensor or `LabelledImages`; or a data set of `(images, labels)`
                batches: a `PyDataset`, a `tf.data.Dataset` or a torch `DataLoader`.
                It is read once more before training, and its batches are taken as
                they come: balance them with `BalancedDataset`.
            y: Labels of an array: class indices or names, `(n,)` or `(n, 1)`, or
                one-hot. Each class has one image at least.
            epochs: Epochs of the last phase, 0 for none. By default, as of every
                phase, as many as make a number of steps that suffices.
            batch_size: Images in a batch of an array.
            callbacks: Keras callbacks; they see all phases as one run.
            verbose: 0 for silence, 1 or `"auto"` for one line a phase, after one that
                tells how long the whole will take; 2 as in `keras.Model.fit`.
            initial_epoch: Epoch of the whole run to begin at, to resume a training:
                see `kb.callbacks.ResumableBackup`.
            features: Optional Keras model from images to vectors, such as a pretrained
                backbone: checkpoints are chosen by what a classifier of its vectors
                learns from generated images, in place of one of pixels.
            **phase_epochs: Epochs of an earlier phase, as `<its name>_epochs`.

        Returns:
            The `History` of the run.

        Raises:
            TypeError: For data that can be read only once, other arguments than these,
                and `features` that cannot be called.
            ValueError: For a class without images, labels or pixels that do not fit,
                data without end, and `features` that give no finite `(n, d)`.
            FloatingPointError: When a loss or a weight is NaN or infinite; the weights
                are then those from before the epoch.

        Above 128 by 128 pixels it warns: 224 by 224 take 15 minutes on a few cores.
        """
        self.images.warn_of_size()
        if not self.compiled:
            self.compile()
        data, images, labels, batches, size = self._open(
            x, y, batch_size, initial_epoch
        )
        feeding.check_scale(images.min(), images.max(), self.value_range)
        phase_epochs = plan_epochs(
            self.phases, batches, {**phase_epochs, "epochs": epochs}
        )
        course = Course(phase_epochs, images, labels, features)
        callbacks = with_columns(keras.tree.flatten(callbacks or []), self.log_names)
        callbacks = [course, *callbacks, Closing(course)]
        if verbose in ("auto", 1):
            callbacks.append(PhaseBars(phase_epochs, batches, size, initial_epoch))
            verbose = 0
        with untuned(data):
            return super().fit(
                data,
                epochs=sum(phase_epochs.values()),
                initial_epoch=initial_epoch,
                callbacks=callbacks,
                verbose=verbose,
                shuffle=False,
            )

    def _open(self, x, y, batch_size, initial_epoch):
        """Batches, a sample of images, its class indices, batches and images in one."""
        names, size = None, batch_size
        if y is not None or isinstance(x, LabelledImages):
            read = self._read(x, y)
            checks.images_fit(read.source, self.image_shape)
            data = feeding.array_feed(read, batch_size, self.balanced, self.root_seed)
            data.epoch = initial_epoch
            batches = len(data)
            images, labels = read.sample(feeding.PER_CLASS, self.root_seed)
            data = self.feed(data, read)
        else:
            checks.is_data_set(x)
            data = x
            with feeding.first_epoch(x, initial_epoch):
                images, labels, encoding, batches, size = feeding.sample_batches(
                    x, self.read_labels
                )
            checks.images_fit(images, self.image_shape)
            if not np.array_equal(encoding.classes, np.arange(self.num_classes)):
                names = encoding.classes.tolist()
        if names != self._names_in_batches:
            self._names_in_batches, self.train_function = names, None
        return data, images, labels, batches, size

    def _read(self, x, y):
        """`LabelledImages` of an array and its labels, with an image of each class."""
        if isinstance(x, LabelledImages) and y is None:
            images = x
        else:
            y = to_numpy(y)
            options = class_label_options(y, self.num_classes, self.class_names)
            options["data_format"] = self.data_format
            images = LabelledImages.read(x, y, **options)
        checks.classes_fit(images, self.num_classes, self.class_names)
        images.check_every_class()
        return images

    def read_batch(self, data):
        """Images for the networks and class indices `(n,)` of a batch."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if len(labels.shape) == 2 and labels.shape[1] == self.num_classes:
            labels = ops.argmax(labels, axis=1)
        elif self._names_in_batches is not None:
            labels = ops.reshape(labels, (-1, 1))
            names = ops.cast(
                ops.convert_to_tensor(self._names_in_batches), labels.dtype
            )
            labels = ops.argmax(ops.equal(labels, names), axis=1)
        labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
        return self.images.to_network(images), labels

    def feed(self, data, images):
        """Give the batches that training steps get, of those of an array.

        Args:
            data: A `BalancedDataset` of images and class indices.
            images: The `LabelledImages` behind it.
        """
        return data

    def augment(self, images):
        """Real or generated images of a step, augmented."""
        if self.augment_layer is None:
            return images
        # Under a mixed policy, layers give halves; losses are counted in full
        # precision.
        return ops.cast(self.augment_layer(images, training=True), "float32")

    def call(self, images, training=None):
        """Give a batch of images in `value_range` as the training steps see them."""
        images = self.augment(self.images.to_network(images))
        return self.images.from_network(images)

    # Use.

    def generate(self, labels, seed=None, batch_size=256):
        """Draw one image for each label.

        Args:
            labels: Labels: class indices or names `(n,)`, or one-hot.
            seed: Integer, or None for a fresh one.
            batch_size: Images drawn at a time.

        Returns:
            float32 NumPy images `(n, height, width, channels)` in `value_range`.

        Raises:
            ValueError: For a label that is not among the classes.
            RuntimeError: Before `fit`.
        """
        self.check_fitted()
        indices, _ = self.read_labels(labels, name="labels")
        return self.generate_classes(indices, check_seed(seed), batch_size)

    def generate_classes(self, indices, seed, batch_size=256):
        """Draw one image for each class index `(n,)`."""
        self.settle_pending()
        images = self.draw(np.asarray(indices), random_generator(seed), batch_size)
        return self.images.to_user(images)

    def check_fitted(self):
        """Raise a `RuntimeError` before `fit`."""
        if not self.is_fitted:
            raise RuntimeError(
                f"{type(self).__name__} must learn from images before it draws any: "
                "run `fit`. Received: is_fitted=False"
            )

    def read_labels(self, labels, name="y"):
        """Class indices `(n,)` of labels, and the `LabelEncoding` of these."""
        return read_class_labels(labels, self.num_classes, self.class_names, name)

    @property
    def image_shape(self):
        """Shape of one image."""
        return self.images.shape

    @property
    def value_range(self):
        """The `(low, high)` of the pixels."""
        return self.images.value_range

    @property
    def data_format(self):
        """Of the user's images."""
        return self.images.data_format

    def get_config(self):
        """Config to rebuild the model from; weights apart."""
        own = (
            "image_shape num_classes value_range candidates balanced class_names "
            "data_format seed"
        )
        config = super().get_config() | {key: getattr(self, key) for key in own.split()}
        config["augmentation"] = keras.saving.serialize_keras_object(self.augmentation)
        return config

    @classmethod
    def from_config(cls, config):
        """Rebuild from `get_config`."""
        layer = keras.saving.deserialize_keras_object(config["augmentation"])
        return cls(**config | {"augmentation": layer})


def _make_augmentation(augmentation, seed):
    if augmentation is None:
        return None
    if not isinstance(augmentation, str) or augmentation != "auto":
        check_augmentation(augmentation, "augmentation", ', None or "auto"')
        return augmentation
    return ManualAugmentation(
        rotation_factor=0.04,
        zoom_factor=0.1,
        noise_factor=0.0,
        value_range=NETWORK_RANGE,
        fill_mode="nearest",
        data_format="channels_last",
        seed=seed,
        # TensorFlow has no gradient of its warp in bfloat16.
        dtype="float32",
    )
