"""The `fit` that asks a feed for its batches: what is known of its model.

Keras tells a data set nothing of it, so it is looked for among the callers.
"""

import keras

from keras_balance.losses.counted_loss import CountedLoss
from keras_balance.utils.callers import callers
from keras_balance.utils.overrides import overridden

_SPARSE = ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy")
# What a model of the user's own may have made something else of labels with.
_STEPS = ("compute_loss", "train_step", "test_step")


def fit_in_progress():
    """Give `(name, held)` of the `fit` or `evaluate` of a Keras model that asks.

    `held` are its local names, its arguments among them. Of an evaluation within `fit`
    it is that. Without one, `(None, {})`.
    """
    for _, name, held in callers():
        if name in ("fit", "evaluate") and isinstance(held.get("self"), keras.Model):
            return name, held
    return None, {}


def check_labels(feed, encoding, counts):
    """Raise a `ValueError` for class indices that the model has no output for.

    JAX would train on them in silence. Only where they are sure to be class indices.

    Args:
        feed: The data set that is asked.
        encoding: `LabelEncoding` of its labels, which are numbers.
        counts: Images of each class in an epoch.
    """
    _, held = fit_in_progress()
    given = [held.get(name) for name in ("x", "validation_data")]
    is_asked = any(one is feed for one in given)
    width = _width(held["self"]) if is_asked else None
    if width is None or encoding.form == "one_hot":
        return
    classes = encoding.classes[counts > 0]
    outside = classes[(classes < 0) | (classes >= width)]
    if len(outside):
        raise ValueError(
            f"Labels must be class indices below {width} for a model of {width} "
            "classes: `np.unique(y, return_inverse=True)[1]` makes them of others. "
            f"Received: y with the class {outside[0].item()}"
        )


def check_steps(feed):
    """Raise a `ValueError` for an epoch of `fit` that is no pass, where workers read.

    Keras begins with their first batch again in every epoch: most images would never
    be shown.
    """
    name, held = fit_in_progress()
    steps = held.get("steps_per_epoch")
    if name != "fit" or held.get("x") is not feed or steps in (None, len(feed)):
        return
    if feed.workers > 1 or feed.use_multiprocessing:
        raise ValueError(
            "An epoch must be a whole pass over the dataset where it has several "
            "workers: leave `steps_per_epoch` out. "
            f"Received: steps_per_epoch={steps} and a dataset of {len(feed)} batches "
            f"with workers={feed.workers}, "
            f"use_multiprocessing={feed.use_multiprocessing}"
        )


def _width(model):
    """Count the classes of a model that surely takes class indices; else None."""
    outputs = getattr(model, "outputs", None) or ()
    losses = keras.tree.flatten(getattr(model, "loss", None))
    own_steps = overridden(type(model), keras.Model, _STEPS)
    if len(outputs) != 1 or len(losses) != 1 or own_steps:
        return None
    shape = outputs[0].shape
    if len(shape) != 2:
        return None
    if shape[-1] == 1:
        return 2 if _is_binary(*losses) else None
    return shape[-1] if _is_sparse(*losses) else None


def _is_binary(loss):
    names = ("binary_crossentropy", "BinaryCrossentropy")
    is_own = type(loss) is keras.losses.BinaryCrossentropy
    return is_own or loss in names or loss is keras.losses.binary_crossentropy


def _is_sparse(loss):
    if isinstance(loss, CountedLoss):
        return True
    if type(loss) is keras.losses.SparseCategoricalCrossentropy:
        return loss.get_config().get("ignore_class") is None
    return loss in _SPARSE or loss is keras.losses.sparse_categorical_crossentropy
