"""What a classifier gives for an image: one number a class, or one for two classes."""

import numpy as np

from keras_balance.utils.numbers import real_number


def num_classes_of(shape):
    """Count the classes behind outputs of a shape; None where it is unknown.

    One sigmoid output `(n, 1)` tells two classes apart.

    Args:
        shape: Shape of the outputs, `(n, 1)` or `(n, num_classes)`.
    """
    return 2 if shape[-1] == 1 else shape[-1]


def class_probabilities(outputs):
    """Write outputs as one column a class.

    Args:
        outputs: `(n, num_classes)`, or `(n, 1)` for two classes: the probability of
            class 1 by a sigmoid, or a number that grows with it.

    Returns:
        Float array `(n, num_classes)`: the outputs themselves, or
        `[1 - outputs, outputs]` for a single column.

    Example:
        >>> class_probabilities([[0.75]])
        array([[0.25, 0.75]])
    """
    outputs = np.asarray(outputs)
    if outputs.dtype.kind != "f":
        outputs = outputs.astype("float64")
    if outputs.ndim != 2 or outputs.shape[1] != 1:
        return outputs
    return np.concatenate([1 - outputs, outputs], axis=1)


def predicted_classes(outputs, threshold=None):
    """Class indices `(n,)` that outputs decide for; -1 for a row with a NaN.

    Args:
        outputs: `(n, num_classes)`, or `(n, 1)` for two classes.
        threshold: With two classes, class 1 is predicted where its output is
            greater. By default the greatest output wins, the first of equal ones,
            and a single one wins above 0.5.

    Example:
        >>> predicted_classes([[0.75], [0.5]])
        array([1, 0])
    """
    outputs = np.asarray(outputs)
    if outputs.shape[1] == 1 and threshold is None:
        threshold = 0.5
    if threshold is None:
        classes = outputs.argmax(axis=1)
    else:
        classes = (outputs[:, -1] > threshold).astype("int64")
    return np.where(np.isnan(outputs).any(axis=1), -1, classes)


def check_threshold(threshold, num_classes):
    """`threshold` as a float, or None.

    Raises:
        TypeError: When it is no number.
        ValueError: When it is not finite, or there are not two classes.
    """
    if threshold is None:
        return None
    threshold = real_number("threshold", threshold)
    if num_classes != 2:
        raise ValueError(
            "`threshold` must be None where there are not two classes to part. "
            f"Received: threshold={threshold} and {num_classes} classes"
        )
    return threshold


def check_single_output(outputs, threshold):
    """Raise a `ValueError` for a single output of logits without a `threshold`."""
    if threshold is None:
        advice = ", or have a `threshold`: `threshold=0` for logits"
        check_single_probability(outputs, "y_pred", advice)


def check_single_probability(outputs, name, advice=""):
    """Raise a `ValueError` for a single output that is no probability."""
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or outputs.shape[1] != 1:
        return
    outside = ~((outputs >= 0) & (outputs <= 1)) & ~np.isnan(outputs)
    if outside.any():
        raise ValueError(
            f"A single output of `{name}` must be a probability in [0, 1]{advice}. "
            f"Received: {name} with {outputs[outside][0]:g}"
        )
