"""The last layers of a frozen network, trainable for a while."""

import contextlib

import keras

from keras_balance.utils.numbers import whole_number


@contextlib.contextmanager
def unfrozen(backbone, unfreeze):
    """Make the last layers of a frozen backbone trainable while the block runs.

    Args:
        backbone: Keras model, which may hold models.
        unfreeze: How many of its last layers with weights, or the name of the layer
            from which on they are trained.

    Raises:
        ValueError: For an unknown name, and a number that is not positive.
        TypeError: When it is neither.
    """
    chosen = last_layers(backbone, unfreeze)
    frozen = {id(layer) for layer in chosen}
    backbone.trainable = True
    for layer in _leaves(backbone):
        layer.trainable = id(layer) in frozen
    try:
        yield chosen
    finally:
        backbone.trainable = False


def last_layers(backbone, unfreeze):
    """List of the layers that `unfreeze` stands for, in the order of the network."""
    layers = [layer for layer in _leaves(backbone) if layer.weights]
    if not isinstance(unfreeze, str):
        return layers[-whole_number("unfreeze", unfreeze, 1) :]
    names = [layer.name for layer in layers]
    if unfreeze not in names:
        raise ValueError(
            "`unfreeze` must be a number, or the name of a layer with weights of the "
            f"backbone, such as {names[-3:]}. Received: unfreeze={unfreeze!r}"
        )
    return layers[names.index(unfreeze) :]


def _leaves(layer):
    """List the layers of a model, and of the models in it."""
    if not isinstance(layer, keras.Model):
        return [layer]
    return [leaf for part in layer.layers for leaf in _leaves(part)]
