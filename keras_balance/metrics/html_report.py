"""A report to show: one self-contained page with scores, pictures and misses."""

import dataclasses

import numpy as np

from keras_balance.utils import plots, web_page
from keras_balance.utils.files import write_text
from keras_balance.utils.tables import as_count

_COLUMNS = ("precision", "recall", "f1-score", "pr_auc")


@dataclasses.dataclass(frozen=True)
class Misses:
    """Images of a class that were taken for others.

    Attributes:
        class_name: Name of the class.
        images: `(n, height, width, channels)`, the most confident mistake first.
        predicted: Names of the `n` classes that they were taken for.
        confidence: Probabilities `(n,)` of these classes, or None.
        value_range: `(low, high)` of the pixels.

    Example:
        >>> report = kb.metrics.class_report([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        >>> misses = kb.metrics.Misses("1", x_test[:1], ["0"], np.array([0.8]))
        >>> kb.metrics.save_html_report("report.html", report, misses=misses)
    """

    class_name: str
    images: np.ndarray
    predicted: list
    confidence: np.ndarray | None = None
    value_range: tuple = (0, 255)


def save_html_report(
    path,
    report,
    title="Held-out data",
    history=None,
    epochs=None,
    misses=None,
    sections=None,
):
    """Write a report as one self-contained HTML page, atomically.

    It has a table, the confusion matrix, curves over the epochs and thumbnails of a
    class's misses; the pictures are embedded, there is no JavaScript, and a phone shows
    it as well as a screen.

    Args:
        path: The page's file, its folder made when missing.
        report: A `kb.metrics.ClassReport`.
        title: Plain text.
        history: Optional dict of `recall_<class>` and `f1_<class>`, each with `val_`
            before it or without, to a sequence of values, one an epoch: that of a
            `PerClassReport` or of `fit`. What else it holds is not drawn.
        epochs: The epochs of `history`; 1, 2, ... by default.
        misses: Optional `Misses` of a class, whose row is marked.
        sections: Optional dict of headings to what stands below them at the end: plain
            text, a `matplotlib.figure.Figure`, or a list of both.

    Raises:
        ValueError: For a history without these keys or of other lengths, and misses of
            a class that the report does not have.

    Example:
        >>> outputs = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
        >>> report = kb.metrics.class_report([0, 0, 1], outputs)
        >>> kb.metrics.save_html_report("report.html", report)
    """
    if misses is not None and misses.class_name not in report.class_names:
        raise ValueError(
            f"`misses` must be of one of the classes {report.class_names}. "
            f"Received: misses of {misses.class_name!r}"
        )
    parts = report_parts(report, misses, history, epochs)
    for heading, content in (sections or {}).items():
        parts.append(web_page.section(heading, web_page.as_html(content)))
    write_text(path, web_page.page(title, parts))


def report_parts(report, misses=None, history=None, epochs=None):
    """Write what a page shows of a report: pieces of HTML."""
    parts = [_summary(report), _table(report, misses), _matrix(report)]
    if history:
        parts.append(_curves(report, history, epochs))
    if misses is not None:
        parts.append(_misses(misses))
    return parts


def rarest_class(report):
    """Index of the class with the fewest images; of equal ones, the least found."""
    rows = [report.report_dict[name] for name in report.class_names]
    keys = [
        (row["support"], row["recall"]) if row["support"] else (np.inf, np.inf)
        for row in rows
    ]
    return min(range(len(rows)), key=keys.__getitem__)


def _summary(report):
    scores = report.report_dict
    rarest = report.class_names[rarest_class(report)]
    return web_page.paragraph(
        f"Macro F1 {scores['macro avg']['f1-score']:.4f}, balanced accuracy "
        f"{scores['balanced_accuracy']:.4f}, accuracy {scores['accuracy']:.4f}. "
        f"Of the class {rarest}, {scores[rarest]['recall']:.1%} was found."
    )


def _table(report, misses):
    names = report.class_names
    rows = [
        [name, *(f"{row[c]:.4f}" for c in _COLUMNS), as_count(row["support"])]
        for name in [*names, "macro avg"]
        for row in [report.report_dict[name]]
    ]
    marked = misses.class_name if misses else names[rarest_class(report)]
    header = ["class", "precision", "recall", "F1", "PR-AUC", "images"]
    table = web_page.table(header, rows, {names.index(marked)})
    return web_page.section("Every class", table)


def _matrix(report):
    figure = plots.confusion_matrix(report.confusion_matrix, report.class_names)
    alt = "Confusion matrix: true classes down, predicted classes across"
    return web_page.section("What was taken for what", web_page.picture(figure, alt))


def _curves(report, history, epochs):
    names = report.class_names
    scores = {"recall": "recall", "F1": "f1"}
    curves = {title: _lines(history, key, names) for title, key in scores.items()}
    lines = [line for score in curves.values() for line in score]
    epochs = range(1, 1 + len(lines[0])) if epochs is None else epochs
    if any(len(line) != len(epochs) for line in lines):
        raise ValueError(
            "`history` must hold a value of every score for each of the `epochs`. "
            f"Received: {len(epochs)} epochs, and lists of {[*map(len, lines)]}"
        )
    pictures = [
        web_page.picture(
            plots.class_curves({score: lines}, epochs, names),
            f"{score} of each class after each epoch",
        )
        for score, lines in curves.items()
    ]
    return web_page.section("Over the epochs", web_page.row(*pictures))


def _lines(history, score, names):
    """Values of a score, one list a class: those of validation where there are any."""
    for prefix in ("val_", ""):
        keys = [f"{prefix}{score}_{name}" for name in names]
        if all(key in history for key in keys):
            return [history[key] for key in keys]
    raise ValueError(
        f"`history` must hold `{score}_<class>`, or `val_{score}_<class>`, of every "
        f"class. Received: history with the keys {list(history)}"
    )


def _misses(misses):
    name = misses.class_name
    heading = f"Most confident misses of the class {name}"
    if not len(misses.images):
        return web_page.section(heading, web_page.paragraph("None was missed."))
    captions = [f"{name}, taken for {other}" for other in misses.predicted]
    if misses.confidence is not None:
        captions = [
            f"{caption} ({share:.0%})"
            for caption, share in zip(captions, misses.confidence, strict=True)
        ]
    pictures = web_page.thumbnails(misses.images, captions, misses.value_range)
    return web_page.section(heading, pictures)
