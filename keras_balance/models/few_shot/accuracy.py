"""Accuracy, whatever form the labels of a batch have."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_balance")
def is_right(y_true, y_pred):
    """Whether the most probable class is the right one, `(n,)`.

    Args:
        y_true: Class indices `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`.
        y_pred: Probabilities `(n, num_classes)`.
    """
    if tuple(y_true.shape[1:]) == tuple(y_pred.shape[1:]):
        y_true = ops.argmax(y_true, axis=-1)
    y_true = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    return ops.cast(y_true == ops.cast(ops.argmax(y_pred, axis=-1), "int32"), "float32")


def accuracy():
    """Make the metric.

    Keras settles by the first batch whether labels are one-hot: those of validation
    data may have the other form.
    """
    return keras.metrics.MeanMetricWrapper(is_right, name="accuracy")
