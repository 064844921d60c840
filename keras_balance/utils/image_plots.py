"""Grids of images, each row with its name, as `matplotlib.figure.Figure`s."""

import numpy as np
from matplotlib.figure import Figure

from keras_balance.utils import plots
from keras_balance.utils.images import rescale

_INCHES_PER_ROW = 0.5


def image_grid(images, row_names, value_range=(0, 255), title=None):
    """Draw images of one class a row, the class's name at its left.

    Args:
        images: `(rows, columns, height, width, channels)`.
        row_names: Sequence of the rows' names.
        value_range: `(low, high)` of the pixels.
        title: Optional line above the grid.
    """
    mosaic = _mosaic(images, value_range)
    figure = Figure(figsize=_size_of(mosaic, row_names), layout="constrained")
    _draw_mosaic(figure.subplots(), mosaic, row_names)
    if title:
        figure.suptitle(title, **plots.as_it_is(title))
    return figure


def image_strip(grids, row_names, value_range=(0, 255)):
    """Draw image grids side by side.

    Args:
        grids: Dict of title to images `(rows, columns, height, width, channels)`.
        row_names: Sequence of the rows' names.
        value_range: `(low, high)` of the pixels.
    """
    mosaics = {title: _mosaic(grid, value_range) for title, grid in grids.items()}
    sizes = [_size_of(mosaic, row_names) for mosaic in mosaics.values()]
    size = sum(width for width, _ in sizes), sizes[0][1]
    figure = Figure(figsize=size, layout="constrained")
    # As wide as they are: so images have one size in all panels.
    ratios = [mosaic.shape[1] for mosaic in mosaics.values()]
    panels = figure.subplots(1, len(grids), squeeze=False, width_ratios=ratios)[0]
    for panel, (title, mosaic) in zip(panels, mosaics.items(), strict=True):
        _draw_mosaic(panel, mosaic, row_names)
        panel.set_title(title, **plots.as_it_is(title))
        panel.label_outer()
    return figure


def _mosaic(images, value_range):
    """One picture `(height, width, 3)` in [0, 1] of all images, grey gaps between."""
    images = np.clip(rescale(np.asarray(images, "float32"), value_range, (0, 1)), 0, 1)
    if images.shape[-1] != 3:
        # Two or five channels have no colours of their own: show their mean.
        images = np.repeat(images.mean(axis=-1, keepdims=True), 3, axis=-1)
    gap = [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)]
    images = np.pad(images, gap, constant_values=0.5)
    rows, columns, height, width, channels = images.shape
    return images.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def _size_of(mosaic, row_names):
    height, width = mosaic.shape[:2]
    inches = min(plots.MOST_INCHES, len(row_names) * _INCHES_PER_ROW)
    letters = plots.INCHES_PER_LETTER * plots.longest(row_names)
    return max(1.5, inches * width / height) + 0.3 + letters, inches + 0.5


def _draw_mosaic(axes, mosaic, row_names):
    axes.imshow(mosaic, interpolation="nearest")
    height = len(mosaic) / len(row_names)
    places = (np.arange(len(row_names)) + 0.5) * height - 0.5
    axes.set_yticks(places, row_names, **plots.as_it_is(*row_names))
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
