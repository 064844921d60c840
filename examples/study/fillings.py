"""Where a generator pays: each as what fills a rare class, and nothing else beside it.

    cd examples
    python -m study.fillings --emnist FOLDER --fashion-mnist FOLDER --cifar10 ZIP

The paper's ConvNet, 240 images a class and 12 of the rare one, or a tail that falls to
12. Each generator, trained on these images alone by its defaults, and repeated images
beside them, fill the rare classes to balance, without any layer, and to the square root
under the layer that `AutoAugmentation` takes for such images, with one half of the
adjustment in the loss and the shares that the feed shows taken out of the
probabilities. Arms, steps and layers stand here and were fixed before a figure of a
test set was seen.

Finished cells are lines of `examples/results/fillings.jsonl`: a run goes on.
"""

import argparse
import dataclasses
import pathlib
import time

import numpy as np

import keras_balance as kb
from study import cifar
from study.experiment import draw, load, train_by
from study.lines import Lines, logs_of, scores
from study.places import RESULTS

LINES = RESULTS / "fillings.jsonl"
PER_CLASS, REPEAT = 240, "repeat"
GENERATORS = {
    "VAE": kb.models.VAE,
    "BAGAN": kb.models.BAGAN,
    "CVAE-GAN": kb.models.CVAEGAN,
    "DAGAN": kb.models.DAGAN,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """The rare class of a data set, or several, and how a classifier is trained.

    Attributes:
        dataset: Name of the data set.
        imbalance: What `study.experiment.draw` makes rare: `{"minority": label}`, or
            `{"tail": n}`, whose rare classes are the last three.
        layer: Name of the layer in front of the classifier.
        steps: Optimiser steps of the classifier.
        batch_size: Images in its batches.
    """

    dataset: str
    imbalance: dict
    layer: str
    steps: int
    batch_size: int


ROWS = {
    "handwriting, 8": Row("emnist", {"minority": 8}, "elastic", 228, 128),
    "handwriting, 0": Row("emnist", {"minority": 0}, "elastic", 228, 128),
    "handwriting, tail": Row("emnist", {"tail": 12}, "elastic", 228, 128),
    "clothes, shirt": Row("fashion_mnist", {"minority": 6}, "shift", 228, 128),
    "clothes, boot": Row("fashion_mnist", {"minority": 9}, "shift", 228, 128),
    "photographs, ship": Row("cifar10", {"minority": 8}, "flip", 1140, 64),
}


def main():
    parser = parser_of(__doc__, ROWS, LINES)
    parser.add_argument(
        "--generators", nargs="*", choices=GENERATORS, default=list(GENERATORS)
    )
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "draw", "arm"])
    for name, row, task in draws(options, ROWS):
        Draw(cells, name, row, task).measure(options.generators)


def parser_of(description, rows, results):
    """Arguments of a study of such rows."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--emnist", help="folder of EMNIST's files")
    parser.add_argument("--fashion-mnist", help="folder of Fashion-MNIST's files")
    parser.add_argument("--cifar10", help=cifar.PATH_HELP)
    parser.add_argument("--rows", nargs="*", choices=rows, default=list(rows))
    parser.add_argument("--draws", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--out", type=pathlib.Path, default=results)
    return parser


def draws(options, rows):
    """Yield `(name, row, task)` of the draws that are asked for and have their data."""
    for seed in options.draws:
        for name in options.rows:
            row = rows[name]
            path = getattr(options, row.dataset)
            if path is None:
                continue
            data = load(row.dataset, path)
            folder = pathlib.Path()  # where nothing is kept
            task = draw(data, seed, folder, per_class=PER_CLASS, **row.imbalance)
            yield name, row, task


@dataclasses.dataclass(frozen=True)
class Draw:
    """One draw of a row: adds the cells that are not there.

    Attributes:
        cells: `Lines`.
        name: Of the row.
        row: `Row`.
        task: `study.experiment.Task`.
    """

    cells: Lines
    name: str
    row: Row
    task: object

    def measure(self, generators):
        """Run the arms without a generator, and those of some of them."""
        plain = kb.tuners.Recipe({})
        self.run("balanced", plain, self.task.balanced)
        self.run("plain", plain, decided="plain, tau 1")
        self.fill(REPEAT, lambda: REPEAT)
        for name in generators:
            self.fill(name, lambda name=name: self.trained(name))

    def fill(self, name, make):
        """Run both arms of what fills the rare class."""
        layer, whole = self.row.layer, f"{name}, {self.row.layer}, loss and decision"
        if self.has(name) and self.has(whole):
            return
        filling = make()
        self.run(name, kb.tuners.Recipe(synthesizer=filling))
        recipe = kb.tuners.Recipe("sqrt", filling, layer, tau=0.5)
        self.run(f"{name}, {layer}, loss", recipe, decided=whole)

    def trained(self, name):
        """Train a generator on the images of this draw."""
        task, start = self.task, time.process_time()
        model = GENERATORS[name](task.image_shape, task.num_classes, seed=task.seed)
        model.fit(*task.imbalanced, verbose=0)
        seconds = time.process_time() - start
        print(f"{self.name}, {task.seed}: {name}, {seconds:.0f} s", flush=True)
        return model

    def run(self, arm, recipe, data=None, decided=None):
        """Add the cell of an arm, and of the same with the feed's shares taken out."""
        if self.has(arm):
            return
        start = time.process_time()
        data = data or self.task.imbalanced
        model, feed = train_by(
            recipe, self.task, data, self.row.batch_size, self.row.steps
        )
        x, y = self.task.test
        shares = model.predict(x, batch_size=500, verbose=0)
        seconds = {"processor_seconds": round(time.process_time() - start, 1)}
        if decided:
            shown = np.array([*feed.class_counts.values()])
            logits = logs_of(shares) - np.log(shown / shown.sum())
            self.add(decided, scores(y, logits, self.task.rare))
        self.add(arm, scores(y, shares, self.task.rare) | seconds)

    def has(self, arm):
        return self._head(arm) in self.cells

    def add(self, arm, told):
        self.cells.add(self._head(arm) | told)

    def _head(self, arm):
        return {"data": self.name, "draw": self.task.seed, "arm": arm}


if __name__ == "__main__":
    main()
