"""The experiment: a draw of the data, a training of the paper's ConvNet, its scores."""

import dataclasses
import logging
import math
import pathlib
import time

import keras
import numpy as np

import keras_balance as kb
from study import cifar

BATCH_SIZE = 128
DATASETS = ("digits", "mnist", "emnist", "fashion_mnist", "cifar10")

# Many small models are many traces, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel("ERROR")


@dataclasses.dataclass(frozen=True)
class Task:
    """One draw of the data: the same for all arms of a seed.

    Attributes:
        balanced: `(x, y)` without the imbalance.
        imbalanced: `(x, y)` to train on.
        test: `(x, y)`, the whole test set.
        rare: The classes to tell of.
        seed: Of the draw, the generators and the classifier's weights.
        steps: Optimiser steps of the classifier, the same in every arm.
        folder: Where its generators are kept.
    """

    balanced: tuple
    imbalanced: tuple
    test: tuple
    rare: tuple
    seed: int
    steps: int
    folder: pathlib.Path

    @property
    def num_classes(self):
        return len(np.unique(self.balanced[1]))

    @property
    def image_shape(self):
        return self.balanced[0].shape[1:]

    def feed(self, synthesizer):
        """Balance the imbalanced data by a synthesizer."""
        return kb.BalancedDataset(
            *self.imbalanced,
            batch_size=BATCH_SIZE,
            synthesizer=synthesizer,
            seed=self.seed,
        )


@dataclasses.dataclass(frozen=True)
class Training:
    """What an arm trains the classifier with.

    Attributes:
        feed: Its batches.
        class_weight: Weights of the classes, or None.
        augmentation: Layer in front of the classifier, or None.
        generator_seconds: Processor seconds that its generator, or the choice, took.
        chooser: What has chosen for it, or None.
    """

    feed: kb.BalancedDataset
    class_weight: dict | None = None
    augmentation: keras.layers.Layer | None = None
    generator_seconds: float = 0.0
    chooser: object = None


def load(dataset, path=None):
    """Load a data set of `kb.datasets` or of Keras, with a channel axis.

    `path` of CIFAR-10 is what `study.cifar` reads.
    """
    if dataset == "cifar10" and path is not None:
        return cifar.load_data(path)
    if dataset == "fashion_mnist" and path is not None:
        loader = kb.datasets.mnist  # its files have the same names
    else:
        loader = getattr(kb.datasets, dataset, None) or getattr(keras.datasets, dataset)
    train, test = loader.load_data(**({} if path is None else {"path": path}))
    return [(x if x.ndim == 4 else x[..., None], y.ravel()) for x, y in (train, test)]


def draw(
    data,
    seed,
    folder,
    minority=0,
    keep=0.05,
    per_class=None,
    tail=None,
    test_per_class=None,
    epochs=12,
):
    """Draw the training data of one seed.

    Args:
        data: What `load` returns.
        seed: Integer.
        folder: Where the generators are kept.
        minority: The class to make rare.
        keep: Fraction of its images that stay.
        per_class: Images a class, or None for all.
        tail: Images of the last class of a long tail, whose counts fall from class
            to class by the same factor; it takes the place of `minority`.
        test_per_class: Images a class to test on, or None for all.
        epochs: Of the balanced data, 12 in the paper; every arm gets their steps.
    """
    (x, y), test = data
    classes = np.unique(y).tolist()
    if per_class is not None:
        x, y = kb.datasets.make_imbalance(
            x, y, dict.fromkeys(classes, per_class), seed=seed
        )
    if tail is None:
        counts, rare = {minority: keep}, (minority,)
    else:
        largest = np.bincount(y).min()
        sizes = np.geomspace(largest, tail, len(classes)).round().astype(int)
        counts = dict(zip(classes, sizes.tolist(), strict=True))
        rare = tuple(classes[-3:])
    imbalanced = kb.datasets.make_imbalance(x, y, counts, seed=seed)
    if test_per_class is not None:
        test = kb.datasets.make_imbalance(
            *test, dict.fromkeys(classes, test_per_class), seed=seed
        )
    steps = epochs * math.ceil(len(y) / BATCH_SIZE)
    return Task((x, y), imbalanced, test, rare, seed, steps, pathlib.Path(folder))


