"""The rule of one standard error, of means and of paired differences."""

import numpy as np

from keras_balance.utils.tables import text_table

# In 196 choices of the study, all cases of which were judged, none would have been
# another one if those that were hopeless after so many had been left out of the rest.
_FEW_CASES = 3


def judged(scores):
    """Macro F1 of the candidates that can be compared, one array each.

    Those of the cases that all candidates were judged by; where there is none, that of
    the first case, as far as it went. A candidate that broke down is left out.

    Args:
        scores: dict of name to a list, one a case that it was judged by, of the F1 of
            each class.
    """
    cases = min(map(len, scores.values())) or 1
    means = {
        name: np.array([np.mean(case) for case in values[:cases]])
        for name, values in scores.items()
        if len(values) >= cases
    }
    return {name: array for name, array in means.items() if np.isfinite(array).all()}


def standard_error(values):
    """Compute the standard error of the mean; 0 for a single value."""
    if len(values) == 1:
        return 0.0
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def simplest_near_the_best(scores):
    """Name of the first candidate within one standard error of the best.

    Args:
        scores: dict of name to array `(cases,)`, from the simplest candidate on.
    """
    best = max(scores.values(), key=np.mean)
    least = best.mean() - standard_error(best)
    return next(name for name, values in scores.items() if values.mean() >= least)


def hopeless(scores):
    """Names of the candidates that more such cases will not bring near the best.

    Those further behind than one standard error of the best, which is what a simpler
    one may be and be chosen, and two of the paired difference.

    Args:
        scores: dict of name to array `(cases,)`; of fewer than three cases, none is.
    """
    best = max(scores.values(), key=np.mean, default=())
    if len(best) < _FEW_CASES:
        return []
    margin = standard_error(best)
    return [
        name
        for name, values in scores.items()
        if best.mean() - values.mean() > margin + 2 * paired_error(best, values)
    ]


def paired_error(values, others):
    """Compute the standard error of the mean difference of paired values."""
    return standard_error(np.ravel(values) - np.ravel(others))


def within_noise(scores):
    """Names of the candidates whose paired difference from the best is noise.

    How hard a case or a class is touches all candidates alike, and is no noise.

    Args:
        scores: dict of name to array of what was measured side by side.
    """
    best = max(scores.values(), key=np.mean)
    return [
        name
        for name, values in scores.items()
        if best.mean() - values.mean() <= paired_error(best, values)
    ]


def table(scores, titles, choice, left_out=()):
    """Macro F1 of all candidates in all cases as text, their means and errors.

    The error of a single case is not known, and left out.

    Args:
        scores: dict of name to a list, one a case, of the F1 of each class.
        titles: What each case does, in words.
        choice: Name of the chosen candidate, or None.
        left_out: Names of those that were left out of the last cases.
    """
    running = {name: scores[name] for name in scores if name not in left_out}
    compared = judged(running) if running else {}
    columns = []
    for name, values in scores.items():
        means = [np.mean(case) for case in values]
        missing = [None] * (len(titles) - len(values))
        summary = [None, None]
        if name in compared:
            summary = [compared[name].mean(), None]
        if len(compared.get(name, [])) > 1:
            summary[1] = standard_error(compared[name])
        column = [*means, *missing, *summary]
        columns.append([*map(_as_text, column), "*" * (name == choice)])
    titles = [*titles, "mean", "error", "chosen"]
    return text_table(["", *scores], list(zip(titles, *columns, strict=True)))


def _as_text(value):
    return "" if value is None else f"{value:.4f}"
