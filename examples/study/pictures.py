"""Pictures of the rows, and README's: a rare class lost, and found."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

import keras_balance as kb
from keras_balance.utils.plots import save_figure
from study.cells import reports_of
from study.cifar import CLASSES
from study.tables import is_as_paper

POINTS = "offset points"
RARE_COLOUR, OTHER_COLOUR = "#d1495b", "#8d99ae"
RECOMMENDED = "auto layer"
DECISIONS = {  # of the picture of reliability, and their colours
    "as trained": OTHER_COLOUR,
    "tau 1": "#edae49",
    "found tau": RARE_COLOUR,
}
FEWEST = 20  # images of a bin that is drawn
SHOWN = (  # of the arms, those that a picture has room for
    "balanced",
    "imbalanced",
    "class weights",
    "oversampling",
    "smote",
    "manual",
    "bagan+manual",
    "elastic",
    RECOMMENDED,
)


def draw_row(results, path):
    """Draw a row's macro F1 and its rare classes' F1; none beside the paper."""
    if is_as_paper(results):
        return
    reports = reports_of(results["cells"])
    reports = {arm: reports[arm] for arm in SHOWN if arm in reports}
    comparison = kb.metrics.compare_reports(reports, classes=results["rare"])
    scores = ["macro F1", *(f"{name} F1" for name in results["rare"])]
    comparison.save_picture(path, scores, marked=[RECOMMENDED], share_axis=True)


def draw_before_and_after(cells, rare, photographs, path):
    """Draw recall of every class of CIFAR-10, plain and with the head for few images.

    Args:
        cells: Cells of `study.pretrained`.
        rare: Name of the rare class.
        photographs: Path of a picture of its photographs side by side, squares.
        path: Where the picture goes.
    """
    cells = [cell for cell in cells if cell.get("rare") == rare]
    recalls = {arm: mean_recalls(cells, arm) for arm in ("plain", "ours")}
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes, beside = figure.subplots(1, 2, width_ratios=[4, 1])
    for place, name in enumerate(CLASSES):
        ends = [recalls[arm][place] for arm in ("plain", "ours")]
        draw_change(axes, place, *ends, is_rare=name == rare)
    axes.set_yticks(range(len(CLASSES)), CLASSES)
    axes.get_yticklabels()[CLASSES.index(rare)].set(weight="bold", color=RARE_COLOUR)
    axes.set(xlim=(0, 100), xlabel="recall in percent")
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    beside.imshow(in_columns(imread(photographs), 3))
    beside.set_title(f"all {rare}s there are\nto learn from", fontsize="medium")
    beside.set_axis_off()
    save_figure(figure, path)


def draw_change(axes, place, low, high, is_rare):
    """One class: a hollow dot before, a filled one after, a line between."""
    colour = RARE_COLOUR if is_rare else OTHER_COLOUR
    axes.plot([low, high], [place, place], color=colour, linewidth=4 if is_rare else 2)
    axes.plot(low, place, "o", color=colour, markerfacecolor="white", markersize=8)
    axes.plot(high, place, "o", color=colour, markersize=8)
    if is_rare:
        style = {"textcoords": POINTS, "ha": "center", "color": colour}
        axes.annotate(f"plain: {low:.0f} %", (low, place), (0, 10), **style)
        axes.annotate(
            f"FewShotClassifier: {high:.0f} %", (high, place), (0, 10), **style
        )


def draw_reliability(cells, path):
    """Draw how often the rare class was there against how likely it was said to be.

    Args:
        cells: Cells of `study.reliability`.
        path: Where the picture goes.
    """
    worlds = list(dict.fromkeys(cell["data"] for cell in cells))
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    for axes, world in zip(figure.subplots(1, len(worlds)), worlds, strict=True):
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        for decision, colour in DECISIONS.items():
            said, happened = pooled_bins(cells, world, decision)
            axes.plot(said, happened, "o-", color=colour, label=decision)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=world)
        axes.set_xlabel("probability of the rare class")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("share of images that are of it")
    figure.axes[0].legend(loc="lower right")
    save_figure(figure, path)


def pooled_bins(cells, world, decision):
    """Mean probability, and share of rare images, of each bin over all draws."""
    wanted = {"data": world, "arm": decision}
    chosen = [cell for cell in cells if wanted.items() <= cell.items()]
    sums = [
        np.sum([c[key] for c in chosen], 0) for key in ("images", "said", "happened")
    ]
    images, said, happened = (one[sums[0] >= FEWEST] for one in sums)
    return said / images, happened / images


def mean_recalls(cells, arm):
    """Recall of every class in percent, the mean over an arm's draws."""
    chosen = [cell["recalls"] for cell in cells if cell["arm"] == arm]
    return 100 * np.mean(chosen, axis=0)


def in_columns(strip, columns):
    """Squares that lie side by side, in so many columns."""
    side = len(strip)
    squares = np.split(strip, strip.shape[1] // side, axis=1)
    rows = [squares[i : i + columns] for i in range(0, len(squares), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])
