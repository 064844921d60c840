"""Class weights that come late in a training."""

import math

import keras
import numpy as np
from keras import ops

from keras_balance.callbacks.callbacks_in_fit import callbacks_in_fit
from keras_balance.utils.class_counts import (
    effective_number_weights,
    read_class_counts,
)
from keras_balance.utils.numbers import real_number
from keras_balance.utils.outputs import num_classes_of


class DeferredReweighting(keras.callbacks.Callback):
    """Weighs rare classes higher in the last epochs of a training only (DRW).

    Weights from the beginning harm what a network learns to see: few images pull it
    hard. Here it first learns from all images alike, and then, usually with a lower
    learning rate, where to draw the lines. It serves every loss, also
    `kb.losses.LDAM`, with which it was published. The weights multiply those of the
    samples, in training and not in validation.

    It looks at the number of the epoch alone, so that a training which resumes goes on
    as it would have. A training that an error or Ctrl-C has ended leaves the weights in
    the model, until the next `fit` with such a callback. The model must compute its
    loss by `compute_loss`, as Keras' own training steps do, from one output.

    Args:
        class_counts: Images of each class that an epoch shows: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`.
        beta: In [0, 1). The weights are those of
            `kb.losses.ClassBalancedCrossentropy`: 0 weighs all classes alike, towards 1
            by their inverse counts.
        start: In [0, 1], the part of the epochs without weights.

    Attributes:
        weights: float64 `(num_classes,)`, of mean 1.

    Raises:
        ValueError: For counts that are not positive or fewer than two, and numbers out
            of bounds. From `fit`, for labels that are not those of as many classes, and
            for two such callbacks.
        TypeError: For arguments of a wrong type.

    Example:
        >>> model.compile("adam", kb.losses.LDAM(train))
        >>> drw = kb.callbacks.DeferredReweighting(train)
        >>> model.fit(train, epochs=5, callbacks=[drw])  # weights in the fifth

    Reference:
        Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware
        Margin Loss", algorithm 1, with the weights of Cui et al. 2019.
    """

    def __init__(self, class_counts, beta=0.9999, start=0.8):
        super().__init__()
        self.class_counts = read_class_counts(class_counts).tolist()
        self.beta = real_number("beta", beta, 0, np.nextafter(1, 0))
        self.start = real_number("start", start, 0, 1)
        counts = np.array(self.class_counts)
        self.weights = effective_number_weights(counts, self.beta)
        self._compute_loss = self._own_loss = None

    @property
    def class_factors(self):
        """By how much each class is weighed up, `(num_classes,)`; None for never."""
        return self.weights if self.start < 1 else None

    def on_train_begin(self, logs=None):
        """Take out what a training that was interrupted has left in the model."""
        for other in callbacks_in_fit():
            is_second = isinstance(other, DeferredReweighting) and other is not self
            if is_second and other.model is self.model:
                raise ValueError(
                    "A training must have one `DeferredReweighting` at most. "
                    f"Received: callbacks with {self!r} and {other!r}"
                )
        left = getattr(vars(self.model).get("compute_loss"), "__self__", None)
        if isinstance(left, DeferredReweighting):
            left.on_train_end()

    def on_epoch_begin(self, epoch, logs=None):
        """Put the weights in, once their time has come."""
        first = math.ceil(self.start * self.params["epochs"] - 1e-9)
        if epoch >= first and self._compute_loss is None:
            self._compute_loss = self.model.compute_loss
            self._own_loss = vars(self.model).get("compute_loss")  # as the user set it
            self.model.compute_loss = self._weighted_loss
            # The step that was compiled knows nothing of them.
            self.model.make_train_function(force=True)

    def on_train_end(self, logs=None):
        """Give the model its own loss back."""
        if self._compute_loss is not None:
            del self.model.compute_loss
            if self._own_loss is not None:
                self.model.compute_loss = self._own_loss
            self._compute_loss = self._own_loss = None
            self.model.make_train_function(force=True)

    def _weighted_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if training:
            weights = self._weights_of(y, y_pred)
            if sample_weight is not None:
                sample_weight = ops.cast(sample_weight, weights.dtype)
                weights = weights * ops.reshape(sample_weight, ops.shape(weights))
            sample_weight = weights
        return self._compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training
        )

    def _weights_of(self, y, y_pred):
        """Weight of each image `(n,)`; of a soft label, the mean of its classes."""
        classes = num_classes_of(y_pred.shape)
        if classes not in (None, len(self.weights)):
            raise ValueError(
                "`class_counts` must hold one number a class. "
                f"Received: {len(self.weights)} of them, and a model of {classes} "
                "classes"
            )
        table = ops.convert_to_tensor(self.weights, dtype="float32")
        shape = getattr(y, "shape", None)
        if shape is None or len(shape) not in (1, 2):
            raise ValueError(
                "`DeferredReweighting` needs one array of labels, (n,), (n, 1) or "
                f"(n, num_classes={len(self.weights)}). Received: y={y!r}"
            )
        if len(shape) == 2 and shape[1] == len(self.weights):
            return ops.matmul(ops.cast(y, "float32"), ops.reshape(table, (-1, 1)))[:, 0]
        labels = ops.reshape(y, (-1,))
        if y_pred.shape[-1] == 1:  # one sigmoid output: a soft label lies in between
            shares = ops.cast(labels, "float32")
            return (1 - shares) * table[0] + shares * table[1]
        return ops.take(table, ops.cast(labels, "int32"))
