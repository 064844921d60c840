"""Cross-entropy of logits that are adjusted by how frequent each class is."""

import warnings

import keras
import numpy as np
from keras import ops

from keras_balance.losses.counted_loss import CountedLoss
from keras_balance.utils.class_counts import shown_counts
from keras_balance.utils.numbers import real_number


@keras.saving.register_keras_serializable(package="keras_balance")
class LogitAdjustedCrossentropy(CountedLoss):
    """Cross-entropy after adding `tau * log(share of the class)` to the logits.

    While it trains, frequent classes are favoured by as much as they are frequent, so
    that the network itself need not favour them. Its own outputs then speak for a world
    in which all classes are equally frequent. With `tau=1` this is Balanced Softmax.

    Give it the counts that the *feed* shows: rarity is to be counted once. Where a
    `BalancedDataset` has balanced the classes in full, nothing is left to adjust.

    Args:
        class_counts: Images of each class that an epoch shows: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`. Only their ratios matter.
        tau: Strength, 0 (cross-entropy) or more; 1 is the theory's.
        from_logits: Whether predictions are logits, or else probabilities.
        label_smoothing: In [0, 1]; that much of every label is spread evenly.
        reduction: As in Keras' losses.
        name: As in Keras' losses.
        dtype: As in Keras' losses; for probabilities float32 in place of float16.

    Input shape:
        Labels `(n,)` or `(n, 1)` class indices, or one-hot or soft ones
        `(n, num_classes)`; predictions `(n, num_classes)`. Two classes also as one
        sigmoid output `(n, 1)`, with labels in [0, 1]. More axes in front of the
        classes are free. A label that is no class index turns the loss NaN.

    Raises:
        ValueError: For counts that are not positive or fewer than two, numbers out of
            bounds, and shapes that do not fit.
        TypeError: For arguments of a wrong type.

    Example:
        >>> loss = kb.losses.LogitAdjustedCrossentropy([90, 10], from_logits=True)
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # -log(0.1)
        2.3026

        >>> dataset = kb.BalancedDataset(x, y, sampling_strategy="sqrt")
        >>> model.compile("adam", kb.losses.LogitAdjustedCrossentropy(dataset))

    References:
        - Menon et al. 2021, "Long-tail learning via logit adjustment", equation 10.
        - Ren et al. 2020, "Balanced Meta-Softmax for Long-Tailed Visual Recognition",
          equation 3.
    """

    def __init__(
        self,
        class_counts,
        tau=1.0,
        from_logits=False,
        label_smoothing=0.0,
        reduction="sum_over_batch_size",
        name="logit_adjusted_crossentropy",
        dtype=None,
    ):
        super().__init__(class_counts, from_logits, reduction, name, dtype)
        self.tau = real_number("tau", tau, 0)
        self.label_smoothing = real_number("label_smoothing", label_smoothing, 0, 1)
        self._offsets = self.tau * np.log(self._counts / self._counts.sum())
        # A feed that sees this loss in `fit` says nothing more then.
        self.has_warned = _has_warned(class_counts, self._counts, self.tau)

    @property
    def class_factors(self):
        """By how much each class is weighed up, `(num_classes,)`."""
        return self._counts**-self.tau

    def class_losses(self, logits):
        """Cross-entropy of the adjusted logits, under each label."""
        losses = -ops.log_softmax(logits + self.constant(self._offsets), axis=-1)
        if not self.label_smoothing:
            return losses
        spread = ops.mean(losses, axis=-1, keepdims=True)
        return (1 - self.label_smoothing) * losses + self.label_smoothing * spread

    def get_config(self):
        """Give the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "tau": self.tau,
            "label_smoothing": self.label_smoothing,
        }


def _has_warned(class_counts, counts, tau):
    """Warn of counts that are not those to give; whether they count rarity twice."""
    shown = shown_counts(class_counts)
    is_twice = shown is not None and tau >= 1 and not np.array_equal(shown, counts)
    if is_twice:
        warnings.warn(
            "Rarity is counted twice: these are the real images, but the feed shows "
            f"{shown.tolist()} of the classes. Give the loss the BalancedDataset "
            "itself, or the feed `sampling_strategy='sqrt'` or "
            "`synthesizer='nothing'`.",
            stacklevel=3,
        )
    is_feed = hasattr(class_counts, "class_counts")
    if is_feed and tau > 0 and (counts == counts[0]).all():
        warnings.warn(
            "The adjustment does nothing: the feed shows all classes equally often. "
            "Use Keras' cross-entropy, or leave some of the imbalance to the loss: "
            "`sampling_strategy='sqrt'` or `synthesizer='nothing'`.",
            stacklevel=3,
        )
    return is_twice
