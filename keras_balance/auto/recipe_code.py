"""The Keras code of a recipe, to be pasted and owned."""

import inspect

import keras

from keras_balance.models.head import can_retrain

_PACKAGES = {"keras": "keras", "keras_balance": "kb"}
_AS_INDICES = "y = np.unique(y, return_inverse=True)[1]\n"
_READ = "x, y = kb.data.LabelledImages.read(x).{}(), None\n"
_READ_WHOLE = """\
images = kb.data.LabelledImages.read(x).{}()
x, y = images.source[:], images.labels
"""


def data_code(images, are_apart, in_memory):
    """Lines that make of `x` and `y` what a model takes; none where they are that.

    Args:
        images: `LabelledImages`.
        are_apart: Whether `y` was given, or the labels are in `x`.
        in_memory: Whether a data set is to be read whole, into arrays.
    """
    if are_apart:
        return "" if images.labels_are_indices else _AS_INDICES
    read = _READ_WHOLE if in_memory else _READ
    return read.format("alone" if images.labels_are_indices else "as_indices")


def recipe_code(
    recipe, layer, *, batch_size, epochs, seed, decision, data, build, from_logits
):
    """Write the code of a training by a recipe.

    Args:
        recipe: `Recipe`.
        layer: The layer in front of the model, or None.
        batch_size: Images in a batch.
        epochs: Epochs of the feed.
        seed: Integer.
        decision: Line that `decision_code` gives.
        data: Lines that `data_code` gives.
        build: The code that makes the compiled model.
        from_logits: Whether that gives logits.

    Returns:
        Text of Python code in which `x` and `y` are the data.
    """
    feed = _arguments(recipe.feed_arguments(batch_size, seed))
    lines = [
        "import keras\n",
        "import numpy as np\n" if "np." in data else "",
        "\nimport keras_balance as kb\n\n",
        data,
        f"keras.utils.set_random_seed({seed})\n",
        f"model = {build}\n",
        f"train = kb.BalancedDataset(x, y, {feed})\n",
        *_trainee(recipe, layer, seed, from_logits),
        f"trainee.fit(train, epochs={epochs}, shuffle=False)\n",
        decision,
    ]
    return "".join(lines)


def retraining_code(model):
    """Line that trains the last layer of `model` anew; none where it cannot be."""
    line = "model = kb.models.retrain_head(model, x, y, target_prior='natural')\n"
    return line if can_retrain(model) else ""


def decision_code(model):
    """Line that puts the same decision at the end of `model`."""
    config = model.layers[-1].get_config()
    last = {name: config[name] for name in ("class_counts", "tau", "target_prior")}
    return f"model = kb.models.adjust_logits(model, {_arguments(last)})\n"


def layer_code(layer):
    """Write the code of a layer: its class, and the arguments that are no default."""
    if isinstance(layer, keras.Sequential):
        return f"keras.Sequential([{', '.join(map(layer_code, layer.layers))}])"
    kind = type(layer)
    package = _PACKAGES[kind.__module__.split(".")[0]]
    config = layer.get_config()
    parameters = inspect.signature(kind.__init__).parameters.values()
    chosen = {
        parameter.name: config[parameter.name]
        for parameter in parameters
        if parameter.name in config and config[parameter.name] != parameter.default
    }
    return f"{package}.layers.{kind.__name__}({_arguments(chosen)})"


def _front_code(recipe, layer, seed):
    """Code of the layer in front: of one that users have registered, by its name."""
    if _is_known(layer):
        return layer_code(layer)
    images = "kb.data.LabelledImages.read(x, y)"
    return f"kb.data.registry.fit({recipe.layer!r}, {images}, {seed})"


def _is_known(layer):
    if isinstance(layer, keras.Sequential):
        return all(map(_is_known, layer.layers))
    return type(layer).__module__.split(".")[0] in _PACKAGES


def _trainee(recipe, layer, seed, from_logits):
    if layer is None:
        yield "trainee = model\n"
    else:
        yield f"layer = {_front_code(recipe, layer, seed)}\n"
        yield "trainee = keras.Sequential([layer, model])\n"
    has_loss = recipe.tau or recipe.mix is not None
    if has_loss:
        yield (
            "loss = kb.losses.LogitAdjustedCrossentropy("
            f"train, tau={recipe.tau!r}, from_logits={from_logits})\n"
        )
    if has_loss or layer is not None:
        loss = "loss" if has_loss else "model.loss"
        yield f"trainee.compile(model.optimizer, {loss})\n"


def _arguments(values):
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
