"""Precision, recall and F1 of every class, while training."""

import keras
import numpy as np
from keras import ops

from keras_balance.metrics.names import check_score_names
from keras_balance.utils.numbers import whole_number


@keras.saving.register_keras_serializable(package="keras_balance")
class PerClassMetrics(keras.Metric):
    """Precision, recall and F1 of every class, and their macro averages.

    One confusion matrix is counted in the pass that `fit` and `evaluate` make
    anyway. The result is a dict of scalars that Keras logs one by one:
    `precision_<class>`, `recall_<class>` and `f1_<class>` of each class, then
    `precision_macro`, `recall_macro` and `f1_macro`; with `val_` before them for
    validation data.

    The scores are those of scikit-learn's `precision_recall_fscore_support` with
    `labels=range(num_classes)` and `zero_division=0`: a class that is nowhere
    among labels and predictions counts as 0, in the macro averages too.

    Args:
        num_classes: Number of classes.
        class_names: Optional names, one a class, for the keys of the result.
            Defaults to `"0"`, `"1"`, ...
        name: Name of the metric.
        dtype: dtype of the counts. Stays `"float32"` whatever the model's
            precision is: half precision cannot count beyond 2,048.

    Call arguments:
        y_true: Class indices `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`.
        y_pred: Probabilities or logits `(n, num_classes)`; the greatest wins, the
            first of equal ones. A row with a NaN is of no class: a miss.
        sample_weight: Optional weights, `(n,)`, `(n, 1)` or a scalar. In `compile`
            give the metric to `weighted_metrics` to have it use them.

    Raises:
        TypeError: When `num_classes` is no integer.
        ValueError: For class names that are not `num_classes` distinct ones, for
            another shape of the labels or predictions, and for a label outside
            `[0, num_classes)` in a NumPy array or a list. In a tensor, where a
            compiled step cannot raise, such a label turns every result NaN.

    Example:
        >>> metric = kb.metrics.PerClassMetrics(2, class_names=["cat", "dog"])
        >>> metric.update_state([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
        >>> float(metric.result()["recall_cat"])
        0.5

        >>> model.compile(
        ...     "adam",
        ...     "sparse_categorical_crossentropy",
        ...     metrics=[kb.metrics.PerClassMetrics(10)],
        ... )
        >>> model.fit(x, y, validation_split=0.2).history["val_f1_macro"]
    """

    def __init__(
        self, num_classes, class_names=None, name="per_class", dtype="float32"
    ):
        super().__init__(name=name, dtype=dtype)
        self.num_classes = whole_number("num_classes", num_classes, 1)
        self.class_names = class_names if class_names is None else list(class_names)
        self._names = check_score_names(class_names, num_classes)
        # True classes down, predicted classes across, the last column for none.
        shape = (self.num_classes, self.num_classes + 1)
        self._counts = self.add_variable(shape, "zeros", self.dtype, name="counts")
        self._lost = self.add_variable(shape, "zeros", self.dtype, name="lost")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch into the confusion matrix."""
        if isinstance(y_true, (np.ndarray, list, tuple)):
            self._check_range(np.asarray(y_true))
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        self._check_shapes(y_true.shape, y_pred.shape)
        if _is_one_hot(y_true.shape, self.num_classes):
            y_true = ops.argmax(y_true, axis=-1)
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        weights = ops.ones_like(labels, dtype=self.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            weights = weights * ops.reshape(sample_weight, (-1,))
        is_class = ops.logical_and(labels >= 0, labels < self.num_classes)
        weights = ops.where(is_class, weights, float("nan"))
        labels = ops.where(is_class, labels, 0)
        predictions = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        is_lost = ops.any(ops.isnan(y_pred), axis=-1)
        predictions = ops.where(is_lost, self.num_classes, predictions)
        width = self.num_classes + 1
        cells = labels * width + predictions
        counts = ops.segment_sum(weights, cells, self.num_classes * width)
        self._add(ops.reshape(counts, self._counts.shape))

    def result(self):
        """Give the dict of scalars that the class describes."""
        counts = ops.convert_to_tensor(self._counts)
        hits = ops.diagonal(counts)
        predicted = ops.sum(counts[:, :-1], axis=0)
        actual = ops.sum(counts, axis=1)
        scores = {
            "precision": ops.divide_no_nan(hits, predicted),
            "recall": ops.divide_no_nan(hits, actual),
            "f1": ops.divide_no_nan(2 * hits, predicted + actual),
        }
        each = {
            f"{score}_{name}": value
            for score, values in scores.items()
            for name, value in zip(self._names, ops.unstack(values), strict=True)
        }
        macro = {f"{score}_macro": ops.mean(values) for score, values in scores.items()}
        return each | macro

    def get_config(self):
        """Give the arguments that make the same metric again."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "class_names": self.class_names,
        }

    def _add(self, counts):
        # Kahan's compensated sum: plain float32 stops counting at 2^24 images and
        # drifts with weights. `_lost` holds what the last rounding dropped.
        counts = counts - self._lost
        total = self._counts + counts
        self._lost.assign((total - self._counts) - counts)
        self._counts.assign(total)

    def _check_shapes(self, labels, predictions):
        if len(predictions) != 2 or predictions[1] != self.num_classes:
            raise ValueError(
                f"`y_pred` must have shape (n, num_classes={self.num_classes}). "
                f"Received: y_pred of shape {tuple(predictions)}"
            )
        is_sparse = len(labels) == 1 or (len(labels) == 2 and labels[1] == 1)
        if not is_sparse and not _is_one_hot(labels, self.num_classes):
            raise ValueError(
                "`y_true` must have shape (n,), (n, 1) or one-hot "
                f"(n, num_classes={self.num_classes}). "
                f"Received: y_true of shape {tuple(labels)}"
            )

    def _check_range(self, labels):
        outside = (labels < 0) | (labels >= self.num_classes)
        if not _is_one_hot(labels.shape, self.num_classes) and outside.any():
            raise ValueError(
                f"`y_true` must hold labels in [0, num_classes={self.num_classes}). "
                f"Received: y_true with label {labels[outside][0]}"
            )


def _is_one_hot(shape, num_classes):
    return len(shape) == 2 and shape[1] == num_classes > 1
