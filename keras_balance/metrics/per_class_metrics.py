"""Precision, recall and F1 of every class, while training."""

import keras
import numpy as np
from keras import ops

from keras_balance.metrics.names import check_score_names
from keras_balance.utils.callers import callers
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.outputs import check_single_output, check_threshold

_NAME = "per_class"
_SCORES = ("precision", "recall", "f1")
# What mixing leaves of a sum of one in half precision.
_TOLERANCE = 0.02


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
        num_classes: Number of classes, 2 or more. A model with one sigmoid output
            has two.
        class_names: Optional names, one a class, for the keys of the result.
            Defaults to `"0"`, `"1"`, ...
        name: Name of the metric. One of your own goes before the keys
            (`sex_recall_1`): give one to the metric of each output of a model, and to
            one in `weighted_metrics` beside one in `metrics`.
        keys: `"all"`; `"macro"` for the macro averages alone, which keeps a log line
            short; or a sequence of names of classes for theirs and the macro
            averages.
        threshold: With two classes, class 1 is predicted where its output is greater.
            By default the greatest output wins, and a single one wins above 0.5:
            give 0 where a single output is a logit.
        dtype: dtype of the counts. Stays `"float32"` whatever the model's
            precision is: half precision cannot count beyond 2,048.

    Call arguments:
        y_true: Class indices `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`. Soft
            labels, whose rows sum to one, stand for their greatest class.
        y_pred: Probabilities or logits `(n, num_classes)`; the greatest wins, the
            first of equal ones. Or `(n, 1)` for two classes, the output for class 1.
            A row with a NaN is of no class: a miss.
        sample_weight: Optional weights, `(n,)`, `(n, 1)` or a scalar. In `compile`
            give the metric to `weighted_metrics` to have it use them.

    Raises:
        TypeError: When `num_classes` is no integer, or `class_names` no sequence.
        ValueError: For class names that are not `num_classes` distinct ones, unknown
            `keys`, another metric of the model that logs under one of its keys,
            another shape of the labels or predictions, and in a NumPy array or a list
            for a label outside `[0, num_classes)`, a multi-label row, and a single
            output that is no probability without a `threshold`. In a tensor, where a
            compiled step cannot raise, these turn every result NaN.

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
        self,
        num_classes,
        class_names=None,
        name=_NAME,
        keys="all",
        threshold=None,
        dtype="float32",
    ):
        super().__init__(name=name, dtype=dtype)
        self.num_classes = _check_num_classes(num_classes)
        self._names = check_score_names(class_names, num_classes)
        self.class_names = None if class_names is None else self._names
        self._shown = _shown_names(keys, self._names)
        self.keys = keys if isinstance(keys, str) else list(keys)
        self.threshold = check_threshold(threshold, num_classes)
        # True classes down, predicted classes across, the last column for none.
        shape = (self.num_classes, self.num_classes + 1)
        self._counts = self.add_variable(shape, "zeros", self.dtype, name="counts")
        self._lost = self.add_variable(shape, "zeros", self.dtype, name="lost")

    @property
    def _prefix(self):
        return "" if self.name == _NAME else f"{self.name}_"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch into the confusion matrix."""
        self._check_keys_are_its_own()
        if _is_plain(y_true):
            _check_labels(np.asarray(y_true), self.num_classes)
        if _is_plain(y_pred):
            check_single_output(y_pred, self.threshold)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        self._check_shapes(y_true.shape, y_pred.shape)
        classes, is_class = _read_labels(y_true, self.num_classes)
        predictions, is_known = self._decide(y_pred)
        weights = ops.ones_like(classes, dtype=self.dtype)
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, self.dtype)
            weights = weights * ops.reshape(sample_weight, (-1,))
        is_readable = ops.logical_and(is_class, is_known)
        weights = ops.where(is_readable, weights, float("nan"))
        width = self.num_classes + 1
        cells = classes * width + predictions
        counts = ops.segment_sum(weights, cells, self.num_classes * width)
        counts = counts + 0 * ops.sum(counts)  # what is NaN makes all so
        self._add(ops.reshape(counts, self._counts.shape))

    def _decide(self, y_pred):
        """Predicted classes, `num_classes` for a miss; and whether they are known."""
        is_lost = ops.any(ops.isnan(y_pred), axis=-1)
        is_known = ops.ones_like(is_lost)
        threshold = self.threshold
        if y_pred.shape[1] == 1 and threshold is None:
            threshold = 0.5
            inside = ops.logical_and(y_pred[:, 0] >= 0, y_pred[:, 0] <= 1)
            is_known = ops.logical_or(inside, is_lost)
        if threshold is None:
            classes = ops.argmax(y_pred, axis=-1)
        else:
            classes = y_pred[:, -1] > threshold
        classes = ops.cast(classes, "int32")
        return ops.where(is_lost, self.num_classes, classes), is_known

    def result(self):
        """Give the dict of scalars that the class describes."""
        counts = ops.convert_to_tensor(self._counts)
        hits = ops.diagonal(counts)
        predicted = ops.sum(counts[:, :-1], axis=0)
        actual = ops.sum(counts, axis=1)
        values = (
            ops.divide_no_nan(hits, predicted),
            ops.divide_no_nan(hits, actual),
            ops.divide_no_nan(2 * hits, predicted + actual),
        )
        scores = dict(zip(_SCORES, values, strict=True))
        each = {
            f"{score}_{name}": value
            for score, values in scores.items()
            for name, value in zip(self._names, ops.unstack(values), strict=True)
            if name in self._shown
        }
        macro = {f"{score}_macro": ops.mean(values) for score, values in scores.items()}
        return {self._prefix + key: value for key, value in (each | macro).items()}

    def _check_keys_are_its_own(self):
        """Raise where another metric of the model logs under the same keys.

        Keras logs both, and keeps the last one in silence. It tells a metric nothing of
        the others, but asks for them in a metric that holds them all.
        """
        for module, _, held in callers():
            if module.split(".")[0] not in ("keras", "keras_balance"):
                return
            group = held.get("self")
            if group is not self and isinstance(group, keras.Metric):
                # Those of one output of several are logged under its name.
                is_only_output = getattr(group, "output_name", "") is None
                self._check_others(getattr(group, "metrics", []), is_only_output)

    def _check_others(self, metrics, is_only_output):
        alike = [m.name for m in metrics if isinstance(m, PerClassMetrics)]
        if alike.count(self.name) > 1:
            raise ValueError(
                "Each `PerClassMetrics` of a model must have a `name` of its own: it "
                f"goes before its keys. Received: two with name={self.name!r}"
            )
        names = [*self._shown, "macro"]
        keys = {f"{self._prefix}{s}_{name}" for s in _SCORES for name in names}
        for metric in metrics if is_only_output else []:
            if metric.name in keys:
                raise ValueError(
                    "No other metric of a model may be called as a key of its "
                    "`PerClassMetrics`: give one of them another `name`. "
                    f"Received: {type(metric).__name__} with name={metric.name!r}"
                )

    def get_config(self):
        """Give the arguments that make the same metric again."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "class_names": self.class_names,
            "keys": self.keys,
            "threshold": self.threshold,
        }

    def _add(self, counts):
        # Kahan's compensated sum: plain float32 stops counting at 2^24 images and
        # drifts with weights. `_lost` holds what the last rounding dropped.
        counts = counts - self._lost
        total = self._counts + counts
        self._lost.assign((total - self._counts) - counts)
        self._counts.assign(total)

    def _check_shapes(self, labels, predictions):
        widths = (1, 2) if self.num_classes == 2 else (self.num_classes,)
        if len(predictions) != 2 or predictions[1] not in widths:
            raise ValueError(
                f"`y_pred` must have shape (n, num_classes={self.num_classes}), or "
                "(n, 1) for two classes. "
                f"Received: y_pred of shape {tuple(predictions)}"
            )
        is_sparse = len(labels) == 1 or (len(labels) == 2 and labels[1] == 1)
        if not is_sparse and not _has_rows(labels, self.num_classes):
            raise ValueError(
                "`y_true` must have shape (n,), (n, 1) or one-hot "
                f"(n, num_classes={self.num_classes}). "
                f"Received: y_true of shape {tuple(labels)}"
            )


