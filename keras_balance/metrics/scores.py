"""Scores of every class from labels and predictions, by scikit-learn."""

import warnings

import numpy as np
from scipy.stats import gmean
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from keras_balance.utils.labels import check_class_names


def per_class_scores(y_true, y_score, class_names=None, sample_weight=None):
    """Scores of every class and their averages.

    Args:
        y_true: Class indices `(n,)`.
        y_score: Probabilities `(n, num_classes)`.
        class_names: Optional names, one a class, for the keys.
        sample_weight: Optional weights `(n,)`.

    Returns:
        Dict of floats with constant keys: `precision_<class>`, `recall_<class>`,
        `f1_<class>` and `pr_auc_<class>` of each class, NaN for a class of which
        `y_true` has no image; `precision_macro`, `recall_macro`, `f1_macro` and
        `pr_auc_macro`, the means over the classes that `y_true` has;
        `balanced_accuracy` (the same as `recall_macro`), `g_mean` (geometric mean
        of the recalls) and `accuracy`.
    """
    y_true, y_score = np.asarray(y_true), np.asarray(y_score)
    num_classes = y_score.shape[1]
    names = check_class_names(class_names, num_classes)
    y_pred = y_score.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true,
        y_pred,
        labels=range(num_classes),
        sample_weight=sample_weight,
        zero_division=0,
    )
    is_class = y_true[:, None] == np.arange(num_classes)
    with warnings.catch_warnings():
        # Classes without an image become NaN below.
        warnings.filterwarnings("ignore", "No positive class found")
        pr_auc = [
            average_precision_score(
                is_class[:, c], y_score[:, c], sample_weight=sample_weight
            )
            for c in range(num_classes)
        ]
    present = support > 0
    tables = {"precision": precision, "recall": recall, "f1": f1, "pr_auc": pr_auc}
    scores = {}
    for score, values in tables.items():
        values = np.where(present, values, np.nan)
        scores |= {
            f"{score}_{name}": float(value)
            for name, value in zip(names, values, strict=True)
        }
        scores[f"{score}_macro"] = float(np.nanmean(values))
    scores["balanced_accuracy"] = scores["recall_macro"]
    scores["g_mean"] = float(gmean(recall[present]))
    scores["accuracy"] = float(np.average(y_true == y_pred, weights=sample_weight))
    return scores
