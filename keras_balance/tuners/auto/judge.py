"""How well a small classifier does after training on one or the other feed."""

import contextlib
import random

import keras
import numpy as np
from sklearn.metrics import f1_score

from keras_balance.models import convnet
from keras_balance.tuners.auto import checks


class Judge:
    """Trains the same classifier from the same weights on one feed after the other.

    Args:
        build: Function without arguments that returns a compiled Keras model.
        held_out: `Part` of the held-out images.
        scored: Indices of the classes to score.
        steps: Optimiser steps of a training.
        seed: Integer, of the first weights.
    """

    def __init__(self, build, held_out, scored, steps, seed):
        self.held_out, self.scored, self.steps = held_out, scored, steps
        with _seeded(seed):
            self._model = checks.compiled_model(build())
            outputs = self._model(held_out.x[:1].astype("float32"))  # builds it
        checks.outputs(outputs, held_out.encoding.num_classes)
        optimizer = self._model.optimizer
        if not optimizer.built:
            optimizer.build(self._model.trainable_variables)
        # Dropout's seeds are among the model's variables.
        self._variables = [*self._model.variables, *optimizer.variables]
        self._start = [keras.ops.convert_to_numpy(v) for v in self._variables]

    def f1(self, dataset):
        """Train on a dataset; array of the F1 of each class that is scored.

        Every class of the held-out images counts the same, however many they are.
        """
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        encoding, indices = self.held_out.encoding, self.held_out.indices
        feed = _Steps(dataset, encoding, self.steps)
        self._model.fit(feed, epochs=1, shuffle=False, verbose=0)
        outputs = self._model.predict(self.held_out.x, batch_size=256, verbose=0)
        return f1_score(
            indices,
            np.argmax(outputs, axis=1),
            labels=self.scored,
            average=None,
            sample_weight=1 / np.bincount(indices)[indices],
            zero_division=0,
        )


def build_classifier(part):
    """Build the paper's ConvNet, a quarter as wide: a twelfth of its work.

    It puts repeated and augmented images in the order in which the whole one does. (A
    network of strided convolutions did not: augmented images were no better to it.)

    Args:
        part: `Part` of the images to classify.
    """
    shape, classes = part.x.shape[1:], part.encoding.num_classes
    model = convnet(shape, classes, part.value_range, filters=8)
    if part.encoding.form == "one_hot":
        model.compile(model.optimizer, "categorical_crossentropy")
    return model


class _Steps(keras.utils.PyDataset):
    """So many full batches of a `BalancedDataset`, epoch by epoch.

    Labels are class indices, or one-hot where they were.
    """

    def __init__(self, dataset, encoding, steps):
        super().__init__()
        self.dataset, self.encoding, self.steps = dataset, encoding, steps
        total = sum(dataset.class_counts.values())
        # One shape of all batches is one compilation.
        self.full_batches = max(1, total // dataset.batch_size)

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        self.dataset.epoch, batch = divmod(index, self.full_batches)
        images, labels = self.dataset[batch]
        if self.encoding.form != "one_hot":
            labels = self.encoding.decode(labels)
        return images, labels


@contextlib.contextmanager
def _seeded(seed):
    """Keras draws the seeds of layers from Python's `random`: set it for a while."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
