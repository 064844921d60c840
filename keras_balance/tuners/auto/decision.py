"""The rule of one standard error, on scores that are paired by fold."""

import numpy as np

from keras_balance.utils.tables import text_table


def judged(scores):
    """Scores of the candidates that can be compared, as one array each.

    Those of the folds that all candidates were judged by; where there is none, those
    of the first fold, as far as it went. A candidate that broke down is left out.

    Args:
        scores: dict of name to list of scores, one a fold that it was judged by.
    """
    folds = min(map(len, scores.values())) or 1
    return {
        name: np.array(values[:folds])
        for name, values in scores.items()
        if len(values) >= folds and np.isfinite(values[:folds]).all()
    }


def behind_the_best(scores):
    """Mean difference from the best candidate, and its standard error.

    Args:
        scores: dict of name to array `(folds,)`, from the simplest candidate on.

    Returns:
        dict of name to `(difference, standard error)`. A single fold gives an error
        of 0.
    """
    best = max(scores.values(), key=np.mean)
    result = {}
    for name, values in scores.items():
        gaps = best - values
        spread = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else 0.0
        result[name] = float(gaps.mean()), float(spread)
    return result


def simplest_near_the_best(scores):
    """Name of the first candidate within one standard error of the best."""
    gaps = behind_the_best(scores)
    return next(name for name, (gap, error) in gaps.items() if gap <= error)


def table(scores, choice):
    """All the scores as text, and how far behind the best each candidate is."""
    folds = max(map(len, scores.values()), default=0)
    compared = judged(scores) if scores else {}
    gaps = behind_the_best(compared) if compared else {}
    rows = []
    for name, values in scores.items():
        cells = [f"{value:.4f}" for value in values] + [""] * (folds - len(values))
        mean, gap, error = "", "", ""
        if name in gaps:
            mean = f"{compared[name].mean():.4f}"
            gap, error = (f"{value:.4f}" for value in gaps[name])
        rows.append([name, *cells, mean, gap, error, "*" * (name == choice)])
    titles = [f"fold {place + 1}" for place in range(folds)]
    header = ["candidate", *titles, "mean", "behind", "error", "chosen"]
    return text_table(header, rows)
