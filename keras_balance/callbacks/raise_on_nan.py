"""An error where a loss is no number any more, and the weights from before."""

import keras
import numpy as np

from keras_balance.utils.losses import check_epoch


class RaiseOnNaN(keras.callbacks.Callback):
    """Stops a training that diverges with an error, and keeps the last good weights.

    `keras.callbacks.TerminateOnNaN` looks at `loss` alone, and leaves a model of NaN
    behind. This one looks after each epoch at every loss (`loss`, and logs that end
    in `_loss`: `val_loss`, those of several outputs) and at all weights, the statistics
    of batch normalisation included, and gives the model the weights from before the
    epoch. The optimizer keeps what it has seen: compile the model anew before it is
    trained further. A generator of `kb.models` watches over both by itself.

    Raises:
        FloatingPointError: From `fit`, when a loss or a weight that is trained is NaN
            or infinite, or another weight NaN.

    Example:
        >>> model.fit(train, epochs=20, callbacks=[kb.callbacks.RaiseOnNaN()])
    """

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the weights."""
        # A copy: on some backends an optimizer writes what `get_weights` hands out.
        self._last_good = [np.array(weight) for weight in self.model.get_weights()]

    def on_epoch_end(self, epoch, logs=None):
        """Look at the losses and the weights."""
        try:
            check_epoch(epoch, logs, self.model)
        except FloatingPointError:
            self.model.set_weights(self._last_good)
            raise
