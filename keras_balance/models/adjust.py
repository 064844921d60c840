"""A trained model with the correction for rare classes in it."""

import functools
import inspect
import warnings

import keras
import numpy as np

from keras_balance.layers import CosineHead, LogitAdjustment
from keras_balance.losses import LogitAdjustedCrossentropy
from keras_balance.utils.class_counts import read_class_counts, shown_counts

_SHARES = ("softmax", "sigmoid")
_GIVE_SHARES = (keras.layers.Softmax, LogitAdjustment, CosineHead)
# What they give at inference is what comes in.
_PASS_ON = (
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Identity,
    keras.layers.Reshape,
)


def adjust_logits(
    model, class_counts, tau=1.0, target_prior="uniform", from_logits=None
):
    """Put `kb.layers.LogitAdjustment` at the end of a trained classifier.

    Nothing is trained, which takes no time, and the weights are shared: training
    `model` on trains the adjusted one.

    Args:
        model: A Keras model with one output: probabilities or logits
            `(n, num_classes)`, or `(n, 1)` of one sigmoid output. It stays as it is.
        class_counts: Images of each class that it has seen in an epoch: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`.
        tau: Strength, see `LogitAdjustment`; `kb.tuners.AutoAdjustment` finds it.
        target_prior: How frequent the classes are where it is used: `"uniform"`,
            `"natural"` (as in `class_counts`) or shares, see `LogitAdjustment`.
        from_logits: Whether the model gives logits. By default its last activation
            tells: probabilities after softmax and sigmoid, else what its loss says,
            and logits where that says nothing.

    Returns:
        A new `keras.Model`, not compiled, that gives the adjusted probabilities, and
        saves and loads as one file.

    Raises:
        TypeError: When `model` is no Keras model.
        ValueError: When it has not one output, or another number of classes.

    Example:
        >>> model.fit(x, y)  # a few images of one class, many of the others
        >>> adjusted = kb.models.adjust_logits(model, np.bincount(y))
        >>> adjusted.predict(x_test)  # as if all were equally frequent
        >>> adjusted.save("classifier.keras")
    """
    _warn_of_rarity_counted_twice(model, class_counts, tau)
    if from_logits is None:
        from_logits = gives_logits(model)
    layer = LogitAdjustment(class_counts, tau, target_prior, from_logits)
    return behind(model, layer)


