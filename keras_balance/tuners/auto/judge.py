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
        seeds: Sequence of integers: a feed gets one training for each, from other first
            weights and with other epochs of the feed. The classifier is most of the
            noise in a comparison.
    """

    def __init__(self, build, held_out, scored, steps, seeds):
        self.held_out, self.scored, self.steps = held_out, scored, steps
        models = [self._build(build, seed) for seed in seeds]
        self._starts = [
            [keras.ops.convert_to_numpy(v) for v in _variables(model)]
            for model in models
        ]
        self._model = models[0]

    def f1(self, dataset):
        """Train on a dataset; array of the mean F1 of each class that is scored."""
        scores = [self._train(dataset, place) for place in range(len(self._starts))]
        return np.mean(scores, axis=0)

    def _build(self, build, seed):
        with _seeded(seed):
            model = checks.compiled_model(build())
            outputs = model(self.held_out.x[:1].astype("float32"))  # builds it
        checks.outputs(outputs, self.held_out.encoding.num_classes)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        return model

    def _train(self, dataset, place):
        """F1 of each class, all of them counting the same, however many they are."""
        start = self._starts[place]
        for variable, value in zip(_variables(self._model), start, strict=True):
            variable.assign(value)
        encoding, indices = self.held_out.encoding, self.held_out.indices
        feed = _Steps(dataset, encoding, self.steps, place * self.steps)
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
    """So many full batches of a `BalancedDataset` from a first one on, epoch by epoch.

    Labels are class indices, or one-hot where they were.
    """

    def __init__(self, dataset, encoding, steps, first):
        super().__init__()
        self.dataset, self.encoding = dataset, encoding
        self.steps, self.first = steps, first
        total = sum(dataset.class_counts.values())
        # One shape of all batches is one compilation.
        self.full_batches = max(1, total // dataset.batch_size)

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        self.dataset.epoch, batch = divmod(self.first + index, self.full_batches)
        images, labels = self.dataset[batch]
        if self.encoding.form != "one_hot":
            labels = self.encoding.decode(labels)
        return images, labels


def _variables(model):
    """All that a training changes; Dropout's seeds are among the model's variables."""
    return [*model.variables, *model.optimizer.variables]


@contextlib.contextmanager
def _seeded(seed):
    """Keras draws the seeds of layers from Python's `random`: set it for a while."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
