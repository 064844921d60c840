"""How good the images of each generator are: EMNIST digits, twelve of one of them.

    cd examples
    python -m study.quality --emnist FOLDER

240 images a class and 12 of the 8, defaults, one draw. 100 images a class are set
against all 400 real ones of the file, by `kb.metrics.sample_quality` on pixels; what
class they are of is said by a support vector machine that has learned from all real
ones. Finished cells are lines of `examples/results/quality.jsonl`.
"""

import argparse
import pathlib
import time

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import keras_balance as kb
from study.experiment import load
from study.fillings import GENERATORS, PER_CLASS
from study.lines import Lines
from study.tables import markdown

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "quality.jsonl"
RARE, KEPT, DRAWN, SEED = 8, 12, 100, 0
# Of the rare class, as `sample_quality` calls them, and the nearest of the twelve.
SCORES = ("agreement", "diversity", "precision", "recall", "density", "coverage")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emnist", help="folder of its files", required=True)
    parser.add_argument("--generators", nargs="*", choices=GENERATORS)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    real, _ = load("emnist", options.emnist)
    cells = Lines(options.out, ["arm"])
    for name in options.generators or GENERATORS:
        if {"arm": name} not in cells:
            cells.add({"arm": name, **measure(GENERATORS[name], *real)})


def measure(generator, x, y):
    """Train a generator on a few of the images, and judge what it draws by all."""
    classes = np.unique(y)
    counts = dict.fromkeys(classes.tolist(), PER_CLASS) | {RARE: KEPT}
    few, labels = kb.datasets.make_imbalance(x, y, counts, seed=SEED)
    start = time.process_time()
    model = generator(x.shape[1:], len(classes), seed=SEED)
    model.fit(few, labels, verbose=0)
    seconds = time.process_time() - start
    wanted = np.repeat(classes, DRAWN)
    made = model.generate(wanted, seed=SEED)
    found = kb.metrics.sample_quality(made, wanted, x, y, classifier=judge(x, y))
    told = {name: found[str(RARE)][name] for name in SCORES}
    told["agreement_all"] = np.mean([one["agreement"] for one in found.values()])
    told["nearest"] = nearest(made[wanted == RARE], few[labels == RARE], x[y == RARE])
    told = {name: round(float(value), 3) for name, value in told.items()}
    return told | {"processor_seconds": round(seconds, 1)}


def judge(x, y):
    """Classifier of all real images; of one class it is certain."""
    svm = make_pipeline(PCA(50, random_state=0), SVC(C=10.0))
    svm.fit(x.reshape(len(x), -1).astype("float32"), y)
    return lambda images: np.eye(len(np.unique(y)))[
        svm.predict(images.reshape(len(images), -1))
    ]


def nearest(made, kept, real):
    """Median distance to the images it was trained on, in parts of real ones'."""
    made, kept, real = (
        one.reshape(len(one), -1).astype("float64") for one in (made, kept, real)
    )
    distances = cdist(real, kept)
    others = distances.min(axis=1) > 0  # all but the kept ones themselves
    expected = np.median(distances[others].min(axis=1))
    return np.median(cdist(made, kept).min(axis=1)) / expected


def quality_table(cells):
    """Markdown: a row for each generator."""
    names = {"agreement_all": "agreement, all", "agreement": "agreement, class 8"}
    names |= {name: name for name in (*SCORES[1:], "nearest")}
    rows = []
    for cell in cells:
        scores = (f"{cell[name]:.2f}" for name in names)
        rows.append([f"`{cell['arm']}`", *scores, f"{cell['processor_seconds']:.0f}"])
    return markdown(["", *names.values(), "processor, s"], rows)


if __name__ == "__main__":
    main()