def behind(model, layer):
    """Make a new model: `layer` on what `model` gives."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received: model={model!r}")
    try:
        inputs = keras.tree.map_structure(_input_like, model.input)
    except (AttributeError, ValueError):  # a subclass of Model, or not yet built
        return keras.Sequential([model, layer])
    outputs = keras.tree.flatten(model(inputs))
    if len(outputs) != 1:
        raise ValueError(
            "`model` must have one output, of all classes. "
            f"Received: model={model.name!r} with outputs {outputs}"
        )
    return keras.Model(inputs, layer(outputs[0]))


def gives_logits(model):
    """Whether a classifier ends in logits, as far as it tells; else it is taken to."""
    return _tells_logits(model) is not False


def default_threshold(model, shape, output=None):
    """Threshold of a single output: 0 where it is known for a logit, or None.

    Args:
        model: A Keras model.
        shape: Of its outputs, `(n, 1)` or `(n, num_classes)`.
        output: Name of the one that is looked at, where there are several.
    """
    if shape[-1] != 1:
        return None
    has_one = len(getattr(model, "outputs", None) or [shape]) == 1
    told = _tells_logits(model) if has_one else _part_tells_logits(model, output)
    return 0.0 if told else None


def _part_tells_logits(model, output):
    """Whether one of several outputs, called as its layer, is of logits."""
    losses = model.loss if isinstance(model.loss, dict) else {}
    layers = [layer for layer in model.layers if layer.name == output]
    layer = layers[0] if layers else None
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    if activation in _SHARES:
        return False
    by_loss = _takes_logits(losses.get(output))
    return activation == "linear" if by_loss is None else by_loss


def _tells_logits(model, by_loss=None):
    """Whether a classifier ends in logits; None where neither layer nor loss tells.

    `by_loss` is what the loss of a model around it has told.
    """
    is_graph = hasattr(model, "operations") or isinstance(model, keras.Sequential)
    by_loss = _loss_takes_logits(model) if by_loss is None else by_loss
    # The last layer of another model is the one that was set last: its loss knows more.
    if is_graph or by_loss is None:
        last = _last_step(model)
        if isinstance(last, keras.Model) and last is not model:
            return _tells_logits(last, by_loss)
        function = getattr(last, "activation", None)
        activation = getattr(function, "__name__", None)
        if isinstance(last, _GIVE_SHARES) or isinstance(function, _GIVE_SHARES):
            return False
        if activation in _SHARES:
            return False
        if type(last).__name__.lower() in _SHARES:  # `keras.ops.softmax`
            return False
        if is_graph and by_loss is None and activation == "linear":
            return True
    return by_loss


def _last_step(model):
    """Give the last layer or operation that does something, which may be a model."""
    steps = getattr(model, "operations", None) or getattr(model, "layers", None)
    steps = [step for step in steps or [] if not _passes_on(step)]
    return steps[-1] if steps else model


def _passes_on(step):
    """Whether what a layer gives at inference is what comes in, but for its type."""
    is_activation = isinstance(step, keras.layers.Activation)
    is_linear = is_activation and step.activation is keras.activations.linear
    return is_linear or isinstance(step, _PASS_ON)


def _loss_takes_logits(model):
    """Whether the loss of a model takes logits; None where nobody knows."""
    losses = keras.tree.flatten(getattr(model, "loss", None))
    return _takes_logits(losses[0]) if len(losses) == 1 else None


def _takes_logits(loss):
    """Whether a loss takes logits; None where nobody knows."""
    if isinstance(loss, keras.losses.Loss):
        return loss.get_config().get("from_logits")
    if inspect.isfunction(loss) or isinstance(loss, functools.partial):
        option = inspect.signature(loss).parameters.get("from_logits")
        return None if option is None else option.default
    return False if isinstance(loss, str) else None


def _input_like(tensor):
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _warn_of_rarity_counted_twice(model, class_counts, tau):
    counts, shown = read_class_counts(class_counts), shown_counts(class_counts)
    reason = None
    loss = getattr(model, "loss", None)
    if isinstance(loss, LogitAdjustedCrossentropy) and loss.tau >= 1:
        prior = np.array(loss.class_counts)
        if not (_is_even(prior) or _is_even(counts)):
            reason = "the model is trained with a loss that has adjusted it in full"
    elif _is_adjusted(model) and not _is_even(counts):
        reason = "the model ends in a `LogitAdjustment` already"
    elif shown is not None and not np.array_equal(shown, counts):
        reason = f"these are the real images, and the feed showed {shown.tolist()}"
    if reason and tau >= 1:
        warnings.warn(
            f"Rarity is counted twice: {reason}. Leave the model as it is, or let "
            "`kb.tuners.AutoAdjustment` find what is left to adjust.",
            stacklevel=3,
        )
    is_feed = hasattr(class_counts, "class_counts")
    if is_feed and tau > 0 and (counts == counts[0]).all():
        warnings.warn(
            "The adjustment does nothing: the feed has shown all classes equally "
            "often. Leave the model as it is, or give `dataset.real_counts` and a "
            "`tau` that `kb.tuners.AutoAdjustment` has found.",
            stacklevel=3,
        )


def _is_adjusted(model):
    """Whether a model takes shares out of its probabilities by itself."""
    last = _last_step(model)
    if isinstance(last, keras.Model) and last is not model:
        return _is_adjusted(last)
    is_adjustment = isinstance(last, LogitAdjustment) and last.tau > 0
    return is_adjustment and last.target_prior != "natural"


def _is_even(counts):
    return (counts == counts[0]).all()
