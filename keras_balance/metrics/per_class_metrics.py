"""Precision, recall and F1 of every class, while training."""

import keras
from keras import ops

from keras_balance.utils.labels import check_class_names


@keras.saving.register_keras_serializable(package="keras_balance")
class PerClassMetrics(keras.Metric):
    """Precision, recall and F1 of every class, and their macro averages.

    One confusion matrix is counted during the pass that `fit` and `evaluate` make
    anyway. The result is a dict of scalars that Keras logs one by one:
    `precision_<class>`, `recall_<class>`, `f1_<class>` for each class, then
    `precision_macro`, `recall_macro`, `f1_macro`; with `val_` before them for
    validation data.

    The scores are those of scikit-learn's `precision_recall_fscore_support` with
    `labels=range(num_classes)` and `zero_division=0`: a class that is nowhere
    among labels and predictions counts as 0, in the macro averages too.

    Args:
        num_classes: Number of classes.
        class_names: Optional names, one a class, for the keys of the result.
            Defaults to `"0"`, `"1"`, ...
        name: Name of the metric.
        dtype: dtype of the counts. Defaults to `"float32"`, whatever the model's
            precision is, since half precision cannot count beyond 2,048.

    Call arguments:
        y_true: Class indices `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`.
        y_pred: Probabilities or logits `(n, num_classes)`; the greatest wins,
            the first one of several.
        sample_weight: Optional weights `(n,)`. In `compile`, give the metric to
            `weighted_metrics` to have it use them.

    Raises:
        ValueError: For another shape, and for class names that are not
            `num_classes` distinct ones. A label outside `[0, num_classes)` cannot
            raise inside a compiled step: it turns every result NaN.

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
        self.num_classes = num_classes
        self.class_names = class_names
        self._names = check_class_names(class_names, num_classes)
        shape = (num_classes, num_classes)
        self._counts = self.add_variable(shape, "zeros", self.dtype, name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch into the confusion matrix."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == 2 and y_true.shape[1] == self.num_classes > 1:
            y_true = ops.argmax(y_true, axis=-1)
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        predictions = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        weights = ops.ones_like(labels, dtype=self.dtype)
        if sample_weight is not None:
            weights *= ops.reshape(ops.cast(sample_weight, self.dtype), (-1,))
        cells = labels * self.num_classes + predictions
        counts = ops.segment_sum(weights, cells, self.num_classes**2)
        self._counts.assign_add(ops.reshape(counts, self._counts.shape))

    def result(self):
        """Give the dict of scalars that the class describes."""
        hits = ops.diagonal(self._counts)
        predicted, actual = ops.sum(self._counts, 0), ops.sum(self._counts, 1)
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
        """Arguments to make the same metric again."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "class_names": self.class_names,
        }