def run_cell(task, arm, training_of, callbacks=()):
    """Run one arm of one seed.

    Args:
        task: `Task`.
        arm: Name of the arm.
        training_of: Function from the task and callbacks to a `Training`.
        callbacks: For the training of a generator.

    Returns:
        dict of what was measured, ready for JSON.
    """
    start = time.perf_counter()
    training = training_of(task, callbacks)
    processor = time.process_time()
    scores = train_and_score(task, training)
    return {
        "arm": arm,
        "seed": task.seed,
        "report": _without_nan(scores.report_dict),
        "confusion_matrix": scores.confusion_matrix.tolist(),
        "synthetic_images": training.feed.num_synthetic,
        "choice": getattr(training.chooser, "choice", None),
        "choice_scores": _without_nan(getattr(training.chooser, "scores", {})),
        "device": device(),
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": {
            # It may have been trained for an earlier arm; each would have needed it.
            "generator": round(training.generator_seconds, 1),
            "classifier": round(time.process_time() - processor, 1),
        },
    }


def device():
    """What the backend computes on, "cpu" or "gpu"."""
    name = str(keras.ops.zeros(()).device).lower()
    return "gpu" if "gpu" in name or "cuda" in name else "cpu"


def train_and_score(task, training):
    """Train the paper's ConvNet; score it on the whole test set."""
    keras.utils.set_random_seed(task.seed)
    model = kb.models.convnet(task.image_shape, task.num_classes)
    if training.augmentation is not None:
        model = _behind(training.augmentation, model)
    model.fit(
        training.feed,
        epochs=math.ceil(task.steps / len(training.feed)),
        class_weight=training.class_weight,
        callbacks=[StopAfter(task.steps)],
        verbose=0,
    )
    x_test, y_test = task.test
    probabilities = model.predict(x_test, batch_size=512, verbose=0)
    return kb.metrics.class_report(y_test, probabilities)


def made_by(recipe, task, data, batch_size):
    """Make what trains by a recipe, as the code says that `AutoBalance` prints.

    Args:
        recipe: `kb.tuners.Recipe`.
        task: `Task`, of the seed and the shape of the images.
        data: `(images, labels)` to train on.
        batch_size: Images in a batch.

    Returns:
        `(model, trainee, feed)`: the paper's ConvNet, the same behind the recipe's
        layer and with its loss, which `fit` is called of, and what `fit` gets.
    """
    keras.utils.set_random_seed(task.seed)
    model = kb.models.convnet(task.image_shape, task.num_classes)
    images = kb.data.LabelledImages(*data)
    feed = recipe.feed(images, batch_size, task.seed)
    # Then Keras does not let TensorFlow tune the pipeline, for whose end it may wait.
    feed.workers = 2
    return model, recipe.put_on(model, feed, images, task.seed), feed


def train_by(recipe, task, data, batch_size, steps):
    """Train the paper's ConvNet by a recipe for so many steps.

    Args:
        recipe: `kb.tuners.Recipe`.
        task: `Task`, of the seed and the shape of the images.
        data: `(images, labels)` to train on.
        batch_size: Images in a batch.
        steps: Optimiser steps.

    Returns:
        `(model, feed)`: the trained network, and what it was fed.
    """
    keras.backend.clear_session()
    model, trainee, feed = made_by(recipe, task, data, batch_size)
    trainee.fit(
        feed,
        epochs=math.ceil(steps / len(feed)),
        callbacks=[StopAfter(steps)],
        shuffle=False,
        verbose=0,
    )
    return model, feed


def _behind(layer, model):
    inputs = keras.Input(model.input_shape[1:])
    augmented = keras.Model(inputs, model(layer(inputs)))
    augmented.compile(**model.get_compile_config())
    return augmented


def _without_nan(scores):
    """Undefined scores as None, which JSON has a word for."""
    if isinstance(scores, dict):
        return {key: _without_nan(value) for key, value in scores.items()}
    if isinstance(scores, list):
        return [_without_nan(value) for value in scores]
    return scores if np.isfinite(scores) else None


class StopAfter(keras.callbacks.Callback):
    """Stops a training after a number of optimiser steps."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self._done = 0

    def on_train_batch_end(self, batch, logs=None):
        self._done += 1
        if self._done >= self.steps:
            self.model.stop_training = True
