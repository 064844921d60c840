"""Pictures that people can read: image grids, confusion matrices, scores.

Every function returns a `matplotlib.figure.Figure` made with matplotlib's object
interface: no screen, no `pyplot`, no global state, safe in threads.
"""

import numpy as np
from matplotlib.figure import Figure

from keras_balance.utils.files import atomic_path
from keras_balance.utils.images import rescale

_INCHES_PER_LINE = 0.3
_DPI = 120


def save_figure(figure, path):
    """Write a figure whole or not at all; nothing is cut off at the edges."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, bbox_inches="tight")


def image_grid(images, row_names, value_range=(0, 255), title=None):
    """Draw images of one class a row, the class's name at its left.

    Args:
        images: `(rows * columns, height, width, channels)`, row by row.
        row_names: Sequence of the rows' names.
        value_range: `(low, high)` of the pixels.
        title: Optional line above the grid.
    """
    mosaic = _mosaic(images, len(row_names), value_range)
    figure = Figure(figsize=_size_of(mosaic, len(row_names)), layout="constrained")
    _draw_mosaic(figure.subplots(), mosaic, row_names)
    if title:
        figure.suptitle(title)
    return figure


def epoch_strip(grids, epochs, row_names, value_range=(0, 255)):
    """Draw image grids of several epochs side by side, the earliest at the left.

    Args:
        grids: Sequence of arrays `(rows * columns, height, width, channels)`.
        epochs: The epochs' titles, one a grid.
        row_names: Sequence of the rows' names.
        value_range: `(low, high)` of the pixels.
    """
    mosaics = [_mosaic(grid, len(row_names), value_range) for grid in grids]
    width, height = _size_of(mosaics[0], len(row_names))
    figure = Figure(figsize=(width * len(grids), height), layout="constrained")
    panels = figure.subplots(1, len(grids), squeeze=False)[0]
    for panel, mosaic, epoch in zip(panels, mosaics, epochs, strict=True):
        _draw_mosaic(panel, mosaic, row_names)
        panel.set_title(f"epoch {epoch}")
    return figure


def confusion_matrix(matrix, class_names, title=None):
    """Draw a confusion matrix: true classes down, predicted classes across.

    The colour is the share of the true class, so that a rare class is as visible
    as a common one; the text is the number of images.
    """
    matrix = np.asarray(matrix)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    side = 2 + 0.5 * len(class_names)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, label="share of the true class", shrink=0.8)
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            axes.text(
                column,
                row,
                f"{matrix[row, column]:.4g}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if shares[row, column] > 0.5 else "black",
            )
    ticks = range(len(class_names))
    long = max(map(len, class_names)) > 3
    axes.set_xticks(ticks, class_names, rotation=90 if long else 0)
    axes.set_yticks(ticks, class_names)
    axes.set(xlabel="predicted class", ylabel="true class", title=title)
    return figure


def class_curves(curves, epochs, ylabel):
    """Draw one line a class through the epochs.

    Args:
        curves: Dict of name to a sequence of values, NaN where there is none.
        epochs: Sequence of the epochs' numbers.
        ylabel: What the values are.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (name, values) in enumerate(curves.items()):
        style = ["-", "--", ":"][place // 10 % 3]
        axes.plot(epochs, values, style, marker=".", label=name)
    axes.set(xlabel="epoch", ylabel=ylabel, ylim=(-0.02, 1.02))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    columns = 1 + (len(curves) - 1) // 20
    figure.legend(loc="outside right upper", ncols=columns)
    return figure


def interval_bars(means, lows, highs, group_names, bar_names, ylabel):
    """Draw groups of bars with an interval each.

    Args:
        means: Array `(groups, bars)`; NaN leaves a bar out.
        lows: Array of the lower ends of the intervals.
        highs: Array of the upper ends.
        group_names: The groups' names, below the axis.
        bar_names: The names of the bars within a group, in the legend.
        ylabel: What the bars show.
    """
    means, lows, highs = (np.asarray(part, "float64") for part in (means, lows, highs))
    groups, bars = means.shape
    width = 0.8 / bars
    inches = min(24, max(6, 1.5 + 0.22 * groups * bars + 0.3 * groups))
    figure = Figure(figsize=(inches, 4.5), layout="constrained")
    axes = figure.subplots()
    for bar in range(bars):
        places = np.arange(groups) + (bar - (bars - 1) / 2) * width
        errors = np.abs([means[:, bar] - lows[:, bar], highs[:, bar] - means[:, bar]])
        axes.bar(
            places, means[:, bar], width, yerr=errors, capsize=2, label=bar_names[bar]
        )
    long = max(map(len, group_names)) > 6
    axes.set_xticks(range(groups), group_names, rotation=45 if long else 0)
    axes.set(ylabel=ylabel)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside right upper")
    return figure


def _mosaic(images, rows, value_range):
    """One picture `(height, width, 3)` in [0, 1] of all images, grey gaps between."""
    images = np.clip(rescale(np.asarray(images, "float32"), value_range, (0, 1)), 0, 1)
    if images.shape[-1] != 3:
        # Two or five channels have no colours of their own: show their mean.
        images = np.repeat(images.mean(axis=-1, keepdims=True), 3, axis=-1)
    images = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=0.5)
    count, height, width, channels = images.shape
    columns = count // rows
    grid = images.reshape(rows, columns, height, width, channels)
    return grid.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def _size_of(mosaic, rows):
    height, width = mosaic.shape[:2]
    inches = max(rows * _INCHES_PER_LINE, 0.5 * rows)
    return max(1.5, inches * width / height) + 0.6, inches + 0.5


def _draw_mosaic(axes, mosaic, row_names):
    axes.imshow(mosaic, interpolation="nearest")
    height = len(mosaic) / len(row_names)
    axes.set_yticks((np.arange(len(row_names)) + 0.5) * height - 0.5, row_names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
