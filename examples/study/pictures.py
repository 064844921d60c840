"""Pictures of the rows."""

import numpy as np
from matplotlib.figure import Figure

import keras_balance as kb
from keras_balance.utils.plots import save_figure
from study.cells import reports_of
from study.tables import is_as_paper

POINTS = "offset points"


def draw_row(results, path):
    """Draw a row's macro F1 and its rare classes' F1; none beside the paper."""
    if is_as_paper(results):
        return
    comparison = kb.metrics.compare_reports(
        reports_of(results["cells"]), classes=results["rare"]
    )
    scores = ["macro F1", *(f"{name} F1" for name in results["rare"])]
    comparison.save_picture(path, scores)


def draw_before_and_after(results, arm, path, names=None):
    """Draw recall of every class in plain training and in an arm, the rare ones bold.

    Args:
        results: A row's results.
        arm: The arm to set against "imbalanced".
        path: Where the picture goes.
        names: Optional names of the classes.
    """
    before, after = (recall_of_classes(results, one) for one in ("imbalanced", arm))
    names = [str(place) for place in range(len(before))] if names is None else names
    figure = Figure(figsize=(8, 0.32 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    for place, (low, high) in enumerate(zip(before, after, strict=True)):
        rare = place in results["rare"]
        colour = "#d1495b" if rare else "#8d99ae"
        axes.plot([low, high], [place, place], color=colour, linewidth=4 if rare else 2)
        axes.plot(low, place, "o", color=colour, markerfacecolor="white", markersize=8)
        axes.plot(high, place, "o", color=colour, markersize=8)
        if rare:
            axes.annotate(f"{low:.0f} %", (low, place), (-34, -4), textcoords=POINTS)
            axes.annotate(f"{high:.0f} %", (high, place), (9, -4), textcoords=POINTS)
    axes.set_yticks(range(len(names)), names)
    for place, label in enumerate(axes.get_yticklabels()):
        label.set_fontweight("bold" if place in results["rare"] else "normal")
    axes.set(xlim=(-8, 108), xlabel="recall in percent: plain training, and after")
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    save_figure(figure, path)


def recall_of_classes(results, arm):
    """Recall of every class in percent, over all images of an arm's cells."""
    matrices = [c["confusion_matrix"] for c in results["cells"] if c["arm"] == arm]
    matrix = np.sum(matrices, axis=0)
    return 100 * np.diag(matrix) / matrix.sum(axis=1)
