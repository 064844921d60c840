"""One cell of the paper's table: a draw of the data, an arm, a trained classifier."""

import dataclasses
import logging
import math
import time

import keras
import numpy as np

import keras_balance as kb

BATCH_SIZE = 128
EPOCHS = 12  # of the balanced data, as in the paper

# Many small models are many traces, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel("ERROR")


@dataclasses.dataclass(frozen=True)
class Task:
    """One draw of the data: the same for all arms of a seed.

    `balanced` and `imbalanced` are `(x, y)` to train on, `test` the whole test set.
    """

    balanced: tuple
    imbalanced: tuple
    test: tuple
    minority: int
    seed: int

    @property
    def num_classes(self):
        return len(np.unique(self.balanced[1]))

    @property
    def image_shape(self):
        return self.balanced[0].shape[1:]

    @property
    def steps(self):
        """Optimiser steps of the classifier, the same in every arm."""
        return EPOCHS * math.ceil(len(self.balanced[1]) / BATCH_SIZE)

    def feed(self, synthesizer):
        """Balance the imbalanced data by a synthesizer."""
        return kb.BalancedDataset(
            *self.imbalanced,
            batch_size=BATCH_SIZE,
            synthesizer=synthesizer,
            seed=self.seed,
        )

    def train_bagan(self, callbacks=(), **kwargs):
        """Fit a BAGAN on the imbalanced data."""
        bagan = kb.models.BAGAN(self.image_shape, self.num_classes, seed=self.seed)
        bagan.fit(*self.imbalanced, callbacks=list(callbacks), verbose=0, **kwargs)
        return bagan


def load(dataset, path=None):
    """Load a data set of `kb.datasets` with a channel axis."""
    loader = getattr(kb.datasets, dataset)
    train, test = loader.load_data(**({} if path is None else {"path": path}))
    return [(x[..., None], y) for x, y in (train, test)]


def draw(data, minority, keep, per_class, seed):
    """Draw the training data of one seed.

    Args:
        data: What `load` returns.
        minority: The class to make rare.
        keep: Fraction of its images that stay.
        per_class: Images a class, or None for all.
        seed: Integer.
    """
    (x, y), test = data
    if per_class is not None:
        counts = dict.fromkeys(np.unique(y).tolist(), per_class)
        x, y = kb.datasets.make_imbalance(x, y, counts, seed=seed)
    rare = kb.datasets.make_imbalance(x, y, {minority: keep}, seed=seed)
    return Task((x, y), rare, test, minority, seed)


def plain(x, y, seed):
    """Feed the data as it is."""
    return kb.BalancedDataset(
        x, y, batch_size=BATCH_SIZE, sampling_strategy={}, seed=seed
    )


def bagan_and_manual(task, callbacks):
    """BAGAN's images, augmented by hand."""
    layer = kb.layers.ManualAugmentation(seed=task.seed)
    return task.feed(kb.data.AugmentedSynthesizer(task.train_bagan(callbacks), layer))


def published(task, callbacks):
    """The published BAGAN at a hundredth of its steps, which is minutes."""
    bagan = kb.models.published_bagan(
        task.image_shape, task.num_classes, seed=task.seed
    )
    bagan.fit(
        *task.imbalanced,
        autoencoder_epochs=2,
        epochs=1,
        batch_size=128,
        callbacks=list(callbacks),
        verbose=0,
    )
    return task.feed(bagan)


# The arms: each gives what the classifier is trained on.
ARMS = {
    "balanced": lambda task, callbacks: plain(*task.balanced, task.seed),
    "imbalanced": lambda task, callbacks: plain(*task.imbalanced, task.seed),
    "oversampling": lambda task, callbacks: task.feed(None),
    "smote": lambda task, callbacks: task.feed("smote"),
    "manual": lambda task, callbacks: task.feed("manual"),
    "autoencoder": lambda task, callbacks: task.feed(
        task.train_bagan(callbacks, epochs=0)
    ),
    "bagan": lambda task, callbacks: task.feed(task.train_bagan(callbacks)),
    "bagan+manual": bagan_and_manual,
    "auto": lambda task, callbacks: task.feed("auto"),
    "published": published,
}
PAPER = ("balanced", "imbalanced", "bagan", "manual")


def train_and_score(task, feed):
    """Train the paper's ConvNet on a feed; score it on the whole test set."""
    keras.utils.set_random_seed(task.seed)
    model = kb.models.convnet(task.image_shape, task.num_classes)
    model.fit(
        feed,
        epochs=math.ceil(task.steps / len(feed)),
        callbacks=[StopAfter(task.steps)],
        verbose=0,
    )
    x_test, y_test = task.test
    probabilities = model.predict(x_test, batch_size=512, verbose=0)
    return kb.metrics.class_report(y_test, probabilities)


def run_cell(task, arm, callbacks=()):
    """Run one arm of one seed.

    Returns:
        dict of `arm`, `seed`, `report`, `confusion_matrix` and `seconds`.
    """
    start = time.perf_counter()
    feed = ARMS[arm](task, callbacks)
    scores = train_and_score(task, feed)
    return {
        "arm": arm,
        "seed": task.seed,
        "report": scores.report_dict,
        "confusion_matrix": scores.confusion_matrix.tolist(),
        "synthetic_images": feed.num_synthetic,
        "seconds": round(time.perf_counter() - start, 2),
    }


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
