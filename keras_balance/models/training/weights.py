"""Weights of networks, copied, and networks run over arrays."""

import keras
import numpy as np

from keras_balance.utils.numbers import whole_number

_FEW = 4  # batches that are run before `predict` would have compiled


def predict(network, inputs, batch_size):
    """Run a network over arrays in batches of one shape, so it compiles once.

    Args:
        network: A `keras.Model` of one input, or of several.
        inputs: Array `(n, ...)`, or a list of arrays, one an input.
        batch_size: Rows at a time.

    Returns:
        NumPy array `(n, ...)`.

    Raises:
        TypeError, ValueError: For a `batch_size` that is no integer, or below 1.
    """
    batch_size = whole_number("batch_size", batch_size, 1)
    parts = inputs if isinstance(inputs, list) else [inputs]
    rows = len(parts[0])
    padded = [_pad(np.asarray(part), -rows % batch_size) for part in parts]
    total = len(padded[0])

    def batch(start, stop):
        some = [part[start:stop] for part in padded]
        return some if isinstance(inputs, list) else some[0]

    if total > _FEW * batch_size:
        outputs = network.predict(batch(0, total), batch_size=batch_size, verbose=0)
        return outputs[:rows]
    outputs = [np.empty((0, *network.output_shape[1:]), "float32")]
    for start in range(0, total, batch_size):
        some = network(batch(start, start + batch_size), training=False)
        outputs.append(keras.ops.convert_to_numpy(some))
    return np.concatenate(outputs)[:rows]


def copy_weights(source, target):
    """Give `target` the weights of `source`.

    By way of a copy: `get_weights` may hand out the memory of the variables, which
    an optimizer would then write for both.
    """
    target.set_weights(snapshot(source))


def snapshot(model):
    """Weights as NumPy arrays that do not change when the model trains on."""
    return [np.array(weight) for weight in model.get_weights()]


def move_average(averages, weights, momentum):
    """One step of the exponential moving average of variables."""
    for average, weight in zip(averages, weights, strict=True):
        average.assign(momentum * average + (1 - momentum) * weight)


class WeightCopies(keras.layers.Layer):
    """Copies of variables, which are saved with the model and resumed with it.

    Args:
        variables: The variables to be copied later on.
    """

    def __init__(self, variables, **kwargs):
        super().__init__(**kwargs)
        self.copies = [
            self.add_weight(
                shape=variable.shape,
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
                name=f"copy_{place}",
            )
            for place, variable in enumerate(variables)
        ]
        self.built = True

    def keep(self, variables):
        """Copy `variables`."""
        _assign(self.copies, variables)

    def give_back(self, variables):
        """Give `variables` the values that were kept."""
        _assign(variables, self.copies)


def _assign(targets, sources):
    for target, source in zip(targets, sources, strict=True):
        # By way of NumPy: on some backends the memory would be shared.
        target.assign(np.array(keras.ops.convert_to_numpy(source)))


def _pad(array, rows):
    if not rows:
        return array
    return np.concatenate([array, np.zeros((rows, *array.shape[1:]), array.dtype)])
