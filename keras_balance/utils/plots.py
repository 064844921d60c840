"""Pictures that people can read: confusion matrices, curves, scores.

Every function returns a `matplotlib.figure.Figure` made with matplotlib's object
interface: no screen, no `pyplot`, no global state, safe in threads.
"""

import functools
import math

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure

from keras_balance.utils.files import atomic_path
from keras_balance.utils.tables import as_count

INCHES_PER_LETTER = 0.09
MOST_INCHES = 40
_ROOM = 0.03  # of an axis
_MOST_NUMBERED = 60  # classes of a matrix: of more, no number could be read
_MATRIX_INCHES = 15  # of a matrix without numbers
_MOST_NAMED, _OUTSTANDING = 30, 10  # curves: of more than the first, the second
_PANELS_A_ROW = 4
_DPI = 120
_MARK = "gold"


def save_figure(figure, path):
    """Write a figure atomically; nothing is cut off at the edges."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, bbox_inches="tight")


def confusion_matrix(matrix, class_names, title=None):
    """Draw a confusion matrix: true classes down, predicted classes across.

    The colour is the share of the true class, so that a rare class is as visible
    as a common one; the text is the number of images, where there are few classes. Of
    many classes, every so manyth is named.
    """
    matrix = np.asarray(matrix)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    letters = INCHES_PER_LETTER * longest(class_names)
    is_numbered = len(matrix) <= _MOST_NUMBERED
    side = letters + (2 + 0.5 * len(matrix) if is_numbered else _MATRIX_INCHES)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, label="share of the true class", shrink=0.8)
    for row, column in np.argwhere(matrix if is_numbered else []):
        number = axes.text(
            column,
            row,
            as_count(matrix[row, column]),
            ha="center",
            va="center",
            fontsize="small",
            color="white" if shares[row, column] > 0.5 else "black",
        )
        number.set_in_layout(False)  # it lies within: measuring it takes long
    ticks = range(0, len(matrix), math.ceil(len(matrix) / _MOST_NUMBERED))
    named = [class_names[tick] for tick in ticks]
    rotation = 90 if longest(class_names) > 3 else 0
    axes.set_xticks(ticks, named, rotation=rotation, **as_it_is(*named))
    axes.set_yticks(ticks, named, **as_it_is(*named))
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(title or "", **as_it_is(title or ""))
    return figure


def class_curves(curves, epochs, class_names):
    """Draw one line a class through the epochs, one panel a score.

    Of many classes, the ten that end lowest stand out, and the others are grey.

    Args:
        curves: Dict of each score's name to a sequence, one a class, of sequences of
            values, one an epoch; NaN where there is none.
        epochs: Sequence of the epochs' numbers.
        class_names: Sequence of the classes' names.
    """
    named = _outstanding([*curves.values()][-1])
    names = [class_names[place] for place in named]
    columns, legend = _legend_size(names)
    size = 4 * len(curves) + legend, 4.5
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for panel, (score, lines) in zip(panels, curves.items(), strict=True):
        for place in sorted(set(range(len(lines))) - set(named)):
            panel.plot(epochs, lines[place], color="0.85", linewidth=0.8)
        shown = []
        for order, place in enumerate(named):
            # Ten colours: the next ten classes are dashed, then dotted.
            style = ["-", "--", ":"][order // 10]
            shown += panel.plot(
                epochs, lines[place], style, marker=".", color=f"C{order % 10}"
            )
        panel.set(title=score, xlabel="epoch", ylim=(-0.02, 1.02))
        panel.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
    legend = figure.legend(
        shown,
        [f"class {place}" for place in named],
        loc="outside right upper",
        ncols=columns,
        title=None if len(named) == len(class_names) else f"lowest {score} at the end",
    )
    # Afterwards: as labels, names that begin with "_" would be left out.
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, **as_it_is(name))
    return figure


def _outstanding(lines):
    """Places of the lines to name: all, or of many those that end lowest."""
    if len(lines) <= _MOST_NAMED:
        return list(range(len(lines)))
    # NaN comes last in an order.
    return np.argsort([values[-1] for values in lines], kind="stable")[:_OUTSTANDING]


def interval_dots(
    means, lows, highs, panel_names, row_names, xlabel, marked=(), share_axis=False
):
    """Draw a panel a score, and in it a dot and its interval a row.

    By default every panel has an axis of its own: a macro average moves within a few
    points where the score of a rare class moves within fifty.

    Args:
        means: Array `(panels, rows)`; NaN leaves a dot out.
        lows: Array of the lower ends of the intervals; NaN leaves one out.
        highs: Array of the upper ends.
        panel_names: The panels' titles.
        row_names: The names of the rows, from the top down.
        xlabel: What the dots show.
        marked: Names of rows to mark.
        share_axis: Whether all panels have the same axis.
    """
    means, lows, highs = (np.asarray(part, "float64") for part in (means, lows, highs))
    width = max(2.4, INCHES_PER_LETTER * longest(panel_names))
    height = 0.9 + 0.25 * len(row_names)
    margin = INCHES_PER_LETTER * longest(row_names)
    figure, panels = panel_grid(len(panel_names), width, height, margin)
    places = np.arange(len(row_names))
    for panel, title, mean, low, high in zip(
        panels, panel_names, means, lows, highs, strict=True
    ):
        panel.errorbar(mean, places, xerr=np.abs([mean - low, high - mean]), fmt="o")
        panel.set_yticks(places, row_names, **as_it_is(*row_names))
        panel.set_title(title, **as_it_is(title))
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.grid(alpha=0.3)
        panel.set_axisbelow(True)
        for place in np.flatnonzero([name in marked for name in row_names]):
            panel.axhspan(place - 0.5, place + 0.5, color=_MARK, alpha=0.3, zorder=0)
    if share_axis:
        ends = [end for panel in panels for end in panel.get_xlim()]
        margin = _ROOM * (max(ends) - min(ends))  # no dot lies on the frame
        panels[0].set_xlim(min(ends) - margin, max(ends) + margin)
        for panel in panels[1:]:
            panel.sharex(panels[0])
    panels[0].set_ylim(len(row_names) - 0.5, -0.5)
    figure.supxlabel(xlabel, fontsize="medium")
    return figure


def marked_rows(series, row_names, marked, xlabel):
    """Draw a row for each name, all on one axis: dots, and their errors as bars.

    The axis shows the better half of the rows well: what is far below is written at
    its edge.

    Args:
        series: Dict of title to `(means, errors)`, arrays `(rows,)`; NaN leaves a dot,
            or its bar, out.
        row_names: The names of the rows, from the top down.
        marked: Place of the row to mark.
        xlabel: What the dots show.
    """
    width = 5 + INCHES_PER_LETTER * longest(row_names)
    figure = Figure(figsize=(width, 1.3 + 0.3 * len(row_names)), layout="constrained")
    panel = figure.subplots()
    places = np.arange(len(row_names))
    panel.axhspan(marked - 0.5, marked + 0.5, color="tab:orange", alpha=0.25)
    shown = np.array([means for means, _ in series.values()], "float64")
    low, high = _better_half(shown)
    styles = [{"color": "0.5", "mfc": "white"}, {"color": "tab:blue"}]
    for (title, (means, errors)), style in zip(series.items(), styles, strict=False):
        inside = np.where(np.less(means, low), np.nan, means)
        bars = np.nan_to_num(errors)  # an unknown one has no length
        panel.errorbar(
            inside, places, xerr=bars, fmt="o", capsize=3, label=title, **style
        )
        for place in np.flatnonzero(np.less(means, low)):
            panel.text(
                low, place, f" \u25c2 {means[place]:.2f}", va="center", color="0.4"
            )
    panel.set_yticks(places, row_names, **as_it_is(*row_names))
    panel.get_yticklabels()[marked].set_fontweight("bold")
    panel.set(xlabel=xlabel, xlim=(low, high), ylim=(len(row_names) - 0.5, -0.5))
    panel.grid(axis="x", alpha=0.3)
    panel.set_axisbelow(True)
    figure.legend(loc="outside upper right", ncols=len(series))
    return figure


def _better_half(values):
    """Limits of an axis that shows the better half of columns `(series, rows)`."""
    worst = [column[np.isfinite(column)] for column in values.T]
    worst = [column.min() for column in worst if len(column)] or [0.0]
    low, high = np.median(worst), np.nanmax([*values.ravel(), max(worst)])
    margin = 0.08 * max(high - low, 0.01)
    return low - margin, high + margin


def strength_curves(strengths, curves, overall, chosen=None):
    """Draw scores over the strength of an adjustment, one panel a class.

    Args:
        strengths: Array `(n,)`.
        curves: Dict of each class's name to a dict of each score's name to an array
            `(n,)`.
        overall: Array `(n,)` of the macro F1, drawn in every panel.
        chosen: Optional strength to mark.
    """
    figure, panels = panel_grid(len(curves), 4, 3.2, 1.4)
    for panel, (name, scores) in zip(panels, curves.items(), strict=True):
        for score, values in scores.items():
            panel.plot(strengths, values, label=score)
        panel.plot(strengths, overall, "--", color="grey", label="macro f1")
        if chosen is not None:
            panel.axvline(chosen, color="black", linewidth=1, label=f"tau {chosen:g}")
        panel.set_title(name, **as_it_is(name))
        panel.set(xlabel="tau", ylim=(-0.02, 1.02))
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def panel_grid(number, width, height, margin):
    """Make a figure of panels side by side, and below where they are many.

    Args:
        number: Number of panels.
        width: Inches of a panel.
        height: Inches of a panel.
        margin: Inches beside the panels, for names or a legend.

    Returns:
        The figure, and an array `(number,)` of its panels.
    """
    columns = min(number, max(_PANELS_A_ROW, math.isqrt(number)))
    rows = math.ceil(number / columns)
    size = columns * width + margin, rows * height
    figure = Figure(figsize=np.minimum(size, MOST_INCHES), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for panel in panels[number:]:
        panel.remove()
    return figure, panels[:number]


def as_it_is(*names):
    """Properties of a text that draw names letter by letter.

    A name with two dollars is no formula, and letters that the usual font does not
    have come from an installed one that has.
    """
    letters = frozenset("".join(names))
    return {"parse_math": False, "fontfamily": _families(letters)}


@functools.lru_cache(maxsize=256)
def _families(letters):
    """Names of the fonts for some letters, the usual one first."""
    families = list(matplotlib.rcParams["font.family"])
    usual = font_manager.findfont(font_manager.FontProperties(family=families))
    missing = {ord(letter) for letter in letters} - _letters_of(usual)
    if not missing:
        return families
    for font in font_manager.fontManager.ttflist:
        found = missing & _letters_of(font.fname)
        # Such a font has a box for every letter there is.
        if found and not font.name.startswith("Last Resort"):
            families.append(font.name)
            missing -= found
    return families


@functools.lru_cache(maxsize=1024)
def _letters_of(path):
    return frozenset(font_manager.get_font(path).get_charmap())


def _legend_size(names):
    """Columns of a legend beside a picture, and the inches that they take."""
    columns = 1 + (len(names) - 1) // 18
    return columns, columns * (0.7 + INCHES_PER_LETTER * longest(names))


def longest(names):
    """Letters of the longest name."""
    return max(map(len, names))
