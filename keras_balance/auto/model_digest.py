"""What the results of a search depend on in the user's model, as one hash."""

import contextlib
import hashlib
import json
import re
import warnings

import keras
import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.all_seeded import all_seeded
from keras_balance.auto.recipe_training import build_by


def model_digest(build, images, seed):
    """Hash of the classifier that a function makes: its layers and how it is compiled.

    What Keras cannot serialise tells no more than its class and the shapes of its
    weights. The values of these count, to four digits, where the function gives the
    same ones twice.

    Args:
        build: Function without arguments that returns a compiled Keras model.
        images: `LabelledImages`.
        seed: Integer, by which layers draw the seeds that are theirs.
    """
    parts, values = _parts(build, images, seed)
    # Weights may be drawn by a generator that no seed reaches: then they are others in
    # each process, and no other model.
    if values == _parts(build, images, seed)[1]:
        parts += values
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _parts(build, images, seed):
    """Texts of a model as it is made, and of the values of its weights."""
    with all_seeded(seed):
        model = checks.compiled_model(build(), "build")
        build_by(model, images)
    parts = [type(model).__name__, str([tuple(w.shape) for w in model.weights])]
    parts += [_as_text(model.get_config), _as_text(model.get_compile_config)]
    return parts, [_sizes(weight) for weight in model.get_weights()]


def _sizes(weight):
    """Write how large the values of a weight are.

    Rounded, since on another machine the last digits of an initializer may be others.
    """
    values = np.abs(np.asarray(weight, "float64"))
    return f"{values.sum():.4g} {np.sum(values**2):.4g}"


def _as_text(get_config):
    """JSON of a config, empty where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a lambda cannot be loaded: nor shall it be
        with contextlib.suppress(NotImplementedError, TypeError, ValueError):
            return json.dumps(
                _lasting(keras.saving.serialize_keras_object(get_config()))
            )
    return ""


def _lasting(config):
    """Give what is the same in each process, whatever was made before.

    Not so are the numbers behind names, ids, and the code of a lambda.
    """
    if isinstance(config, dict):
        if config.get("class_name") == "__lambda__":
            return "lambda"
        kept = {name: config[name] for name in config if name != "shared_object_id"}
        return {name: _lasting(value) for name, value in kept.items()}
    if isinstance(config, (list, tuple)):
        return [_lasting(value) for value in config]
    return re.sub(r"_\d+$", "", config) if isinstance(config, str) else config
