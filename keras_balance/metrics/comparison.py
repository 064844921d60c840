"""Several arms of an experiment side by side, with intervals over their seeds."""

import collections
import dataclasses
import functools
import reprlib

import numpy as np
from scipy.stats import bootstrap

from keras_balance.metrics.class_report import (
    ClassReport,
    class_names_of,
    flat_scores,
)
from keras_balance.metrics.target_prior import scores_under
from keras_balance.utils import plots
from keras_balance.utils.tables import markdown_table, text_table

Interval = collections.namedtuple("Interval", ["mean", "low", "high"])


def compare_reports(reports, classes=None, confidence_level=0.95, target_prior=None):
    """Compare the reports of several arms: the paper's Table 1, with intervals.

    Args:
        reports: Dict of each arm's name to its reports, one a seed: a sequence of
            dicts as `PerClassReport.report_dict`, of `ClassReport`s, or of what
            `report.json` holds; or a single one. Give every arm the same seeds in the
            same order.
        classes: Optional names of the classes to report. Defaults to all.
        confidence_level: Of the intervals.
        target_prior: How frequent the classes are where the classifiers will be used,
            see `class_report`; for reports that have a confusion matrix.

    Returns:
        A `Comparison` of accuracy, balanced accuracy and macro F1, and of
        precision, recall and F1 of the `classes`.

    Raises:
        TypeError: When `reports` is no dict.
        ValueError: Without an arm or a report, for what is no report, for a class that
            some report does not have, and for a `target_prior` with reports that have
            no confusion matrix.

    Example:
        >>> comparison = kb.metrics.compare_reports(
        ...     {"imbalanced": [plain_0, plain_1], "BAGAN": [bagan_0, bagan_1]},
        ...     classes=["0"],
        ... )
        >>> print(comparison.text())
        >>> print(comparison.against("imbalanced").markdown())
        >>> comparison.save_picture("comparison.png")
    """
    if not isinstance(reports, dict):
        raise TypeError(
            "`reports` must be a dict of each arm's name to its reports. "
            f"Received: reports of type {type(reports).__name__}"
        )
    arms = {
        arm: [runs] if isinstance(runs, (dict, ClassReport)) else list(runs)
        for arm, runs in reports.items()
    }
    if not arms or not all(arms.values()):
        raise ValueError(
            "`reports` must hold at least one arm, and each arm one report. Received: "
            f"reports of { ({arm: len(runs) for arm, runs in arms.items()}) }"
        )
    if not 0 < confidence_level < 1:
        raise ValueError(
            "`confidence_level` must be between 0 and 1. "
            f"Received: confidence_level={confidence_level}"
        )
    first, _ = _read(next(iter(arms.values()))[0])
    names = (
        class_names_of(first) if classes is None else [str(name) for name in classes]
    )
    arms = {
        arm: [_flat(run, target_prior) for run in runs] for arm, runs in arms.items()
    }
    keys = _score_titles(names)
    values = {
        arm: {title: _scores_of(runs, key, arm) for key, title in keys.items()}
        for arm, runs in arms.items()
    }
    return Comparison(values, confidence_level)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Scores of several arms; `compare_reports` makes it.

    Attributes:
        values: Dict of arm to dict of score to array `(seeds,)`.
        confidence_level: Of the intervals.
        is_difference: Whether these are differences from another arm.

    Example:
        >>> comparison = kb.metrics.compare_reports(
        ...     {"plain": [plain_0, plain_1], "BAGAN": [bagan_0, bagan_1]}
        ... )
        >>> comparison.arms
        ['plain', 'BAGAN']
        >>> comparison.against("plain").interval("BAGAN", "macro F1").mean
    """

    values: dict
    confidence_level: float = 0.95
    is_difference: bool = False

    @property
    def arms(self):
        """Names of the arms."""
        return list(self.values)

    @property
    def scores(self):
        """Names of the scores, such as `"macro F1"` and `"0 recall"`."""
        return list(next(iter(self.values.values())))

    def interval(self, arm, score):
        """Mean over the seeds and its bootstrap percentile interval.

        Returns:
            A named tuple `(mean, low, high)`. The ends are NaN for one seed. With
            three or four seeds the interval is too narrow, as a bootstrap then is.

        Raises:
            ValueError: For an unknown arm or score.
        """
        _check_known("arm", [arm], self.arms)
        _check_known("score", [score], self.scores)
        values = self.values[arm][score]
        mean = float(np.mean(values))
        if len(values) < 2 or not np.isfinite(values).all():
            return Interval(mean, float("nan"), float("nan"))
        return Interval(mean, *_bootstrap_ends(tuple(values), self.confidence_level))

    def against(self, baseline):
        """Differences from one arm, seed by seed.

        Pairing the seeds leaves out what all arms owe to the draw of the data.

        Raises:
            ValueError: For an unknown arm, one with another number of seeds, and a
                comparison without any other.
        """
        _check_known("baseline", [baseline], self.arms)
        if len(self.arms) == 1:
            raise ValueError(
                "`against` needs another arm than the baseline. "
                f"Received: baseline={baseline!r} of a comparison of {self.arms}"
            )
        seeds = {arm: len(self.values[arm][self.scores[0]]) for arm in self.arms}
        if len(set(seeds.values())) > 1:
            raise ValueError(
                "Arms must have the same seeds to be paired. "
                f"Received: reports of {seeds}"
            )
        paired = self.values[baseline]
        differences = {
            arm: {score: values[score] - paired[score] for score in self.scores}
            for arm, values in self.values.items()
            if arm != baseline
        }
        return dataclasses.replace(self, values=differences, is_difference=True)

    def text(self, arms_down=False):
        """Write the table as text: scores down and arms across, as in the paper.

        Args:
            arms_down: Whether to turn the table, for many arms and few scores.
        """
        return text_table(*self._table(arms_down))

    def markdown(self, arms_down=False):
        """Write the table as Markdown, see `text`."""
        return markdown_table(*self._table(arms_down))

    def picture(self, scores=None, marked=(), share_axis=False):
        """Draw a panel a score: a dot an arm, with its interval.

        Args:
            scores: Names of the scores to show. Defaults to the accuracies and F1.
            marked: Names of arms to mark.
            share_axis: Whether all panels have the same axis, so that they can be
                compared; by default each is as wide as its scores need.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: For an unknown score or arm, and for no score at all.
        """
        if scores is None:
            scores = [name for name in self.scores if name.endswith(("accuracy", "F1"))]
        _check_known("scores", scores, self.scores)
        _check_known("marked", marked, self.arms)
        if not len(scores):
            raise ValueError(
                "`scores` must name at least one score to show. "
                f"Received: scores={scores!r}"
            )
        intervals = np.array(
            [[self.interval(arm, score) for arm in self.arms] for score in scores]
        )
        means, lows, highs = np.moveaxis(intervals, -1, 0)
        label = "difference" if self.is_difference else "score"
        if np.isfinite(lows).any():
            mean = "mean difference" if self.is_difference else "mean"
            percent = 100 * self.confidence_level
            label = f"{mean}, {percent:.4g} % interval over seeds"
        return plots.interval_dots(
            means, lows, highs, scores, self.arms, label, marked, share_axis
        )

    def save_picture(self, path, scores=None, marked=(), share_axis=False):
        """Write the picture to a file atomically; see `picture`."""
        plots.save_figure(self.picture(scores, marked, share_axis), path)

    def _table(self, arms_down):
        rows = [
            [arm, *(self._cell(arm, score) for score in self.scores)]
            for arm in self.arms
        ]
        table = [["", *self.scores], *rows]
        if not arms_down:
            table = list(zip(*table, strict=True))
        return table[0], table[1:]

    def _cell(self, arm, score):
        form = "+.4f" if self.is_difference else ".4f"
        mean, low, high = (format(part, form) for part in self.interval(arm, score))
        return mean if low.endswith("nan") else f"{mean} [{low}, {high}]"


@functools.lru_cache(maxsize=4096)  # text, Markdown and picture show the same ones
def _bootstrap_ends(values, confidence_level):
    ends = bootstrap(
        (values,),
        np.mean,
        confidence_level=confidence_level,
        method="percentile",
        # Fixed: the same reports always give the same table.
        random_state=np.random.default_rng(0),
    ).confidence_interval
    return float(ends.low), float(ends.high)


def _check_known(argument, names, known):
    for name in names:
        if name not in known:
            raise ValueError(
                f"`{argument}` must be of {known}. Received: {argument}={name!r}"
            )


def _score_titles(class_names):
    """Keys of flat scores to titles of the table."""
    titles = {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced accuracy",
        "f1_macro": "macro F1",
    }
    for name in class_names:
        titles |= {
            f"precision_{name}": f"{name} precision",
            f"recall_{name}": f"{name} recall",
            f"f1_{name}": f"{name} F1",
        }
    return titles


def _read(run):
    """Give a report's dict and its confusion matrix, or None."""
    if isinstance(run, ClassReport):
        return run.report_dict, run.confusion_matrix
    keys = run if isinstance(run, dict) else ()
    if "macro avg" in keys:  # which no class may be called, unlike "report"
        return run, None
    if "report" in keys and "confusion_matrix" in keys:
        return run["report"], run["confusion_matrix"]
    raise ValueError(
        "`reports` must hold what `class_report` returns, its `report_dict`, or what "
        f"`report.json` holds. Received: a {type(run).__name__} {reprlib.repr(run)}"
    )


def _flat(run, target_prior):
    report_dict, matrix = _read(run)
    if target_prior is None:
        return flat_scores(report_dict)
    if matrix is None:
        raise ValueError(
            "With `target_prior`, `reports` must have a confusion matrix: give what "
            "`class_report` returns, or what `report.json` holds. "
            f"Received: target_prior={target_prior!r} and a dict {list(report_dict)}"
        )
    names = class_names_of(report_dict)
    support = [report_dict[name]["support"] for name in names]
    return scores_under(target_prior, matrix, support, names)


def _scores_of(runs, key, arm):
    try:
        return np.array([run[key] for run in runs])
    except KeyError as error:
        raise ValueError(
            f"Every report must hold {error}. Received: a report of {arm!r} without it"
        ) from error
