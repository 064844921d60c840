"""Layers that mix images with others, which no label that stays as it is allows."""

import keras

MIXING = (keras.layers.MixUp, keras.layers.CutMix)


def check_mixes_nothing(layer, name="layer"):
    """Raise a `ValueError` where a layer is, or holds at any depth, a mixing one.

    Containers of Keras and of users are looked through alike: all layers in their
    attributes, and in the lists, tuples and dicts there.

    Args:
        layer: A Keras layer; anything else passes.
        name: Name of the argument in the error message.
    """
    found = _find(layer, set())
    if found is not None:
        inside = "" if found is layer else f", which holds {type(found).__name__}"
        raise ValueError(
            f"`{name}` must not mix images, which `kb.BalancedDataset(mix=...)` does "
            "with their labels: other classes' pixels would come under labels as they "
            f"are. Received: {name}={layer!r}{inside}"
        )


def check_augmentation(layer, name="layer", others=""):
    """Check that an argument is a Keras layer which mixes nothing.

    Args:
        layer: The argument.
        name: Its name in the error message.
        others: What else it may be, in the error message.

    Raises:
        TypeError: When it is no Keras layer.
        ValueError: When it mixes images.
    """
    if not isinstance(layer, keras.layers.Layer):
        raise TypeError(
            f"`{name}` must be a Keras layer{others}. Received: {name}={layer!r}"
        )
    check_mixes_nothing(layer, name)


def _find(value, seen):
    """Find the first mixing layer in a layer or a container, or None."""
    if isinstance(value, MIXING):
        return value
    if id(value) in seen:
        return None
    seen.add(id(value))
    if isinstance(value, keras.layers.Layer):
        parts = vars(value).values()
    elif isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, (list, tuple, set)):
        parts = value
    else:
        return None
    return next((found for p in parts if (found := _find(p, seen)) is not None), None)
