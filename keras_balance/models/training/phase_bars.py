"""What `fit` of a generator shows: the time it will take, and a bar a phase."""

import time

import keras

from keras_balance.utils.progress_line import ProgressLine, can_rewrite

_WIDTH = 20
# What a step costs in parts of the way of its images through all networks: the way
# back, the losses, the optimizers. Measured with BAGAN and VAE, 28 to 64 pixels.
_PARTS, _ADVERSARIAL_PARTS = 1.5, 2.5


class PhaseBars(keras.callbacks.Callback):
    """One line a phase, that is rewritten, in place of Keras' one an epoch.

    Args:
        epochs: dict of each phase's name to its epochs.
        batches: Batches of an epoch.
        batch_size: Images in a batch.
        initial_epoch: Epoch of the whole run that it begins at.
    """

    def __init__(self, epochs, batches, batch_size, initial_epoch=0):
        super().__init__()
        self._phases = [
            (name, epoch + 1, number)
            for name, number in epochs.items()
            for epoch in range(number)
        ]
        self._batches, self._batch_size = batches, batch_size
        self._first = initial_epoch
        self._line = ProgressLine()

    def on_train_begin(self, logs=None):
        """Tell how long the whole training will take."""
        left = [name for name, *_ in self._phases[self._first :]]
        steps = len(left) * self._batches
        seconds = self._batches * seconds_forward(self.model, self._batch_size)
        seconds *= sum(
            left.count(phase.name)
            * (_ADVERSARIAL_PARTS if phase.is_adversarial else _PARTS)
            for phase in self.model.phases
        )
        self._line.tell(
            f"{type(self.model).__name__}: {steps:,} steps of {self._batch_size} "
            f"images {self.model.image_shape}, about {in_words(seconds)}"
        )
        self._begin = self._last = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Rewrite the line, twice a second."""
        now = time.monotonic()
        if can_rewrite() and now - self._last > 0.5:
            self._last = now
            self._rewrite(self._epoch, (batch + 1) / self._batches, logs)

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        """Rewrite the line; end it with the phase."""
        _, done, number = self._phases[epoch]
        if can_rewrite() or done == number:
            self._rewrite(epoch, 1, logs)
        if done == number:
            self._line.end()

    def on_train_end(self, logs=None):
        """Go on below, also where a training was stopped."""
        self._line.end()

    def _rewrite(self, epoch, part, logs):
        name, place, number = self._phases[epoch]
        full = round(_WIDTH * (place - 1 + part) / number)
        took = time.monotonic() - self._begin
        done = epoch + part - self._first
        left = took / done * (len(self._phases) - self._first - done)
        scores = "".join(
            f", {key} {float(value):.4g}" for key, value in (logs or {}).items()
        )
        self._line.rewrite(
            f"{name} [{'#' * full}{'.' * (_WIDTH - full)}] epoch {place}/{number}"
            f"{scores}, {in_words(took)}, about {in_words(left)} left"
        )


def seconds_forward(model, batch_size):
    """Measure how long a batch takes through all networks of a model, forward."""
    took = 0.0
    for network in model.layers:
        if isinstance(network, keras.Model):
            inputs = [
                keras.ops.zeros((batch_size, *one.shape[1:]), one.dtype)
                for one in network.inputs
            ]
            inputs = inputs if len(inputs) > 1 else inputs[0]
            for _ in range(2):  # the first call prepares what others find ready
                start = time.perf_counter()
                keras.ops.convert_to_numpy(network(inputs, training=False))
                last = time.perf_counter() - start
            took += last
    return took


def in_words(seconds):
    """Seconds as people say them."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
