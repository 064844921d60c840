"""The last layer of a trained classifier, trained anew: seconds, and no epoch."""

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_balance.data import LabelledImages
from keras_balance.models.adjust import adjust_logits, behind
from keras_balance.utils.numbers import real_number
from keras_balance.utils.priors import read_prior

ITERATIONS = 1000  # at most
_BATCH_SIZE = 256
_ACTIVATIONS = (keras.layers.Activation, keras.layers.Softmax)
_OPERATIONS = ("Softmax", "Sigmoid")  # `keras.ops.softmax` and the like


def retrain_head(model, x, y=None, target_prior="uniform", C=0.03):
    """Train the last layer of a trained classifier anew, on what the others give.

    A network learns features faster than it learns what to make of them, and a rare
    class, which it seldom sees, is the last to get its share. Here all images are
    turned into the inputs of the last layer, once, and a logistic regression on them
    takes its place, with the shares of the classes taken out of its probabilities, as
    by `kb.models.adjust_logits`. That takes seconds. What the feed and the loss of the
    training made of the classes' shares does not matter: the last layer forgets it.

    It helps behind plain training. Where the loss was adjusted over a long training
    already, its last layer may be the better one: compare the two on held-out images.

    Args:
        model: A trained Keras model, functional or `Sequential`, that ends in a `Dense`
            layer on vectors, with an activation or without. It stays as it is.
        x: The training images, as `kb.BalancedDataset` takes them, each once: not
            repeated, not augmented, not mixed. Sample weights of a data set weigh.
        y: Their labels; None where `x` holds them.
        target_prior: How frequent the classes are where it is used: `"uniform"`,
            `"natural"` (as in `y`) or shares, see `kb.layers.LogitAdjustment`.
        C: Inverse of the strength of the prior on the weights, for standardised inputs,
            as in `sklearn.linear_model.LogisticRegression`. From 0.01 to 0.1 it makes
            little difference.

    Returns:
        A new `keras.Model`, not compiled, that shares all other layers with `model`,
        and saves and loads as one file. It gives probabilities `(n, num_classes)`, or
        `(n, 1)` as the model does. For 8 bits, quantize `model` before, not this one:
        the standardisation is in its last weights, whose sizes differ too much for
        that.

    Raises:
        TypeError: When `model` is no Keras model.
        ValueError: For a model that does not end so, another number of classes, a class
            without an image, or one that weighs nothing, bad images and labels, and
            shares that are none.
        FloatingPointError: For a model that has diverged.

    Example:
        >>> model.fit(x_train, y_train)
        >>> retrained = kb.models.retrain_head(model, x_train, y_train)
        >>> retrained.save("classifier.keras")

    References:
        - Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed
          Recognition", section 4.1, "classifier re-training". There the classes are
          sampled evenly; here the decision is adjusted instead.
        - Menon et al. 2021, "Long-tail learning via logit adjustment", equation 9.
    """
    strength = real_number("C", C, above=0)
    body, last = parted(model)
    images = LabelledImages.read(x, y)
    images.check_every_class()
    _check_width(last.units, images.num_classes)
    read_prior(target_prior, images.counts)  # an error before any work
    counts = np.bincount(images.indices, images.sample_weight)
    if not counts.all():
        raise ValueError(
            "Every class must have an image that weighs more than 0. Received: x whose "
            f"class {images.encoding.keys[int(np.argmin(counts))]!r} weighs nothing"
        )
    rows = outputs_of(body, images).astype("float64")  # in float32 the fit may stall
    if not np.isfinite(rows).all():
        raise FloatingPointError(
            "The layers of `model` must give finite numbers. "
            f"Received: model={model.name!r}, which gives NaN or infinite ones"
        )
    head = linear_head(rows, images.indices, strength, last.units, images.sample_weight)
    retrained = behind(body, head)
    if isinstance(target_prior, str) and target_prior == "natural":
        return retrained
    return adjust_logits(retrained, counts, target_prior=target_prior)


