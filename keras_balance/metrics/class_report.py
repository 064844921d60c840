"""Scores of every class from labels and predictions, by scikit-learn."""

import dataclasses
import re

import numpy as np
from scipy.stats import gmean
from sklearn import metrics as sk

from keras_balance.metrics.names import check_score_names
from keras_balance.metrics.target_prior import weigh
from keras_balance.utils import plots
from keras_balance.utils.class_names import check_class_names, sequence_of_names
from keras_balance.utils.labels import class_label_options, read_labels
from keras_balance.utils.outputs import (
    check_single_output,
    check_threshold,
    num_classes_of,
    predicted_classes,
)
from keras_balance.utils.tables import as_count

# Keys of the logs to keys of scikit-learn's report.
_SCORES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "f1-score",
    "pr_auc": "pr_auc",
}
_OVERALL = ("accuracy", "balanced_accuracy", "g_mean")


@dataclasses.dataclass(frozen=True)
class ClassReport:
    """How well each class is found.

    Attributes:
        class_names: List of the classes' names, in class order.
        report: Text as scikit-learn's `classification_report` prints it.
        report_dict: The same as nested dict, as `classification_report` gives it
            with `output_dict=True`, with `"pr_auc"` (average precision, one class
            against the rest) of each class and of `"macro avg"`, and with
            `"accuracy"`, `"balanced_accuracy"` and `"g_mean"` (geometric mean of
            the recalls). The scores of a class without images are NaN.
        confusion_matrix: Array `(num_classes, num_classes)`, true classes down,
            predicted classes across.

    Example:
        >>> outputs = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
        >>> report = kb.metrics.class_report([0, 0, 1], outputs)
        >>> report.confusion_matrix
        array([[1, 1],
               [0, 1]])
    """

    class_names: list
    report: str
    report_dict: dict
    confusion_matrix: np.ndarray

    @property
    def scores(self):
        """The report as a flat dict of floats, see `flat_scores`."""
        return flat_scores(self.report_dict)


