"""The course of a training through its phases, to the most useful checkpoint."""

import reprlib
import typing
import warnings

import keras
import numpy as np

from keras_balance.metrics.features import Features
from keras_balance.models.training import selection
from keras_balance.models.training.weights import snapshot
from keras_balance.utils.losses import check_epoch
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import derive_seed

# Generated images by which a checkpoint is judged: of each class, and of all.
_SAMPLES_PER_CLASS, _LEAST_SAMPLES, _SAMPLES = 100, 10, 3000
_COLLAPSED = 0.01
# Key of the logs of an adversarial phase: how much the images of a class differ.
DIVERSITY = "diversity"


class Phase(typing.NamedTuple):
    """A phase of a generator's training.

    Attributes:
        name: Its name, as in `fit(<name>_epochs=...)`; the last one's epochs are
            called `epochs`.
        step: Function from `(generator, data)` to a dict of logs.
        optimizers: Names of the optimizers of the phase.
        steps: Number of steps that is enough for a small data set.
        is_adversarial: Whether a class may collapse to a single image.
    """

    name: str
    step: typing.Callable
    optimizers: tuple
    steps: int
    is_adversarial: bool = False


def plan_epochs(phases, batches, given):
    """Epochs of each phase, by name.

    Args:
        phases: `Phase`s in their order.
        batches: Batches of an epoch.
        given: dict of arguments of `fit`: `epochs` of the last phase, `<name>_epochs`
            of an earlier one; None for as many as make enough steps.
    """
    arguments = [*(f"{phase.name}_epochs" for phase in phases[:-1]), "epochs"]
    for name, value in given.items():
        if name not in arguments:
            raise TypeError(
                f"`fit` must get the epochs of phases as {arguments}. "
                f"Received: {name}={reprlib.repr(value)}"
            )
    epochs = {}
    for phase, argument in zip(phases, arguments, strict=True):
        number = given.get(argument)
        if number is None:
            number = max(1, round(phase.steps / batches))
        epochs[phase.name] = whole_number(argument, number, 0)
    return epochs


class Course(keras.callbacks.Callback):
    """Takes a generator through its phases, watches over it, and chooses.

    The checkpoints of the last phase are judged, and where there are earlier phases,
    what these have left is the first candidate.

    Args:
        epochs: dict of each phase's name to its epochs.
        images: A sample of the real training images `(n, ...)`.
        labels: Their class indices `(n,)`.
        features: Optional Keras model from images to vectors, by which checkpoints are
            judged in place of pixels.
    """

    def __init__(self, epochs, images, labels, features=None):
        super().__init__()
        self.epochs = epochs
        self.images = images
        self.labels = labels
        self.features = None if features is None else Features(features)
        self._warned = False

    def on_train_begin(self, logs=None):
        """Tell the model what a training that goes on with this one must agree in."""
        earlier = [phase.name for phase in self.model.phases[:-1]]
        self.model.plan = {f"{name}_epochs": self.epochs[name] for name in earlier}
        self.model.plan["batches"] = self.params["steps"]

    def on_epoch_begin(self, epoch, logs=None):
        """Enter the phase that this epoch belongs to."""
        model = self.model
        self._last_good = snapshot(model)
        phase, begin = self._phase_at(epoch)
        if epoch:  # also where a training is resumed
            model.pending = self.images, self.labels
        else:
            model.forget_training(phase.name)
        if epoch == begin:
            model.begin_phase(phase.name, self.images, self.labels)
            model.pending = None  # which it has settled
        if epoch == begin and self._is_judged(phase):
            model.best_score.assign(-1.0)
            if phase != model.phases[0]:
                self._consider(epoch)
        model.enter(phase.name)

    def on_epoch_end(self, epoch, logs=None):
        """Watch losses and weights; judge the checkpoint where one is due."""
        self._check_epoch(epoch, logs)
        model = self.model
        phase, begin = self._phase_at(epoch)
        model.count_epoch(phase.name)
        model.pending = self.images, self.labels
        if phase.is_adversarial:
            self._check_diversity(logs)
        done = epoch + 1 - begin
        if self._is_judged(phase) and self._is_candidate(done, phase):
            self._consider(epoch + 1)

    def on_train_end(self, logs=None):
        """Serve the best checkpoint from now on."""
        model = self.model
        model.settle_pending()
        if float(keras.ops.convert_to_numpy(model.best_score)) >= 0:
            model.serve_best()
        self.close()

    def close(self):
        """Fit to the weights, as they are now, what `draw` needs beside them."""
        model = self.model
        if model.is_fitted:
            model.settle(self.images, self.labels)
            model.pending = None
        model.end_training(self.images, self.labels)

    def _phase_at(self, epoch):
        """Find the phase of an epoch, and the epoch that it begins at."""
        begin = 0
        for phase in self.model.phases:
            if epoch < begin + self.epochs[phase.name]:
                return phase, begin
            begin += self.epochs[phase.name]
        raise ValueError(
            f"Epochs must be within the phases, {self.epochs}. Received: epoch={epoch}"
        )

    def _is_judged(self, phase):
        return phase == self.model.phases[-1] and self.model.candidates > 0

    def _is_candidate(self, done, phase):
        """Whether one of the evenly spaced checkpoints falls on this epoch."""
        due = np.linspace(0, self.epochs[phase.name], self.model.candidates + 1)[1:]
        return done in np.ceil(due).astype(int)

    def _consider(self, epoch):
        model = self.model
        most = max(_LEAST_SAMPLES, _SAMPLES // model.num_classes)
        images, labels = self._samples(min(_SAMPLES_PER_CLASS, most))
        real = model.unseen(self.images, self.labels)
        score = selection.usefulness(images, labels, *real, self.features)
        model.candidate_scores[epoch] = score
        # Strictly better: an earlier phase's stays unless the last one beats it.
        if np.float32(score) > keras.ops.convert_to_numpy(model.best_score):
            model.best_score.assign(score)
            model.keep_best()

    def _check_epoch(self, epoch, logs):
        try:
            check_epoch(epoch, logs, self.model)
        except FloatingPointError:
            self.model.set_weights(self._last_good)
            raise

    def _check_diversity(self, logs):
        images, labels = self._samples(16)
        values = selection.diversity(
            images, labels, self.images, self.labels, self.model.num_classes
        )
        lowest = int(np.argmin(values))
        logs[DIVERSITY] = float(values[lowest])
        if values[lowest] < _COLLAPSED and not self._warned:
            self._warned = True
            warnings.warn(
                f"Generated images of class {lowest} are nearly all alike: their "
                f"spread is {values[lowest]:.3f} of the real images'.",
                stacklevel=2,
            )

    def _samples(self, per_class):
        labels = np.repeat(np.arange(self.model.num_classes), per_class)
        seed = derive_seed(self.model.root_seed, per_class)
        return self.model.generate_classes(labels, seed), labels


class Closing(keras.callbacks.Callback):
    """Closes a course once more, behind callbacks that put weights back.

    `EarlyStopping` does so, with Gaussians of any earlier epoch.

    Args:
        course: The `Course` that the training began with.
    """

    def __init__(self, course):
        super().__init__()
        self.course = course

    def on_train_end(self, logs=None):
        """Close the course."""
        self.course.close()
