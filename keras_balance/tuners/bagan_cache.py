"""A BAGAN trained once for all trials and processes that want the same."""

import hashlib
import inspect
import json
import math
import pathlib

import keras

from keras_balance.models import BAGAN, load_model
from keras_balance.utils.files import atomic_path
from keras_balance.utils.keras_home import keras_home
from keras_balance.version import __version__

_BATCH_SIZE = 64
# Of all steps, those of the autoencoder: BAGAN's own proportion.
_AUTOENCODER_SHARE = 0.75
# What the data say, or the search.
_GIVEN = {
    "image_shape",
    "num_classes",
    "value_range",
    "class_names",
    "data_format",
    "latent_dim",
    "seed",
}


def default_folder():
    """Where BAGANs are kept, in Keras' own folder."""
    return keras_home() / "keras_balance" / "bagan"


def check_arguments(arguments):
    """Raise for arguments of `BAGAN` that are not the user's to give, or not kept.

    Raises:
        ValueError: For a name that is none, or that the search gives by itself.
        TypeError: For a value that JSON cannot hold.
    """
    allowed = inspect.signature(BAGAN).parameters.keys() - _GIVEN - {"kwargs"}
    for name, value in arguments.items():
        if name not in allowed:
            raise ValueError(
                f"`bagan_arguments` must have names out of {sorted(allowed)}. "
                f"Received: bagan_arguments={arguments!r}"
            )
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise TypeError(
                "`bagan_arguments` must be numbers, strings or lists, of which the "
                f"name of a kept file is made. Received: {name}={value!r}"
            ) from error


def trained_bagan(folder, images, steps, arguments, verbose="auto"):
    """Load the BAGAN of a setting, or train it and keep it.

    The file's name is a hash of the data, the arguments, the steps, the backend and
    the package's version. Two processes that want the same at once both train, and
    each puts its whole file in place: nobody waits for a process that may have died.
    A file that cannot be read is trained anew.

    Args:
        folder: Folder of the cache, made when missing.
        images: `LabelledImages`.
        steps: Optimiser steps of both phases together.
        arguments: Dict of arguments of `BAGAN` that JSON can hold; the seed among
            them.
        verbose: As in `keras.Model.fit`.

    Raises:
        FloatingPointError: When a loss is NaN or infinite. Nothing is kept then.
    """
    classes = images.encoding.classes.tolist()
    setting = {
        "data": images.alone().fingerprint(),  # a BAGAN looks at no weights
        "classes": classes,
        "value_range": [float(end) for end in images.value_range],
        "steps": steps,
        "arguments": arguments,
        "backend": keras.backend.backend(),
        "data_format": images.data_format,
        "version": __version__,
    }
    text = json.dumps(setting, sort_keys=True)
    name = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    path = pathlib.Path(folder) / f"{name}.keras"
    bagan = _load(path)
    if bagan is None:
        bagan = BAGAN(
            image_shape=images.image_shape,
            num_classes=images.num_classes,
            value_range=images.value_range,
            class_names=classes,
            data_format=images.data_format,
            **arguments,
        )
        epochs = _epochs(images.counts, steps)
        bagan.fit(images, batch_size=_BATCH_SIZE, verbose=verbose, **epochs)
        with atomic_path(path) as temporary:
            bagan.save(temporary)
    return bagan


def _epochs(counts, steps):
    """Epochs of both phases that make `steps` steps on the balanced data."""
    batches = math.ceil(counts.max() * len(counts) / _BATCH_SIZE)
    first = _AUTOENCODER_SHARE * steps / batches
    second = (1 - _AUTOENCODER_SHARE) * steps / batches
    return {"autoencoder_epochs": max(1, round(first)), "epochs": max(1, round(second))}


def _load(path):
    try:
        model = load_model(path)
    except (OSError, ValueError):
        return None
    return model if isinstance(model, BAGAN) else None
