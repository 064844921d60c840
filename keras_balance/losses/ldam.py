"""Margins that are the larger the rarer a class is."""

import keras
import numpy as np
from keras import ops

from keras_balance.losses.counted_loss import CountedLoss
from keras_balance.utils.numbers import real_number


@keras.saving.register_keras_serializable(package="keras_balance")
class LDAM(CountedLoss):
    """Label-distribution-aware margin loss.

    The logit of an image's own class is lowered by a margin that is proportional to
    `count ** -0.25`, before the cross-entropy. The paper's networks end in cosines of
    angles (unit vectors and unit weights), which `scale` stretches; with ordinary
    logits a smaller `scale`, such as 1, is nearer to what cross-entropy does. The paper
    has it with weights that are deferred: `kb.callbacks.DeferredReweighting`.

    Args:
        class_counts: Images of each class that an epoch shows: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`. Only their ratios matter.
        max_margin: Margin of the rarest class, 0 or more.
        scale: Factor of the logits after the margin, more than 0.
        from_logits: Whether predictions are logits, or else probabilities, whose
            logarithms are taken for logits.
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
        >>> loss = kb.losses.LDAM([625, 1], scale=1.0, from_logits=True)
        >>> round(float(loss([1], [[0.0, 0.5]])), 4)  # log(2)
        0.6931

    Reference:
        Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware
        Margin Loss", equations 10 to 13.
    """

    def __init__(
        self,
        class_counts,
        max_margin=0.5,
        scale=30.0,
        from_logits=False,
        reduction="sum_over_batch_size",
        name="ldam",
        dtype=None,
    ):
        super().__init__(class_counts, from_logits, reduction, name, dtype)
        self.max_margin = real_number("max_margin", max_margin, 0)
        self.scale = real_number("scale", scale, np.finfo("float32").tiny)
        self._margins = self.max_margin * (self._counts / self._counts.min()) ** -0.25

    def class_losses(self, logits):
        """Cross-entropy with a margin, under each label."""
        logits = self.scale * logits
        margins = self.constant(self.scale * self._margins)
        return ops.softplus(_others(logits) - logits + margins)

    def get_config(self):
        """Give the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "max_margin": self.max_margin,
            "scale": self.scale,
        }


def _others(logits):
    """Logarithm of the sum of the exponentials of all other logits, for each one."""
    total = ops.logsumexp(logits, axis=-1, keepdims=True)
    largest = ops.argmax(logits, axis=-1)
    is_largest = ops.one_hot(largest, logits.shape[-1], dtype="bool")
    # Without the largest hardly anything may be left, too little for a difference.
    rest = ops.where(is_largest, -float("inf"), logits)
    of_largest = ops.logsumexp(rest, axis=-1, keepdims=True)
    shares = ops.where(is_largest, 0.0, ops.exp(logits - total))
    of_others = total + ops.log1p(-ops.minimum(shares, 0.5))
    return ops.where(is_largest, of_largest, of_others)
