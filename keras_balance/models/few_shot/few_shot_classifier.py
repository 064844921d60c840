"""`FewShotClassifier`: a pretrained backbone, and a head for a dozen images."""

import contextlib
import inspect
import math
import types

import keras

from keras_balance.data import LabelledImages
from keras_balance.data.iterators import untuned
from keras_balance.layers.cosine_head import CosineHead
from keras_balance.layers.mixing import check_augmentation
from keras_balance.losses import LogitAdjustedCrossentropy
from keras_balance.metrics.features import Features
from keras_balance.models.few_shot.accuracy import accuracy
from keras_balance.models.few_shot.epochs import (
    held_out_features,
    open_epochs,
    open_held_out,
)
from keras_balance.models.few_shot.feed import FeatureFeed
from keras_balance.models.few_shot.images_or_features import ImagesOrFeatures
from keras_balance.models.few_shot.unfreezing import last_layers, unfrozen
from keras_balance.models.training.columns import appending
from keras_balance.utils.class_counts import class_indices
from keras_balance.utils.numbers import real_number, whole_number
from keras_balance.utils.seeds import check_seed

_STEPS, _LEAST_EPOCHS, _MOST_EPOCHS = 300, 5, 30
_RATE = 0.01
# By its name the loss is known for its own, after loading as well.
_LOSS = "few_shot_loss"


