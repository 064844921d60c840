"""A last layer that compares directions: features with one weight vector a class."""

import keras
import numpy as np
from keras import ops

from keras_balance.layers.class_means import ClassMeans
from keras_balance.utils.class_counts import class_indices
from keras_balance.utils.numbers import real_number, whole_number

# Wider features are standardised one by one: their covariances take too much memory.
_WIDEST = 4096


@keras.saving.register_keras_serializable(package="keras_balance")
class CosineHead(keras.layers.Layer):
    """Class probabilities from the angles between features and one vector a class.

    Features are raised to `power` (their sign kept), which makes the skewed ones of a
    network that ends in rectifiers more nearly normal, and standardised as in the
    training data, around the middle of the classes. What then varies together within
    the classes counts less, by their shrunken covariance, which the frequent classes
    teach the rare one. The vectors begin at the class means, by `start_at_means`, and
    are held near them by `anchor`: a dozen images are enough for a mean, and not for a
    thousand free weights.

    Call `start_at_means` before any training: vectors of no length have no direction to
    turn, and a step of plain gradient descent throws them far off.

    All vectors count by their direction alone, so that a class gains nothing by being
    frequent. Nor does it lose by being rare: the mean of a dozen images points a little
    beside the true one, so that even images of its own class have small cosines with
    it; what that takes away is given back.

    Args:
        num_classes: Number of classes, 2 or more.
        power: In (0, 1]; 1 leaves the features as they are.
        scale: Factor of the cosines before the softmax, with which training begins.
        anchor: Strength, 0 or more, of the pull of each vector towards the mean of
            its class: the factor of the squared distance in the loss.
        shrinkage: In (0, 1]: how far the covariance within the classes is drawn towards
            features that vary alone and alike, which 1 takes them for. Features of more
            than 4,096 numbers are always taken for that.
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
        - Friedman 1989, "Regularized Discriminant Analysis", for the shrunken
          covariance; Moran and Murphy 1979, "A Closer Look at Two Alternative Methods
          of Statistical Discrimination", for what the error of a mean does; DerSimonian
          and Laird 1986, "Meta-Analysis in Clinical Trials", for the weights of the
          classes in their centre.
        - Li et al. 2018, "Explicit Inductive Bias for Transfer Learning", equation 3,
          for the pull to where training began.
    """

    def __init__(
        self,
        num_classes,
        power=0.5,
        scale=16.0,
        anchor=0.07,
        shrinkage=0.8,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        self.power = real_number("power", power, above=0, highest=1)
        self.scale = real_number("scale", scale, above=0)
        self.anchor = real_number("anchor", anchor, 0)
        self.shrinkage = real_number("shrinkage", shrinkage, above=0, highest=1)

    def build(self, input_shape):
        """Make the weights for features `(n, d)`."""
        width = input_shape[-1]
        shape = (self.num_classes, width)
        fixed = {"trainable": False, "initializer": "zeros"}
        self.mean = self.add_weight(shape=(width,), name="mean", **fixed)
        self.deviation = self.add_weight(
            shape=(width,), initializer="ones", trainable=False, name="deviation"
        )
        self.whitening = None
        if self.shrinkage < 1 and width <= _WIDEST:
            self.whitening = self.add_weight(
                shape=(width, width),
                initializer="identity",
                trainable=False,
                name="whitening",
            )
        self.start = self.add_weight(shape=shape, name="start", **fixed)
        self.gain = self.add_weight(
            shape=(self.num_classes,),
            initializer="ones",
            trainable=False,
            name="gain",
        )
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

        Raises:
            ValueError: For a class without any, and class indices that are none.
        """
        rows = np.asarray(rows, dtype="float32")
        indices, _ = class_indices(indices, self.num_classes)
        if not self.built:
            self.build(rows.shape)
        shrinkage = None if self.whitening is None else self.shrinkage
        found = ClassMeans.of(
            _raised(rows, self.power, np),
            indices,
            self.num_classes,
            shrinkage,
        )
        self.mean.assign(found.centre)
        self.deviation.assign(found.deviation)
        if self.whitening is not None:
            self.whitening.assign(found.whitening)
        self.start.assign(found.directions)
        self.gain.assign(found.gain)
        self.shift.assign(np.zeros_like(found.directions))
        self.log_scale.assign(np.log(self.scale))

    def call(self, inputs):
        """Probabilities of features."""
        rows = _raised(inputs, self.power, ops)
        rows = (rows - self.mean) / self.deviation
        if self.whitening is not None:
            rows = ops.matmul(rows, self.whitening)
        cosines = ops.matmul(_unit(rows), ops.transpose(_unit(self.start + self.shift)))
        return ops.softmax(ops.exp(self.log_scale) * self.gain * cosines, axis=-1)

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
            "shrinkage": self.shrinkage,
        }


def _raised(rows, power, library):
    """Raise to a power, by NumPy or `keras.ops`; the slope at 0 stays finite."""
    return library.sign(rows) * library.power(library.abs(rows) + 1e-7, power)


def _unit(vectors):
    # Squares of half precision are soon 0 or infinite.
    dtype = keras.backend.standardize_dtype(vectors.dtype)
    wide = ops.cast(vectors, keras.backend.result_type(dtype, "float32"))
    squares = ops.sum(ops.square(wide), axis=-1, keepdims=True)
    return ops.cast(wide * ops.rsqrt(squares + 1e-12), dtype)
