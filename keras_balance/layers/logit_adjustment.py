"""The decision of a classifier that knows how rare each class was."""

import keras
import numpy as np
from keras import ops

from keras_balance.utils.class_counts import read_class_counts
from keras_balance.utils.numbers import flag, real_number
from keras_balance.utils.priors import read_prior


@keras.saving.register_keras_serializable(package="keras_balance")
class LogitAdjustment(keras.layers.Layer):
    """Takes out of a classifier's probabilities how frequent its classes were.

    A network that has seen 300 images of one class and 12 of another favours the first.
    By Bayes' rule its probabilities, times the shares of the classes where it is used,
    by those that it was trained on, are right there. Without training anything, that
    finds most of the rare images which the plain network misses. It is the last layer,
    the same in training and inference, and computes in float32 whatever the global
    policy, unless it is given a `dtype`: half precision loses rare classes.

    Input shape:
        Probabilities or logits `(n, num_classes)`, or `(n, 1)` of one sigmoid output
        where there are two classes.

    Output shape:
        The same, probabilities: `p * (target / share) ** tau`, of sum 1.

    Args:
        class_counts: Images of each class that the classifier has seen in an epoch: an
            array `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`.
        tau: Strength: 0 changes nothing, 1 is Bayes' rule, and more than 1 serves
            networks that know their few rare images by heart.
            `kb.tuners.AutoAdjustment` finds it.
        target_prior: How frequent the classes are where it is used: `"uniform"` for
            equally, `"natural"` for as in `class_counts`, or shares: an array
            `(num_classes,)`, or a dict `{class: share}` (in the order of its sorted
            classes) of every class.
        from_logits: Whether inputs are logits, or else probabilities.
        dtype: What it computes in, or a dtype policy.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Raises:
        ValueError: For counts or shares that are not positive, and for inputs of
            another number of classes.
        TypeError: For arguments of a wrong type.

    Example:
        >>> import numpy as np
        >>> layer = kb.layers.LogitAdjustment([90, 10])
        >>> keras.ops.convert_to_numpy(layer(np.array([[0.75, 0.25]]))).round(2)
        array([[0.25, 0.75]], dtype=float32)

    References:
        - Menon et al. 2021, "Long-tail learning via logit adjustment", equation 9.
        - Saerens et al. 2002, "Adjusting the Outputs of a Classifier to New a Priori
          Probabilities", equation 2.4, for `target_prior`.
    """

    def __init__(
        self,
        class_counts,
        tau=1.0,
        target_prior="uniform",
        from_logits=False,
        dtype="float32",
        **kwargs,
    ):
        # In float16 a rare class of 1e-8 would be 0 before it is adjusted.
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        counts = read_class_counts(class_counts)
        self.class_counts = counts.tolist()
        self.tau = real_number("tau", tau, 0)
        prior = read_prior(target_prior, counts)
        is_name = isinstance(target_prior, str)
        self.target_prior = target_prior if is_name else prior.tolist()
        self.from_logits = flag("from_logits", from_logits)
        self._offsets = self.tau * np.log(prior / (counts / counts.sum()))

    def build(self, input_shape):
        """Check the number of classes."""
        width, of_counts = input_shape[-1], len(self.class_counts)
        if width != of_counts and (width, of_counts) != (1, 2):
            raise ValueError(
                f"There must be one count for each of the {width} outputs of the "
                f"classifier. Received: class_counts={self.class_counts}"
            )
        self.built = True

    def call(self, inputs):
        """Adjust probabilities."""
        inputs = ops.cast(inputs, self.compute_dtype)
        # The smallest normal float32, nearly: 0 has no logarithm.
        logits = inputs if self.from_logits else ops.log(ops.maximum(inputs, 1e-37))
        if inputs.shape[-1] == 1:
            if not self.from_logits:
                logits = logits - ops.log(ops.maximum(1 - inputs, 1e-37))
            return ops.sigmoid(logits + float(self._offsets[1] - self._offsets[0]))
        offsets = ops.convert_to_tensor(self._offsets, dtype=self.compute_dtype)
        return ops.softmax(logits + offsets, axis=-1)

    def compute_output_shape(self, input_shape):
        """Shape as it is."""
        return input_shape

    def get_config(self):
        """Arguments of `__init__`."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "tau": self.tau,
            "target_prior": self.target_prior,
            "from_logits": self.from_logits,
        }
