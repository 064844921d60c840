"""What the losses share: counts, labels of any form, one sigmoid output."""

import math

import keras
import numpy as np
from keras import ops

from keras_balance.utils.class_counts import read_class_counts
from keras_balance.utils.numbers import flag

# Keras' own losses cut off at 1e-7, beyond which a rare class that is given up learns
# nothing: here it does down to this. Next to 0 the slope of the logarithm, times the
# weight of an image, is more than a float can hold.
_LOWEST = 1e-30


class CountedLoss(keras.losses.Loss):
    """Loss that knows how many images of each class the feed shows.

    A subclass gives the loss of every class in `class_losses`: what an image would
    cost if that were its label. The loss is their mean, weighted by the label, so that
    on soft labels it is the mixture of the losses on hard ones.

    Args:
        class_counts: As `read_class_counts` takes them.
        from_logits: Whether predictions are logits, or else probabilities.
        reduction: As in Keras' losses.
        name: As in Keras' losses.
        dtype: As in Keras' losses; for probabilities float32 in place of float16.
    """

    def __init__(self, class_counts, from_logits, reduction, name, dtype):
        self.from_logits = flag("from_logits", from_logits)
        if not self.from_logits:
            dtype = _with_slopes(dtype)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._counts = read_class_counts(class_counts)
        self.class_counts = self._counts.tolist()

    @property
    def num_classes(self):
        """Number of classes."""
        return len(self._counts)

    @property
    def class_factors(self):
        """By how much each class is weighed up, `(num_classes,)`; None for none."""
        return None

    def call(self, y_true, y_pred):
        """Loss of every image `(n,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        width = y_pred.shape[-1] if len(y_pred.shape) > 1 else None
        if width == 1 and self.num_classes == 2:
            losses = self.sigmoid_losses(ops.squeeze(self._score(y_pred), -1))
            targets = self._targets(y_true, y_pred, of_sigmoid=True)
        elif width == self.num_classes:
            losses = self.class_losses(self._logits(y_pred))
            targets = self._targets(y_true, y_pred, of_sigmoid=False)
        else:
            raise ValueError(
                f"`y_pred` must have shape (n, num_classes={self.num_classes}), or "
                "(n, 1) where there are two classes. "
                f"Received: y_pred of shape {tuple(y_pred.shape)}"
            )
        return ops.sum(targets * losses, axis=-1)

    def class_losses(self, logits):
        """Loss under each label `(n, num_classes)`, of as many logits."""
        raise NotImplementedError

    def sigmoid_losses(self, logit):
        """Loss under each label `(n, 2)`, of the logit `(n,)` of one output."""
        return self.class_losses(ops.stack([-logit / 2, logit / 2], axis=-1))

    def get_config(self):
        """Give the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "from_logits": self.from_logits,
            "dtype": self.dtype,
        }

    def constant(self, values):
        """NumPy values as a tensor in the dtype of the loss."""
        return ops.convert_to_tensor(np.asarray(values), dtype=self.dtype)

    def _logits(self, y_pred):
        return y_pred if self.from_logits else _log(y_pred)

    def _score(self, y_pred):
        """Logit of the second class from one output."""
        if self.from_logits:
            return y_pred
        # Next to 1 no float is nearer than about this.
        rest = ops.maximum(1 - y_pred, keras.config.epsilon())
        return _log(y_pred) - ops.log(rest)

    def _targets(self, y_true, y_pred, of_sigmoid):
        """Shares of the labels `(n, num_classes)`."""
        rank, width = len(y_pred.shape), self.num_classes
        if len(y_true.shape) == rank and y_true.shape[-1] == width:
            return y_true
        if len(y_true.shape) == rank and y_true.shape[-1] == 1:
            y_true = ops.squeeze(y_true, -1)
        if len(y_true.shape) != rank - 1:
            raise ValueError(
                f"`y_true` must have shape (n,), (n, 1) or (n, num_classes={width}). "
                f"Received: y_true of shape {tuple(y_true.shape)} with y_pred of "
                f"shape {tuple(y_pred.shape)}"
            )
        if of_sigmoid:  # as in Keras, 0.3 is a soft label
            is_share = ops.logical_and(y_true >= 0, y_true <= 1)
            y_true = ops.where(is_share, y_true, float("nan"))
            return ops.stack([1 - y_true, y_true], axis=-1)
        indices = ops.clip(ops.cast(y_true, "int32"), 0, width - 1)
        is_class = ops.equal(ops.cast(indices, y_true.dtype), y_true)
        targets = ops.one_hot(indices, width, dtype=y_true.dtype)
        # A compiled step cannot raise.
        return ops.where(ops.expand_dims(is_class, -1), targets, float("nan"))


def _log(shares):
    """Logarithm of probabilities, without a slope where they are as good as 0."""
    is_low = shares < _LOWEST
    # Not by a maximum alone: JAX makes NaN of an endless slope that is multiplied by 0.
    logs = ops.log(ops.where(is_low, 1.0, shares))
    return ops.where(is_low, math.log(_LOWEST), logs)


def _with_slopes(dtype):
    """Give a dtype that holds the slope of the logarithm: float16 ends at 65504."""
    policy = keras.dtype_policies.get(dtype or keras.config.floatx())
    return "float32" if policy.compute_dtype == "float16" else dtype