def _check_num_classes(num_classes):
    number = whole_number("num_classes", num_classes, 1)
    if number == 1:
        raise ValueError(
            "`num_classes` must be at least 2: one sigmoid output is two classes. "
            "Received: num_classes=1"
        )
    return number


def _shown_names(keys, names):
    """Names of the classes whose scores are shown."""
    if keys == "all":
        return names
    if keys == "macro":
        return []
    rule = (
        f'`keys` must be "all", "macro" or a sequence of names out of {names}. '
        f"Received: keys={keys!r}"
    )
    if not isinstance(keys, (str, list, tuple)):
        raise TypeError(rule)
    shown = [str(key) for key in keys]
    if isinstance(keys, str) or not set(shown) <= set(names):
        raise ValueError(rule)
    return shown


def _read_labels(y_true, num_classes):
    """Class indices int32 `(n,)`, 0 for what is no label; and whether it is one."""
    if _has_rows(y_true.shape, num_classes):
        rows = ops.cast(y_true, "float32")
        is_share = ops.logical_and(
            ops.all(rows >= 0, axis=-1),
            ops.abs(ops.sum(rows, axis=-1) - 1) < _TOLERANCE,
        )
        return ops.cast(ops.argmax(rows, axis=-1), "int32"), is_share
    flat = ops.reshape(y_true, (-1,))
    is_float = "float" in keras.backend.standardize_dtype(flat.dtype)
    whole = ops.round(flat) if is_float else flat
    if keras.backend.standardize_dtype(flat.dtype) != "int64":  # may not fit in less
        whole = ops.cast(whole, "int32")
    is_class = ops.logical_and(whole >= 0, whole < num_classes)
    if is_float:
        # Between two classes, a share of class 1 is a soft label.
        is_within = ops.logical_and(flat >= 0, flat <= num_classes - 1)
        is_whole = flat == ops.cast(whole, flat.dtype)
        is_class = ops.logical_and(
            is_class, is_within if num_classes == 2 else is_whole
        )
    return ops.cast(ops.where(is_class, whole, 0), "int32"), is_class


def _check_labels(labels, num_classes):
    """Raise a `ValueError` for what `_read_labels` says is no label."""
    if labels.dtype.kind not in "biuf":
        raise ValueError(
            "`y_true` must hold class indices, or one-hot rows. "
            f"Received: y_true of dtype {labels.dtype}"
        )
    if _has_rows(labels.shape, num_classes):
        sums = labels.sum(axis=1, dtype="float64")
        bad = (labels < 0).any(axis=1) | ~(np.abs(sums - 1) < _TOLERANCE)
        rule = "rows that sum to one: multi-label rows are not supported"
    else:
        bad = ~((labels >= 0) & (labels <= num_classes - 1))
        if num_classes > 2:
            bad |= labels != np.round(labels)
        rule = f"labels in [0, num_classes={num_classes})"
    if bad.any():
        raise ValueError(
            f"`y_true` must hold {rule}. "
            f"Received: y_true with label {labels[bad][0].tolist()}"
        )


def _is_plain(values):
    return isinstance(values, (np.ndarray, list, tuple))


def _has_rows(shape, num_classes):
    return len(shape) == 2 and shape[1] == num_classes