@keras.saving.register_keras_serializable(package="keras_balance")
class FewShotClassifier(ImagesOrFeatures):
    """A frozen backbone with pretrained weights, and a cosine head on its features.

    The backbone looks at each image once; its features are kept. The head begins at the
    class means, is held near them, and is trained with the logit-adjusted loss, so that
    its probabilities speak for a world in which all classes are equally frequent
    (`kb.layers.LogitAdjustment`, or `adjust_logits`, turns them into those of another
    one). That takes seconds. Do not balance the classes in its data: the loss does.

    `fit` compiles the model by itself. A model that was compiled before is trained with
    its own optimizer and loss; unfrozen layers get an Adam of their own.

    Args:
        backbone: Keras model from images to vectors `(n, d)`, such as
            `keras.applications.EfficientNetV2B0(include_top=False, pooling="avg")`.
            Preprocessing that it needs belongs into it. It is frozen, and its batch
            normalisation stays as it is even where layers are unfrozen.
        num_classes: Number of classes, 2 or more.
        tau: Strength of the adjustment in the loss; 1 is the theory's.
        anchor: How firmly the head is held near the class means; see
            `kb.layers.CosineHead`.
        power: Power that features are raised to, in (0, 1]; see `kb.layers.CosineHead`.
        shrinkage: In (0, 1]. Features that vary together within the classes count less,
            by their estimated covariance: small values trust the estimate, 1 ignores
            it; see `kb.layers.CosineHead`.
        augmentation: Optional Keras layer for the images. The backbone then looks at
            them anew in each epoch, which takes its time.
        cache: Optional path of a file that keeps the features of images from one run
            to the next, written about once a minute; in memory alone by default. A
            path of this machine: the model is saved, and its config given, without it.
        seed: Integer, or None for a fresh one.
        name: As in `keras.Model`.

    Input shape:
        Images as the backbone takes them; or, for a second head on the same data, their
        features `(n, d)`.

    Output shape:
        Probabilities `(n, num_classes)`.

    Raises:
        ValueError: For a backbone that gives no `(n, d)`, numbers out of bounds, and
            an `augmentation` that mixes images.
        TypeError: For arguments of a wrong type.

    Example:
        >>> backbone = keras.Sequential(
        ...     [
        ...         keras.Input((28, 28, 1)),
        ...         keras.layers.AveragePooling2D(4),
        ...         keras.layers.Flatten(),
        ...     ]
        ... )
        >>> classifier = kb.models.FewShotClassifier(backbone, num_classes=10, seed=0)
        >>> history = classifier.fit(x_train, y_train, verbose=0)
        >>> classifier.predict(x_test, verbose=0).shape
        (20, 10)
    """

    def __init__(
        self,
        backbone,
        num_classes,
        tau=1.0,
        anchor=0.07,
        power=0.5,
        shrinkage=0.8,
        augmentation=None,
        cache=None,
        seed=None,
        name="few_shot_classifier",
    ):
        super().__init__(name=name)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        self.tau = real_number("tau", tau, 0)
        self.anchor, self.power, self.shrinkage = anchor, power, shrinkage
        if augmentation is not None:
            check_augmentation(augmentation, "augmentation", " or None")
        self.augmentation = augmentation
        self.cache, self.seed = cache, check_seed(seed)
        _check_backbone(backbone)
        self.backbone = backbone
        self.backbone.trainable = False
        # Half precision has no number for how unlikely a rare class may be.
        self.head = CosineHead(
            self.num_classes,
            power,
            anchor=anchor,
            shrinkage=shrinkage,
            dtype="float32",
            name="head",
        )
        self._features = Features(backbone, name="backbone", cache=cache)
        if backbone.built and isinstance(backbone.input_shape, tuple):
            self.build(backbone.input_shape)

    def build(self, input_shape):
        """Make the head's weights for images of a shape."""
        shape = self.backbone.compute_output_shape(input_shape)
        self.head.build(*shape if isinstance(shape, list) else (shape,))
        self.built = True

    def call(self, inputs, training=False):
        """Class probabilities of images, or of features `(n, d)`."""
        if len(inputs.shape) != 2:
            (inputs,) = keras.tree.flatten(self.backbone(inputs, training=False))
        return self.head(inputs)

    def features(self, images):
        """Float32 features `(n, d)` of images, each computed once and kept.

        Raises:
            ValueError: For features that are no `(n, d)`, or not finite.
        """
        self._features.refresh()
        rows = self._features(images)
        self._features.save()
        return rows

    def fit(
        self,
        x,
        y=None,
        *,
        epochs=None,
        batch_size=32,
        unfreeze=0,
        fine_tuning_epochs=8,
        fine_tuning_rate=3e-4,
        validation_data=None,
        callbacks=None,
        verbose="auto",
    ):
        """Train the head on the features of images, then the last layers if asked.

        Args:
            x: Images `(n, height, width, channels)` as the backbone takes them, or
                features `(n, d)`; `LabelledImages`; a data set of `(images, labels)`
                batches, such as a `BalancedDataset`; or the path of a folder with a
                folder of images a class.
                Sample weights of a data set weigh the loss; class means and counts are
                those of all images whose weight is above 0.
            y: Labels of an array: class indices `(n,)` or `(n, 1)`, or one-hot.
            epochs: Epochs of the head; by default so many that it takes about 300
                steps, at least 5 and at most 30.
            batch_size: Images in a batch.
            unfreeze: How many of the backbone's last layers with weights are trained
                with the head afterwards; or the name of a layer, from which on they
                are. A number beyond all of them takes them all.
            fine_tuning_epochs: Epochs of that.
            fine_tuning_rate: Learning rate of that, falling to 0.
            validation_data: Optional `(images, labels)`, `LabelledImages`, a data set
                of batches, or the path of a folder, which is read by the classes of
                the training's where that is one; for `val_loss` and the like.
            callbacks: As in `keras.Model.fit`; they see one run of epochs, which begins
                twice where layers are unfrozen. It cannot go on with a backup.
            verbose: As in `keras.Model.fit`.

        Returns:
            The `History` of all epochs.

        Raises:
            ValueError: For bad images and labels, a class without any image, and a
                backbone that gives no finite `(n, d)`.
            TypeError: For numbers that are none.
        """
        batch_size = whole_number("batch_size", batch_size, 1)
        fine_tuning_epochs = whole_number("fine_tuning_epochs", fine_tuning_epochs, 1)
        fine_tuning_rate = real_number("fine_tuning_rate", fine_tuning_rate, above=0)
        epochs = None if epochs is None else whole_number("epochs", epochs, 0)
        if unfreeze:
            last_layers(self.backbone, unfreeze)  # an error, if any, before any work
        self._features.refresh()
        data = open_epochs(x, y, self, self._features, self.augmentation, self.seed)
        validation_data = open_held_out(validation_data, data, self)
        images = data.as_images(batch_size) if unfreeze else None
        seen = held_out_features(validation_data, self, self._features)
        feed, counts = self._begin(data, batch_size, verbose)
        if epochs is None:
            epochs = math.ceil(_STEPS / len(feed))
            epochs = min(max(epochs, _LEAST_EPOCHS), _MOST_EPOCHS)
        if not self._is_compiled_by_user():
            self._compile(counts, epochs * len(feed), _RATE)
        options = {"callbacks": callbacks, "verbose": verbose}
        options["shuffle"] = False  # the feed has its own order, by the seed
        with untuned(validation_data):
            history = super().fit(feed, epochs=epochs, validation_data=seen, **options)
            if unfreeze:
                if isinstance(validation_data, LabelledImages):
                    held_out = open_epochs(validation_data, None, self, self._features)
                    validation_data = held_out.as_images(batch_size)
                options |= {"initial_epoch": epochs, "validation_data": validation_data}
                options["epochs"] = epochs + fine_tuning_epochs
                steps = fine_tuning_epochs * data.batches_of(batch_size)
                tuning = self._unfrozen(unfreeze, counts, steps, fine_tuning_rate)
                with tuning, appending(callbacks):
                    history = _joined(history, super().fit(images, **options))
        return history

    def _begin(self, data, batch_size, verbose):
        """Put the head at the class means; give its feed and the classes' counts."""
        try:
            rows, labels, weights = first = data.read(0, verbose)
        finally:
            self._features.save()
        weighed = slice(None) if weights is None else weights > 0
        indices, counts = class_indices(labels[weighed], self.num_classes)
        if not self.built:
            self.build((None, *data.image_shape))
        width = self.head.start.shape[-1]
        if rows.shape[1] != width:
            raise ValueError(
                f"Features `x` must have shape (n, {width}), as of the backbone. "
                f"Received: x of shape {rows.shape}"
            )
        self.head.start_at_means(rows[weighed], indices)
        return FeatureFeed(data, first, batch_size, self.seed), counts

    @contextlib.contextmanager
    def _unfrozen(self, unfreeze, counts, steps, rate):
        """Compile for the last layers, too, while the block runs."""
        by_user, optimizer = self._is_compiled_by_user(), self.optimizer
        try:
            with unfrozen(self.backbone, unfreeze):
                self._compile(counts, steps, rate)
                yield
        finally:
            # Saved as it was made: frozen, with an optimizer for the head.
            self._compile(counts, 1, rate)
            if by_user:
                self.compile(optimizer, self.loss, **vars(self._compiled_with))
            self.optimizer.build(self.trainable_variables)
            self._features = Features(self.backbone, name="backbone")

    def compile_from_config(self, config):
        """Compile as a file says. Keras does not where `compile` is overridden."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def compile(self, *args, **options):
        """Compile as any Keras model; metrics and the like stay through `unfreeze`."""
        super().compile(*args, **options)
        given = inspect.signature(super().compile).bind(*args, **options).arguments
        rest = {n: v for n, v in given.items() if n not in ("optimizer", "loss")}
        # In a dict Keras would find the metrics once more.
        self._compiled_with = types.SimpleNamespace(**rest)

    def _compile(self, counts, steps, rate):
        """Compile with the adjusted loss; what the user compiled keeps its loss."""
        by_user = self._is_compiled_by_user()
        loss = LogitAdjustedCrossentropy(counts, self.tau, name=_LOSS)
        schedule = keras.optimizers.schedules.CosineDecay(rate, max(1, steps))
        self.compile(
            keras.optimizers.Adam(schedule),
            self.loss if by_user else loss,
            **(vars(self._compiled_with) if by_user else {"metrics": [accuracy()]}),
        )

    def _is_compiled_by_user(self):
        return self.compiled and getattr(self.loss, "name", None) != _LOSS

    def get_config(self):
        """Give the arguments that make the same model again."""
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "num_classes": self.num_classes,
            "tau": self.tau,
            "anchor": self.anchor,
            "power": self.power,
            "shrinkage": self.shrinkage,
            "augmentation": keras.saving.serialize_keras_object(self.augmentation),
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """Make the model of a config."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("backbone", "augmentation")
        }
        return cls(**{**config, **parts})


def _check_backbone(backbone):
    if not isinstance(backbone, keras.Model):
        raise TypeError(
            "`backbone` must be a Keras model from images to vectors. "
            f"Received: backbone={backbone!r}"
        )
    shape = backbone.output_shape if backbone.built else (None, None)
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(
            "`backbone` must turn images into vectors (n, d): a model of "
            '`keras.applications` does with `include_top=False, pooling="avg"`. '
            f"Received: backbone whose output has shape {shape}"
        )


def _joined(history, later):
    for key, values in later.history.items():
        history.history.setdefault(key, []).extend(values)
    history.epoch += later.epoch
    return history
