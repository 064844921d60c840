"""How good the images of each generator are, where a class has twelve.

    cd examples
    python -m study.quality --emnist FOLDER --fashion-mnist FOLDER --cifar10 PATH \
        --tiles ZIP --work FOLDER

Each generator by its defaults, one draw. 100 images a class are set against all real
ones by `kb.metrics.sample_quality`, and so are real ones that nothing was trained on
("real"): what a score can be. `study.quality_sets` has the images and their judges.

Finished cells are lines of `examples/results/quality.jsonl`. Some images of each arm
stay in `--work`, and come side by side into `docs/gallery/`.
"""

import argparse
import pathlib
import time

import numpy as np
from scipy.spatial.distance import cdist

import keras_balance as kb
from study import cifar
from study.files import write_arrays
from study.fillings import GENERATORS
from study.gallery_pictures import save_samples
from study.lines import Lines
from study.places import GALLERY, RESULTS
from study.quality_sets import SETS

LINES = RESULTS / "quality.jsonl"
DRAWN, SHOWN, SEED, REAL = 100, 8, 0, "real"
# Of the rare class, as `sample_quality` calls them.
SCORES = ("agreement", "diversity", "precision", "recall", "density", "coverage")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emnist", help="folder of EMNIST's files")
    parser.add_argument("--fashion-mnist", help="folder of Fashion-MNIST's files")
    parser.add_argument("--cifar10", help=cifar.PATH_HELP)
    parser.add_argument("--tiles", help="zip of class folders")
    parser.add_argument(
        "--generators", nargs="*", choices=GENERATORS, default=list(GENERATORS)
    )
    parser.add_argument("--out", type=pathlib.Path, default=LINES)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "arm"])
    arms = [REAL, *options.generators]
    for name, (argument, read) in SETS.items():
        if path := getattr(options, argument):
            compare(cells, name, lambda: read(path), arms, options.work)  # noqa: B023


def compare(cells, name, read, arms, work):
    """Add the cells of a data set that are not there, and draw what each arm gives.

    Args:
        cells: `Lines`.
        name: Of the data set.
        read: Function that gives its `study.quality_sets.Images`.
        arms: Names of generators, and of the real images.
        work: Folder of the images that are shown.
    """
    files = {arm: work / f"{name}_{arm}.npz" for arm in arms}
    missing = [
        arm
        for arm in arms
        if {"data": name, "arm": arm} not in cells or not files[arm].exists()
    ]
    images = read()
    for arm in missing:
        told, shown = measure(arm, images)
        write_arrays(files[arm], shown=shown)
        if {"data": name, "arm": arm} not in cells:
            cells.add({"data": name, "arm": arm, **told})
    rows = {arm: np.load(file)["shown"] for arm, file in files.items()}
    kept = np.bincount(images.few[1])
    titles = [f"{images.titles[c]}, of {kept[c]}" for c in images.shown]
    save_samples(GALLERY / f"samples_{name}.png", rows, titles)


def measure(arm, images):
    """Scores of an arm's images, and some of them, `(2, SHOWN, height, width, c)`."""
    start = time.process_time()
    made, wanted = held_out(images) if arm == REAL else generated(arm, images)
    seconds = time.process_time() - start
    found = kb.metrics.sample_quality(
        made, wanted, *images.real, images.classify, images.features
    )
    told = {name: found[str(images.rare)][name] for name in SCORES}
    told["agreement_all"] = np.mean([one["agreement"] for one in found.values()])
    told["nearest"] = nearest(
        made[wanted == images.rare],
        images.few[0][images.few[1] == images.rare],
        images.real[0][images.real[1] == images.rare],
    )
    told = {name: round(float(value), 3) for name, value in told.items()}
    if arm != REAL:
        told["processor_seconds"] = round(seconds, 1)
    shown = np.stack([made[wanted == c][:SHOWN] for c in images.shown])
    return told, np.clip(shown, 0, 255).astype("uint8")


def generated(arm, images):
    """Train a generator on few images; what it draws, and of which classes."""
    x, y = images.few
    classes = np.unique(y)
    model = GENERATORS[arm](x.shape[1:], len(classes), seed=SEED)
    model.fit(x, y, verbose=0)
    wanted = np.repeat(classes, DRAWN)
    return model.generate(wanted, seed=SEED), wanted


def held_out(images):
    """At most as many real images of each class that nothing was trained on."""
    x, y = images.held_out
    rows = [np.flatnonzero(y == c)[:DRAWN] for c in np.unique(y)]
    rows = np.concatenate(rows)
    return x[rows].astype("float32"), y[rows]


def nearest(made, kept, real):
    """Median distance to the images it was trained on, in parts of real ones'."""
    made, kept, real = (
        one.reshape(len(one), -1).astype("float64") for one in (made, kept, real)
    )
    distances = cdist(real, kept)
    others = distances.min(axis=1) > 0  # all but the kept ones themselves
    expected = np.median(distances[others].min(axis=1))
    return np.median(cdist(made, kept).min(axis=1)) / expected


if __name__ == "__main__":
    main()
