"""Logits that are both shifted and scaled by how frequent each class is."""

import keras
import numpy as np
from keras import ops

from keras_balance.losses.counted_loss import CountedLoss
from keras_balance.utils.numbers import real_number


@keras.saving.register_keras_serializable(package="keras_balance")
class VectorScaling(CountedLoss):
    """Vector-scaling loss: cross-entropy of `scale * logit + tau * log(share)`.

    The scale of a class is `(count / largest count) ** gamma`, so that the logits of
    rare classes must grow further. It still has an effect where every training image is
    right already, and that of the shift alone is gone. With `gamma=0` it is
    `kb.losses.LogitAdjustedCrossentropy`.

    Args:
        class_counts: Images of each class that an epoch shows: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`. Only their ratios matter.
        tau: Strength of the shift, 0 or more.
        gamma: Exponent of the scale, 0 or more.
        from_logits: Whether predictions are logits, or else probabilities. Of these
            the logits are known but for a constant, and their mean is taken for 0:
            prefer logits.
        reduction: As in Keras' losses.
        name: As in Keras' losses.
        dtype: As in Keras' losses; for probabilities float32 in place of float16.

    Input shape:
        As `kb.losses.LogitAdjustedCrossentropy`. One sigmoid output gets the scale and
        shift of its label, which is the paper's loss for two classes.

    Raises:
        ValueError: For counts that are not positive or fewer than two, numbers out of
            bounds, and shapes that do not fit.
        TypeError: For arguments of a wrong type.

    Example:
        >>> loss = kb.losses.VectorScaling([90, 10], gamma=0.0, from_logits=True)
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # -log(0.1)
        2.3026

    Reference:
        Kini et al. 2021, "Label-Imbalanced and Group-Sensitive Classification under
        Overparameterization", equations 2 and 4.
    """

    def __init__(
        self,
        class_counts,
        tau=1.0,
        gamma=0.15,
        from_logits=False,
        reduction="sum_over_batch_size",
        name="vector_scaling",
        dtype=None,
    ):
        super().__init__(class_counts, from_logits, reduction, name, dtype)
        self.tau = real_number("tau", tau, 0)
        self.gamma = real_number("gamma", gamma, 0)
        self._scales = (self._counts / self._counts.max()) ** self.gamma
        self._shifts = self.tau * np.log(self._counts / self._counts.sum())

    @property
    def class_factors(self):
        """By how much each class is weighed up, `(num_classes,)`."""
        return self._counts**-self.tau

    def class_losses(self, logits):
        """Cross-entropy of the scaled and shifted logits, under each label."""
        if not self.from_logits:
            logits = logits - ops.mean(logits, axis=-1, keepdims=True)
        logits = self.constant(self._scales) * logits + self.constant(self._shifts)
        return -ops.log_softmax(logits, axis=-1)

    def sigmoid_losses(self, logit):
        """Softplus of the scaled and shifted logit against each label."""
        against = ops.stack([logit, -logit], axis=-1)
        shifts = self.constant(self._shifts[::-1] - self._shifts)
        return ops.softplus(self.constant(self._scales) * against + shifts)

    def get_config(self):
        """Give the arguments that make the same loss again."""
        return {**super().get_config(), "tau": self.tau, "gamma": self.gamma}
