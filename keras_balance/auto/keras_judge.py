"""How well the user's classifier does after training on one or the other feed."""

import contextlib
import random

import keras
import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.judge import class_f1


class KerasJudge:
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
        """Train on a dataset; array of the F1 of each class that is scored."""
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        feed = _Steps(dataset, self.held_out.encoding, self.steps)
        self._model.fit(feed, epochs=1, shuffle=False, verbose=0)
        outputs = self._model.predict(self.held_out.x, batch_size=256, verbose=0)
        return class_f1(self.held_out, self.scored, np.argmax(outputs, axis=1))


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
