"""The rule of one standard error, on scores that are paired."""

import numpy as np

from keras_balance.utils.tables import text_table


def judged(scores):
    """Scores of the candidates that can be compared, as one array each.

    Those of the cases that all candidates were judged by; where there is none, those
    of the first case, as far as it went. A candidate that broke down is left out.

    Args:
        scores: dict of name to a list, one a case that it was judged by, of lists of
            scores.
    """
    cases = min(map(len, scores.values())) or 1
    arrays = {
        name: np.concatenate(values[:cases])
        for name, values in scores.items()
        if len(values) >= cases
    }
    return {name: array for name, array in arrays.items() if np.isfinite(array).all()}


def behind_the_best(scores):
    """Mean difference from the best candidate, and its standard error.

    Args:
        scores: dict of name to array `(n,)`, from the simplest candidate on.

    Returns:
        dict of name to `(difference, standard error)`. A single score gives an error
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


def table(scores, titles, choice):
    """Mean scores of all cases as text, and how far behind the best each candidate is.

    Args:
        scores: dict of name to a list, one a case, of lists of scores.
        titles: What each case does, in words.
        choice: Name of the chosen candidate, or None.
    """
    compared = judged(scores) if scores else {}
    gaps = behind_the_best(compared) if compared else {}
    columns = []
    for name, values in scores.items():
        means = [np.mean(case) for case in values]
        missing = [None] * (len(titles) - len(values))
        summary = [compared[name].mean(), *gaps[name]] if name in gaps else [None] * 3
        column = [*means, *missing, *summary]
        columns.append([*map(_as_text, column), "*" * (name == choice)])
    titles = [*titles, "mean", "behind", "error", "chosen"]
    return text_table(["", *scores], list(zip(titles, *columns, strict=True)))


def _as_text(value):
    return "" if value is None else f"{value:.4f}"