def class_report(
    y_true,
    y_pred,
    class_names=None,
    sample_weight=None,
    threshold=None,
    target_prior=None,
):
    """Score predictions class by class.

    Args:
        y_true: Labels `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`. Where they
            are strings, or the `class_names` numbers, they are names. Other numbers
            are class indices. Without names, and of numbers beyond the indices
            (2, 7 and 40), all classes must be there: they are sorted. Or
            `kb.data.LabelledImages`, or a `BalancedDataset` in the order of its images
            (`shuffle=False`), such as that of a folder.
        y_pred: Probabilities `(n, num_classes)`; the greatest wins. Logits serve as
            well, only the PR-AUC then ranks by logits. One sigmoid output, `(n, 1)`,
            is the probability of the second of two classes. A row with a NaN is a
            miss.
        class_names: Optional names, one a class. Defaults to those of the folders of
            `LabelledImages`, or else to the labels themselves.
        sample_weight: Optional weights `(n,)`.
        threshold: With two classes, the second one is predicted where its output is
            greater. By default the greatest output wins, and a single one wins above
            0.5: give 0 where it is a logit.
        target_prior: How frequent the classes are where the classifier will be used:
            `"uniform"`, or shares or counts: an array `(num_classes,)`, or a dict
            `{class: share}` (in the order of its sorted classes) of every class. Each
            image then stands for as many as its class shall have, so that a balanced
            test set can be read as the world, and the other way round; precision, F1,
            accuracy, PR-AUC and the support change, recall does not. By default, or
            with `"natural"`, the images count as they are.

    Returns:
        A `ClassReport`.

        A class without images has no recall: its scores are NaN. Macro averages
        are scikit-learn's with `labels=range(num_classes)` and `zero_division=0`,
        where such a class counts as 0, so that they equal those of
        `PerClassMetrics`; `balanced_accuracy` and `g_mean` leave it out.

    Raises:
        ValueError: When lengths differ, a label is not among the classes, the
            predictions have another shape, a single output is no probability and has
            no `threshold`, a `threshold` is to part more than two classes, or
            `target_prior` is not one positive share a class.

    Example:
        >>> report = class_report([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
        >>> report.report_dict["0"]["recall"]
        0.5
        >>> report.scores["recall_0"]
        0.5
    """
    y_pred = np.asarray(y_pred, dtype="float64")
    if y_pred.ndim != 2 or y_pred.size == 0:
        raise ValueError(
            "`y_pred` must have shape (n, num_classes). "
            f"Received: y_pred of shape {y_pred.shape}"
        )
    check_single_output(y_pred, threshold)
    threshold = check_threshold(threshold, num_classes_of(y_pred.shape))
    guesses = predicted_classes(y_pred, threshold)
    if y_pred.shape[1] == 1:  # next to 1 floats are few: `1 - y_pred` would make ties
        y_pred = np.hstack([-y_pred, y_pred])
    y_true, class_names = _labels_of(y_true, class_names)
    y_true, names = read_classes(y_true, y_pred.shape[1], class_names)
    if len(y_true) != len(y_pred):
        raise ValueError(
            "`y_true` and `y_pred` must have the same length. "
            f"Received: len(y_true)={len(y_true)}, len(y_pred)={len(y_pred)}"
        )
    sample_weight = weigh(y_true, len(names), sample_weight, target_prior)
    classes, weights = range(len(names)), {"sample_weight": sample_weight}
    options = {"labels": classes, "target_names": names, "zero_division": 0, **weights}
    report_dict = sk.classification_report(y_true, guesses, output_dict=True, **options)
    # With guesses of no class, scikit-learn gives this in place of the accuracy.
    report_dict.pop("micro avg", None)
    report_dict["accuracy"] = float(sk.accuracy_score(y_true, guesses, **weights))
    _add_pr_auc(report_dict, y_true, y_pred, names, weights)
    _add_recall_means(report_dict, names)
    _forget_missing(report_dict, names)
    # With the lost guesses' -1, since scikit-learn warns of a matrix of one class.
    matrix = sk.confusion_matrix(y_true, guesses, labels=[*classes, -1], **weights)
    return ClassReport(
        class_names=names,
        report=_rounded(sk.classification_report(y_true, guesses, **options)),
        report_dict=report_dict,
        confusion_matrix=matrix[:-1, :-1],
    )


