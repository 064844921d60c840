"""See what the augmentation layer makes of your images, before you train with it.

    python examples/show_augmentation.py
    python examples/show_augmentation.py --dataset emnist --path FOLDER --elastic 0.06

One image of each class at the left, and what the layer makes of it beside it: as the
study recommends it, or with other strengths. Too much is when you would no longer give
the images their label.
"""

import argparse
import pathlib
import sys

import keras
import numpy as np

import keras_balance as kb
from study.arms import ELASTIC
from study.experiment import DATASETS, load
from study.files import atomic_path

COLUMNS = 12


def main():
    options = parse_arguments()
    path = pathlib.Path(options.output)
    try:
        layer = kb.layers.ManualAugmentation(
            translation_factor=options.translation,
            elastic_factor=options.elastic,
            seed=0,
        )
        (x, y), _ = load(options.dataset, options.path)
        save_gallery(augmented_rows(layer, x, y), path)
    except (ValueError, OSError) as error:
        sys.exit(f"show_augmentation.py: {error}")
    print(f"What the layer makes of the images is in {path.resolve()}")


def augmented_rows(layer, x, y):
    """Images `(classes, columns, ...)`: the first of each class, then augmented."""
    firsts = x[np.unique(y, return_index=True)[1]].astype("float32")
    copies = np.repeat(firsts, COLUMNS - 1, axis=0)
    augmented = keras.ops.convert_to_numpy(layer(copies, training=True))
    augmented = augmented.reshape(len(firsts), COLUMNS - 1, *firsts.shape[1:])
    return np.concatenate([firsts[:, None], augmented], axis=1)


def save_gallery(rows, path):
    """Write a picture of the rows atomically."""
    with atomic_path(path) as temporary:
        keras.visualization.plot_image_gallery(
            # Three equal channels, or matplotlib paints one in colours.
            np.repeat(rows.reshape(-1, *rows.shape[2:]), 3, axis=-1),
            rows=len(rows),
            cols=COLUMNS,
            scale=0.6,
            dpi=70,
            path=temporary,
        )


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dataset", choices=DATASETS, default="digits")
    add("--path", help="folder or zip of the data; without it, it is downloaded")
    add("--translation", type=float, default=ELASTIC["translation_factor"])
    add("--elastic", type=float, default=ELASTIC["elastic_factor"])
    add("--output", default="results/augmentation.png")
    return parser.parse_args()


if __name__ == "__main__":
    main()
