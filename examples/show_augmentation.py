"""See what an augmentation layer makes of your images, before you train with it.

    python examples/show_augmentation.py
    python examples/show_augmentation.py --path FOLDER
    python examples/show_augmentation.py --dataset emnist --path DATA --elastic 0.06

One image of each class at the left, and what the layer makes of it beside it. With
`--path` alone it is a folder of your own pictures, with a folder for each class or
without. Handwriting gets `ManualAugmentation` as the study recommends it, photographs
`PhotoAugmentation`. Too much is when you would no longer give the images their label.
"""

import argparse
import pathlib
import sys

import keras
import numpy as np

import keras_balance as kb
from study.arms import ELASTIC
from study.experiment import DATASETS, load
from study.gallery_pictures import save_beside

COLUMNS = 12
MOST_ROWS = 12
FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def main():
    options = parse_arguments()
    path = pathlib.Path(options.output)
    try:
        firsts = first_images(options)
        rows = augmented_rows(make_layer(options, firsts), firsts)
        save_beside(path, rows[:, 0], rows[:, 1:], [""] * len(rows))
    except (ValueError, OSError) as error:
        sys.exit(f"show_augmentation.py: {error}")
    print(f"What the layer makes of the images is in {path.resolve()}")


def first_images(options):
    """The first image of each class, `(classes, height, width, channels)`."""
    if options.dataset is None and options.path is not None:
        return read_pictures(pathlib.Path(options.path), options.size)
    dataset = options.dataset or "digits"
    if dataset == "digits" and options.path is not None:
        raise ValueError(
            "The digits come with scikit-learn: leave out `--path`, or leave out "
            "`--dataset` to see a folder of your own pictures."
        )
    (x, y), _ = load(dataset, options.path)
    return x[np.unique(y, return_index=True)[1]]


def read_pictures(folder, size):
    """The first picture of each folder in it, or else the first pictures in it."""
    groups = [pictures_in(inner) for inner in sorted(folder.iterdir())]
    paths = [group[0] for group in groups if group] or pictures_in(folder)
    if not paths:
        raise ValueError(f"{folder} must hold pictures, or folders of them: {FORMATS}")
    pictures = [
        keras.utils.load_img(path, target_size=(size, size), keep_aspect_ratio=True)
        for path in paths[:MOST_ROWS]
    ]
    return np.stack([np.asarray(picture) for picture in pictures])


def pictures_in(folder):
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in FORMATS)


def make_layer(options, images):
    """The layer that is asked for, or the one that suits the images."""
    is_photo = images.shape[-1] == 3
    kind = options.layer or ("photo" if is_photo else "manual")
    if kind == "photo":
        return kb.layers.PhotoAugmentation(seed=0)
    return kb.layers.ManualAugmentation(
        translation_factor=options.translation,
        elastic_factor=options.elastic,
        # Black beyond the edge of a page is paper; beyond that of a photograph, a hole.
        fill_mode="reflect" if is_photo else "constant",
        seed=0,
    )


def augmented_rows(layer, firsts):
    """Images `(classes, columns, ...)`: the first of each class, then augmented."""
    firsts = firsts.astype("float32")
    copies = np.repeat(firsts, COLUMNS - 1, axis=0)
    augmented = keras.ops.convert_to_numpy(layer(copies, training=True))
    augmented = augmented.reshape(len(firsts), COLUMNS - 1, *firsts.shape[1:])
    return np.concatenate([firsts[:, None], augmented], axis=1)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dataset", choices=DATASETS, help="digits, unless there is a `--path`")
    add("--path", help="your own pictures; with `--dataset`, where its files are")
    add("--layer", choices=["manual", "photo"], help="the one that suits the images")
    add("--translation", type=float, default=ELASTIC["translation_factor"])
    add("--elastic", type=float, default=ELASTIC["elastic_factor"])
    add("--size", type=int, default=96, help="pixels of your own pictures' sides")
    add("--output", default="results/augmentation.png")
    options = parser.parse_args()
    if options.size < 1:
        parser.error(f"--size must be at least 1. Received: {options.size}")
    return options


if __name__ == "__main__":
    main()