def save_confusion_matrix(path, matrix, class_names, title=None):
    """Write the picture of a confusion matrix atomically.

    The colour is the share of the true class, so that a rare class is as visible
    as a common one; the text is the number of images.

    Args:
        path: The picture's file, its folder made when missing.
        matrix: Array `(num_classes, num_classes)`, true classes down.
        class_names: Sequence of the classes' names.
        title: Optional line above the picture.

    Raises:
        ValueError: For a matrix that is not square, and names that are not one a class.

    Example:
        >>> matrix = [[230, 10], [4, 8]]
        >>> kb.metrics.save_confusion_matrix("confusion.png", matrix, ["fine", "crack"])
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise ValueError(
            "`matrix` must have shape (num_classes, num_classes). "
            f"Received: matrix of shape {matrix.shape}"
        )
    names = check_class_names(class_names, len(matrix))
    plots.save_figure(plots.confusion_matrix(matrix, names, title), path)


def flat_scores(report_dict):
    """Write a report as one flat dict of floats, as it is logged.

    Returns:
        `precision_<class>`, `recall_<class>`, `f1_<class>` and `pr_auc_<class>` of
        each class and `macro`, `accuracy`, `balanced_accuracy` and `g_mean`.
    """
    names = class_names_of(report_dict)
    rows = {name: report_dict[name] for name in names}
    rows["macro"] = report_dict["macro avg"]
    scores = {
        f"{key}_{name}": _number(row[column])
        for key, column in _SCORES.items()
        for name, row in rows.items()
    }
    return scores | {key: _number(report_dict[key]) for key in _OVERALL}


def class_names_of(report_dict):
    """Names of the classes of a report, in class order."""
    return [
        name
        for name, row in report_dict.items()
        if isinstance(row, dict) and name not in ("macro avg", "weighted avg")
    ]


def _labels_of(y_true, class_names):
    """Labels and names; class indices, where they are of images that know both."""
    if getattr(y_true, "shuffle", False) or getattr(y_true, "num_synthetic", 0):
        raise ValueError(
            "`y_true` must be in the order of its images, without any that are "
            "synthetic: build it with `shuffle=False, sampling_strategy={}`. "
            f"Received: y_true={y_true!r}"
        )
    images = getattr(y_true, "images", y_true)
    if not hasattr(images, "encoding"):
        return y_true, class_names
    if class_names is None:  # as strings: no index is taken for a name
        class_names = [str(key) for key in images.encoding.keys]
    return images.indices, class_names


def _rounded(report):
    """Round the supports of a text report, which weights have made sums of floats."""
    return re.sub(
        r"(?<=\d) +(\d+\.\d+)$",
        lambda found: f" {as_count(float(found[1])):>9}",
        report,
        flags=re.MULTILINE,
    )


def _number(value):
    # JSON has no NaN: a report that was read from a file has None.
    return float("nan") if value is None else float(value)


def read_classes(y_true, num_classes, class_names):
    """Class indices and names, from labels of any form."""
    class_names = sequence_of_names(class_names)
    class_names = None if class_names is None else list(class_names)
    indices, encoding = read_labels(y_true, name="y_true")
    if encoding.form == "one_hot":
        indices, _ = read_labels(y_true, num_classes, name="y_true")
        return indices, check_score_names(class_names, num_classes)
    present = encoding.classes.tolist()
    are_words = encoding.classes.dtype.kind in "US"
    if "class_names" in class_label_options(y_true, num_classes, class_names):
        names = check_score_names(class_names, num_classes)
        missing = sorted(set(present) - set(class_names))
        if missing:
            raise ValueError(
                "`y_true` must hold labels among `class_names`. Where these are "
                "numbers, and the labels class indices, give the names as strings. "
                f"Received: y_true with label {missing[0]!r} and class_names={names}"
            )
        indices, _ = read_labels(y_true, class_names=class_names, name="y_true")
        return indices, names
    if not are_words and 0 <= present[0] <= present[-1] < num_classes:
        indices = encoding.names(indices)
    elif len(present) == num_classes:
        class_names = present if class_names is None else class_names
    else:
        raise ValueError(
            f"`y_true` must hold labels in [0, num_classes={num_classes}), labels "
            f"among `class_names`, or {num_classes} distinct labels. Received: "
            f"y_true with labels {present} and class_names={class_names}"
        )
    return indices, check_score_names(class_names, num_classes)


def _add_pr_auc(report_dict, y_true, y_pred, names, weights):
    # Infinite logits rank first or last, a lost prediction after all others.
    y_pred = np.nan_to_num(y_pred, nan=np.finfo(y_pred.dtype).min)
    for index, name in enumerate(names):
        is_class = y_true == index
        report_dict[name]["pr_auc"] = (
            float(sk.average_precision_score(is_class, y_pred[:, index], **weights))
            if report_dict[name]["support"]
            else 0.0
        )
    values = [report_dict[name]["pr_auc"] for name in names]
    report_dict["macro avg"]["pr_auc"] = float(np.mean(values))


def _add_recall_means(report_dict, names):
    rows = [report_dict[name] for name in names if report_dict[name]["support"]]
    recalls = [row["recall"] for row in rows]
    # scikit-learn's `balanced_accuracy_score` is this mean, but warns of classes
    # that are predicted and missing.
    report_dict["balanced_accuracy"] = float(np.mean(recalls))
    report_dict["g_mean"] = float(gmean(recalls))


def _forget_missing(report_dict, names):
    for name in names:
        row = report_dict[name]
        if not row["support"]:
            row.update(dict.fromkeys(_SCORES.values(), float("nan")))
