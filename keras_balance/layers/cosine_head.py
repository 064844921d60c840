"""A last layer that compares directions: features with one weight vector a class."""

import keras
import numpy as np
from keras import ops

from keras_balance.utils.numbers import real_number, whole_number

# Of the mean deviation: a feature that hardly moved in training may do so later.
_LEAST_DEVIATION = 0.1


@keras.saving.register_keras_serializable(package="keras_balance")
class CosineHead(keras.layers.Layer):
    """Class probabilities from the angles between features and one vector a class.

    Features are raised to `power` (their sign kept), which makes the skewed ones of a
    network that ends in rectifiers more nearly normal, and standardised as in the
    training data. The vectors begin at the class means, by `start_at_means`, and are
    held near them by `anchor`: a dozen images are enough for a mean, and not for a
    thousand free weights. All vectors count by their direction alone, so that a class
    gains nothing by being frequent.

    Args:
        num_classes: Number of classes, 2 or more.
        power: In (0, 1]; 1 leaves the features as they are.
        scale: Factor of the cosines before the softmax, with which training begins.
        anchor: Strength, 0 or more, of the pull of each vector towards the mean of
            its class: the factor of the squared distance in the loss.
        **kwargs: As in `keras.layers.Layer`.

    Input shape:
        Features `(n, d)`.

    Output shape:
        Probabilities `(n, num_classes)`; all the same before `start_at_means`.

    Raises:
        ValueError: For numbers out of bounds.
        TypeError: For arguments of a wrong type.

    Example:
        >>> head = kb.layers.CosineHead(2)
        >>> rows = np.array([[1.0, 0.0], [0.8, 0.2], [0.0, 1.0]])
        >>> head.start_at_means(rows, np.array([0, 0, 1]))
        >>> keras.ops.convert_to_numpy(head(rows)).argmax(axis=1)
        array([0, 0, 1])

    References:
        - Gidaris and Komodakis 2018, "Dynamic Few-Shot Visual Learning without
          Forgetting", section 3.2, for cosines; Qi et al. 2018, "Low-Shot Learning with
          Imprinted Weights", for the beginning at class means.
        - Yang et al. 2021, "Free Lunch for Few-Shot Learning", equation 3, for the
          power.
        - Li et al. 2018, "Explicit Inductive Bias for Transfer Learning", equation 3,
          for the pull to where training began.
    """

    def __init__(self, num_classes, power=0.5, scale=16.0, anchor=0.03, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        self.power = real_number("power", power, above=0, highest=1)
        self.scale = real_number("scale", scale, above=0)
        self.anchor = real_number("anchor", anchor, 0)

    def build(self, input_shape):
        """Make the weights for features `(n, d)`."""
        width = input_shape[-1]
        shape = (self.num_classes, width)
        fixed = {"trainable": False, "initializer": "zeros"}
        self.mean = self.add_weight(shape=(width,), name="mean", **fixed)
        self.deviation = self.add_weight(
            shape=(width,), initializer="ones", trainable=False, name="deviation"
        )
        self.start = self.add_weight(shape=shape, name="start", **fixed)
        self.shift = self.add_weight(
            shape=shape,
            initializer="zeros",
            regularizer=keras.regularizers.L2(self.anchor),
            name="shift",
        )
        self.log_scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(np.log(self.scale)),
            name="log_scale",
        )
        self.built = True

    def start_at_means(self, rows, indices):
        """Begin anew: at the class means of features `(n, d)` of class indices `(n,)`.

        A class of a single image begins at that image.
        """
        rows = np.asarray(rows, dtype="float32")
        if not self.built:
            self.build(rows.shape)
        rows = np.sign(rows) * np.abs(rows) ** self.power
        deviation = rows.std(axis=0)
        least = _LEAST_DEVIATION * deviation.mean()
        deviation = np.maximum(deviation, least if least > 0 else 1.0)
        self.mean.assign(rows.mean(axis=0))
        self.deviation.assign(deviation)
        rows = (rows - rows.mean(axis=0)) / deviation
        means = np.stack(
            [rows[indices == c].mean(axis=0) for c in range(self.num_classes)]
        )
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        self.start.assign(means / np.maximum(lengths, 1e-6))
        self.shift.assign(np.zeros_like(means))
        self.log_scale.assign(np.log(self.scale))

    def call(self, inputs):
        """Probabilities of features."""
        rows = ops.sign(inputs) * ops.power(ops.abs(inputs) + 1e-7, self.power)
        rows = (rows - self.mean) / self.deviation
        cosines = ops.matmul(_unit(rows), ops.transpose(_unit(self.start + self.shift)))
        return ops.softmax(ops.exp(self.log_scale) * cosines, axis=-1)

    def compute_output_shape(self, input_shape):
        """Give the shape `(n, num_classes)`."""
        return (*input_shape[:-1], self.num_classes)

    def get_config(self):
        """Give the arguments that make the same layer again."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "power": self.power,
            "scale": self.scale,
            "anchor": self.anchor,
        }


def _unit(vectors):
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(squares + 1e-12)
