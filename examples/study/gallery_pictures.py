"""Pictures of augmented and mixed images, originals and copies told apart."""

import io

import keras
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import keras_balance as kb
from keras_balance.utils import image_plots, plots
from study.files import atomic_path

COPIES, DPI = 9, 110
LARGE = 64  # an image of that side is drawn larger, with half as many copies
COLUMNS = 8  # of the mixed images
GREYS, COLOURS = 64, 128  # of a picture


def save_copies(path, layers, originals, value_range=(0, 255)):
    """Draw what each layer makes of an image, a row a layer, the image at its left.

    Args:
        path: Where the picture goes.
        layers: Dict of a row's name to a layer.
        originals: `(1, height, width, channels)`, the same for all rows, or one a row.
        value_range: `(low, high)` of the pixels.
    """
    originals = np.broadcast_to(originals, (len(layers), *originals.shape[1:]))
    number = COPIES if originals.shape[1] < LARGE else COPIES // 2
    copies = [
        made(layer, image, number)
        for layer, image in zip(layers.values(), originals, strict=True)
    ]
    save_beside(path, originals, np.stack(copies), [*layers], value_range)


def save_beside(path, originals, copies, names, value_range=(0, 255)):
    """Draw an original a row, and its copies at its right, a gap between.

    Args:
        path: Where the picture goes.
        originals: `(rows, height, width, channels)`.
        copies: `(rows, columns, height, width, channels)`.
        names: Names of the rows.
        value_range: `(low, high)` of the pixels.
    """
    grids = {"original": originals[:, None], "copies": copies}
    dpi = DPI if originals.shape[1] < LARGE else 1.5 * DPI
    save_small(image_plots.image_strip(grids, names, value_range), path, dpi)


def save_samples(path, rows, titles):
    """Draw what each arm makes of some classes, an arm a row, a class a panel.

    Args:
        path: Where the picture goes.
        rows: Dict of a row's name to images `(classes, columns, height, width,
            channels)`, 0 to 255.
        titles: Names of the classes.
    """
    images = np.stack([*rows.values()], axis=1)
    grids = dict(zip(titles, images, strict=True))
    save_small(image_plots.image_strip(grids, [*rows]), path, 1.5 * DPI)


def save_small(figure, path, dpi=DPI):
    """Write a figure with few colours: noise takes ten times the bytes with all."""
    stream = io.BytesIO()
    figure.savefig(stream, dpi=dpi, bbox_inches="tight")
    picture = Image.open(stream).convert("RGB")
    pixels = np.asarray(picture)
    is_grey = (pixels == pixels[..., :1]).all()
    picture = picture.convert("L") if is_grey else picture
    picture = picture.quantize(GREYS if is_grey else COLOURS)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="png", optimize=True)


def made(layer, image, number):
    """What a layer makes of an image, `(number, height, width, channels)`."""
    images = np.repeat(image[None].astype("float32"), number, axis=0)
    return keras.ops.convert_to_numpy(layer(images, training=True))


def save_mixed(path, x, y, names, rare, seed=0):
    """Draw images of a batch, and below each what MixUp and CutMix make of it.

    Shown are those that the rare class has come into; below each stand the shares of
    the classes in its label.

    Args:
        path: Where the picture goes.
        x: Images `(n, height, width, channels)`, 0 to 255.
        y: Class indices `(n,)`.
        names: Names of the classes.
        rare: The rare class.
        seed: Of the batch.
    """
    options = {"batch_size": len(x), "sampling_strategy": {}, "seed": seed}
    images, labels = kb.BalancedDataset(x, y, **options)[0]
    # The same seed, and so the same partners.
    mixed = {
        title: kb.BalancedDataset(x, y, mix=kb.data.Mix(kind, rate=1), **options)[0]
        for title, kind in (("MixUp", "mixup"), ("CutMix", "cutmix"))
    }
    parts = np.array([shares[:, rare] for _, shares in mixed.values()])
    both = ((parts > 0.2) & (parts < 0.8)).all(axis=0) & (labels != rare)
    shown = np.flatnonzero(both)[:COLUMNS]
    rows = {"original": (images[shown], [names[c] for c in labels[shown]])}
    for title, (made_of, shares) in mixed.items():
        rows[title] = made_of[shown], [told(some, names) for some in shares[shown]]
    save_small(rows_of_images(rows), path)


def told(shares, names):
    """The shares of the classes in a label."""
    there = np.argsort(-shares)[: np.count_nonzero(shares > 0.005)]
    return "\n".join(f"{100 * shares[c]:.0f} % {names[c]}" for c in there)


def rows_of_images(rows):
    """A figure of images with a text below each: a dict of title to both."""
    figure = Figure(
        figsize=(COLUMNS * 1.05 + 0.5, 1.5 * len(rows)), layout="constrained"
    )
    panels = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for line, (title, (images, texts)) in zip(panels, rows.items(), strict=True):
        line[0].set_ylabel(title)
        for panel in line:
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        for panel, image, text in zip(line, images, texts, strict=False):
            panel.imshow(
                np.clip(image / 255, 0, 1).squeeze(), cmap="gray", vmin=0, vmax=1
            )
            panel.set_xlabel(text, fontsize="small", **plots.as_it_is(text))
    return figure
