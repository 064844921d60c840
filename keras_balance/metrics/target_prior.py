"""Scores of test images, read as if their classes were otherwise frequent."""

import numpy as np

from keras_balance.utils.priors import read_prior


def weigh(indices, num_classes, sample_weight, target_prior):
    """Weights that give the classes of test images other shares.

    What a classifier makes of an image of a class does not depend on how many there
    are: so each image stands for as many as its class shall have. The weights sum to
    what they summed to before. A class without images has no share.

    Args:
        indices: Class indices `(n,)`.
        num_classes: Number of classes.
        sample_weight: Weights `(n,)` of the images, or None.
        target_prior: See `kb.metrics.class_report`; None leaves the weights alone.

    Returns:
        float64 `(n,)`, or None without both.
    """
    if target_prior is None:
        return sample_weight
    weights = np.ones(len(indices)) if sample_weight is None else sample_weight
    weights = np.asarray(weights, dtype="float64").reshape(-1)
    totals = np.bincount(indices, weights, minlength=num_classes)
    return weights * _factors(totals, target_prior)[indices]


def scores_under(target_prior, matrix, support, names):
    """Flat scores of a confusion matrix under other shares of the classes.

    Args:
        target_prior: See `kb.metrics.class_report`.
        matrix: Confusion matrix `(num_classes, num_classes)`, true classes down.
        support: `(num_classes,)`, images of each class, lost predictions included.
        names: Names of the classes.

    Returns:
        dict of `accuracy`, `balanced_accuracy`, and of precision, recall and F1 of
        each class and `macro`, named as in `flat_scores`.
    """
    matrix, support = np.asarray(matrix, "float64"), np.asarray(support, "float64")
    weights = _factors(support, target_prior)
    actual, predicted = weights * support, weights @ matrix
    hits = weights * np.diagonal(matrix)
    each = {
        "precision": _divide(hits, predicted),
        "recall": _divide(hits, actual),
        "f1": _divide(2 * hits, predicted + actual),
    }
    is_there = support > 0
    scores = {
        "accuracy": hits.sum() / actual.sum(),
        "balanced_accuracy": each["recall"][is_there].mean(),
    }
    for key, values in each.items():
        scores[f"{key}_macro"] = values.mean()
        shown = np.where(is_there, values, np.nan)
        scores |= {f"{key}_{name}": v for name, v in zip(names, shown, strict=True)}
    return {key: float(value) for key, value in scores.items()}


def _factors(totals, target_prior):
    """Factors of the weights of each class, 0 for a class without images."""
    is_there = totals > 0
    prior = np.where(is_there, read_prior(target_prior, totals), 0)
    return _divide(prior * totals.sum(), prior.sum() * totals)


def _divide(numbers, by):
    return np.divide(numbers, by, out=np.zeros(len(numbers)), where=by > 0)
