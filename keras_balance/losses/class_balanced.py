"""Cross-entropy weighted by the effective number of images."""

import keras
import numpy as np
from keras import ops

from keras_balance.losses.counted_loss import CountedLoss
from keras_balance.utils.class_counts import effective_number_weights
from keras_balance.utils.numbers import real_number


@keras.saving.register_keras_serializable(package="keras_balance")
class ClassBalancedCrossentropy(CountedLoss):
    """Class-balanced cross-entropy, and focal loss.

    An image weighs the inverse of its class's effective number of images,
    `(1 - beta ** count) / (1 - beta)`: another image of a class that has many adds
    little. The weights are scaled so that their mean over the classes is 1.

    Args:
        class_counts: Images of each class that an epoch shows: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`.
        beta: In [0, 1); 0 weighs all classes alike, towards 1 by their inverse counts.
        gamma: Exponent of `1 - probability of the label`, 0 or more. With more than 0
            it is the focal loss, which cares less for what is right already.
        from_logits: Whether predictions are logits, or else probabilities.
        reduction: As in Keras' losses.
        name: As in Keras' losses.
        dtype: As in Keras' losses; for probabilities float32 in place of float16.

    Input shape:
        As `kb.losses.LogitAdjustedCrossentropy`.

    Raises:
        ValueError: For counts that are not positive or fewer than two, numbers out of
            bounds, and shapes that do not fit.
        TypeError: For arguments of a wrong type.

    Example:
        >>> loss = kb.losses.ClassBalancedCrossentropy([30, 10], from_logits=True)
        >>> ratio = loss([1], [[0.0, 0.0]]) / loss([0], [[0.0, 0.0]])
        >>> round(float(ratio), 2)
        3.0

    References:
        - Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples",
          equations 10 and 13.
        - Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 4; of the
          softmax's probability, as in `keras.losses.CategoricalFocalCrossentropy`.
    """

    def __init__(
        self,
        class_counts,
        beta=0.9999,
        gamma=0.0,
        from_logits=False,
        reduction="sum_over_batch_size",
        name="class_balanced_crossentropy",
        dtype=None,
    ):
        super().__init__(class_counts, from_logits, reduction, name, dtype)
        self.beta = real_number("beta", beta, 0, np.nextafter(1, 0))
        self.gamma = real_number("gamma", gamma, 0)
        self._weights = effective_number_weights(self._counts, self.beta)

    @property
    def class_factors(self):
        """By how much each class is weighed up, `(num_classes,)`."""
        return self._weights

    def class_losses(self, logits):
        """Weighted cross-entropy, or focal loss, under each label."""
        log_shares = ops.log_softmax(logits, axis=-1)
        losses = -self.constant(self._weights) * log_shares
        if not self.gamma:
            return losses
        # Below it the slope of a power of less than 1 is endless.
        missing = ops.maximum(-ops.expm1(log_shares), keras.config.epsilon())
        return losses * missing**self.gamma

    def get_config(self):
        """Give the arguments that make the same loss again."""
        return {**super().get_config(), "beta": self.beta, "gamma": self.gamma}