def parted(model):
    """Part a classifier into a model of the inputs of its last layer, and that layer.

    Raises:
        TypeError: When `model` is no Keras model.
        ValueError: When it does not end in a `Dense` layer on vectors.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received: model={model!r}")
    layers = _layers(model)
    number = len(layers)
    while number and _is_activation(layers[number - 1]):
        number -= 1
    last = layers[number - 1] if number else None
    if isinstance(last, keras.Model) and last is layers[-1]:
        body, dense = parted(last)
        return keras.Sequential([_before(model, layers[-1:]), body]), dense
    if isinstance(last, keras.layers.Dense):
        body = _before(model, layers[number - 1 :])
        if len(body.outputs[0].shape) == 2:
            return body, last
    raise ValueError(
        "`model` must be built, functional or `Sequential`, of one input and "
        "output, and end in a `Dense` layer on vectors (n, d). Received: model="
        f"{model.name!r}, a {type(model).__name__} whose last layer is {last!r}"
    )


def _before(model, left_out):
    """Model of what stands before the last layers of a model.

    What a layer is called on in this model, not what it was first called on: models may
    share it.
    """

    def call(layer, *args, **kwargs):
        is_out = any(layer is one for one in left_out)
        return args[0] if is_out else layer(*args, **kwargs)

    if isinstance(model, keras.Sequential):
        given = model.inputs[0]
        inputs = outputs = keras.Input(batch_shape=given.shape, dtype=given.dtype)
        for layer in model.layers[: -len(left_out)]:
            outputs = layer(outputs)
        return keras.Model(inputs, outputs)
    same = keras.models.clone_model(
        model, clone_function=lambda layer: layer, call_function=call
    )
    # Inputs may be a list of one, which a caller would have to give as well.
    return keras.Model(same.inputs[0], same.outputs[0])


def _layers(model):
    """Layers and operations of a graph of one input and output, in their order."""
    is_sequential = isinstance(model, keras.Sequential)
    is_graph = is_sequential or hasattr(model, "operations")
    if not (is_graph and model.built and len(model.inputs) == len(model.outputs) == 1):
        return []
    return list(model.layers if is_sequential else model.operations)


def _is_activation(operation):
    """Whether it is one of a layer, or of `keras.ops`, on logits."""
    is_layer = isinstance(operation, keras.layers.Layer)
    name = type(operation).__name__
    return isinstance(operation, _ACTIVATIONS) or (not is_layer and name in _OPERATIONS)


def can_retrain(model):
    """Whether a Keras model ends as `retrain_head` asks for."""
    try:
        parted(model)
    except ValueError:
        return False
    return True


def linear_head(rows, indices, C, units=None, sample_weight=None):
    """Logistic regression on standardised features, as a Keras layer on them as is.

    Args:
        rows: Features `(n, d)`.
        indices: Their class indices `(n,)`.
        C: As in `LogisticRegression`.
        units: 1 for the probability of the second class of two alone; by default, and
            else, there is one of each class.
        sample_weight: Optional weights `(n,)`.
    """
    # What weighs nothing has no say in what is standard, either.
    scaler = StandardScaler().fit(rows, sample_weight=sample_weight)
    regression = LogisticRegression(C=C, max_iter=ITERATIONS)
    regression.fit(scaler.transform(rows), indices, sample_weight)
    kernel = (regression.coef_ / scaler.scale_).T
    bias = regression.intercept_ - scaler.mean_ @ kernel
    if len(bias) == 1 and units != 1:  # two classes: what speaks for the second
        kernel, bias = np.hstack([0 * kernel, kernel]), np.append(0, bias)
    head = keras.layers.Dense(
        len(bias),
        activation="sigmoid" if len(bias) == 1 else "softmax",
        dtype="float32",
    )
    head.build((None, len(kernel)))
    head.set_weights([kernel, bias])
    return head


def outputs_of(model, images):
    """Give a model's outputs for all of some `LabelledImages`: an array `(n, d)`."""
    rows = []
    for start in range(0, len(images), _BATCH_SIZE):
        batch = images.source[start : start + _BATCH_SIZE].astype("float32")
        rows.append(keras.ops.convert_to_numpy(model(batch, training=False)))
    return np.concatenate(rows)


def _check_width(units, num_classes):
    if units != num_classes and (units, num_classes) != (1, 2):
        raise ValueError(
            f"`model` must have one output for each of the {num_classes} classes of "
            f"`y`. Received: model with {units} outputs"
        )
