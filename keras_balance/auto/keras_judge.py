"""How well the user's classifier does after training on one or the other feed."""

import keras
import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.judge import class_f1, known
from keras_balance.data.iterators import untuned
from keras_balance.models.adjust import gives_logits
from keras_balance.utils.outputs import predicted_classes
from keras_balance.utils.seeds import seeded

_BATCH_SIZE = 256


class KerasJudge:
    """Trains the same classifier from the same weights on one feed after the other.

    Args:
        build: Function without arguments that returns a compiled Keras model.
        held_out: `LabelledImages` that are held out.
        scored: Indices of the classes to score.
        steps: Optimiser steps of a training.
        seed: Integer, of the first weights.
    """

    def __init__(self, build, held_out, scored, steps, seed):
        self.build, self.steps = build, steps
        self.held_out, self.scored = held_out, scored
        with seeded(seed):
            self.model = checks.compiled_model(build())
            outputs = self.model(held_out.x[:1].astype("float32"))  # builds it
        checks.never_trained(self.model, "classifier")
        checks.outputs(outputs, held_out.encoding.num_classes)
        one_hot = held_out.encoding.form == "one_hot" and outputs.shape[1] > 1
        self._decode = None if one_hot else held_out.encoding.decode
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        # Dropout's seeds are among the model's variables.
        self._variables = [*self.model.variables, *optimizer.variables]
        self._start = [keras.ops.convert_to_numpy(v) for v in self._variables]

    def f1(self, dataset):
        """Train on a dataset; array of the F1 of each class that is scored."""
        outputs = self.outputs(dataset)
        is_logit = outputs.shape[1] == 1 and gives_logits(self.model)
        threshold = 0.0 if is_logit else None
        predicted = predicted_classes(outputs, threshold)
        return class_f1(self.held_out, self.scored, predicted)

    def begin(self, dataset, thread):
        """`Future` of `f1`, trained at once: one model is trained at a time."""
        return known(self.f1(dataset))

    def outputs(self, dataset):
        """Train on a dataset; what the model gives for the held-out images.

        Raises:
            FloatingPointError: When that is not finite.
        """
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        feed = _Steps(dataset, self._decode, self.steps)
        with untuned():
            self.model.fit(feed, epochs=1, shuffle=False, verbose=0)
        outputs = self._predicted()
        checks.finite(outputs, f"classifier={self.build!r}")
        return outputs

    def _predicted(self):
        x = self.held_out.x
        # Floats, as `fit` gets them: a subclassed model casts no integers.
        batches = (x[i : i + _BATCH_SIZE] for i in range(0, len(x), _BATCH_SIZE))
        predict = self.model.predict_on_batch
        return np.concatenate([predict(batch.astype("float32")) for batch in batches])


class _Steps(keras.utils.PyDataset):
    """So many full batches of a `BalancedDataset`, epoch by epoch.

    Args:
        dataset: The `BalancedDataset`.
        decode: Function from its labels to class indices; None to leave them one-hot,
            as mixed ones stay.
        steps: Number of batches.
    """

    def __init__(self, dataset, decode, steps):
        super().__init__()
        self.dataset, self.steps = dataset, steps
        self.decode = decode if dataset.mix is None else None
        total = sum(dataset.class_counts.values())
        # One shape of all batches is one compilation.
        self.full_batches = max(1, total // dataset.batch_size)

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        place = divmod(index, self.full_batches)
        images, labels, *weights = self.dataset.batch(*place)
        return images, self.decode(labels) if self.decode else labels, *weights
