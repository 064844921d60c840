"""How near `kb.AutoBalance` comes to the best single recipe of each task.

    cd examples
    python -m study.regret --work FOLDER --features FOLDER --emnist FOLDER \
        --fashion FOLDER --cifar10 ZIP

For each task and draw, on the whole test set: plain training, balanced data, every
recipe that it chooses from, trained in full on the same draw with the same number of
steps, and what it chose. Without their data, tasks are left out. Finished cells stay
in `examples/results/regret.jsonl`, the trials in `--work`: a run goes on.

No rule was made with a task of `FRESH` in sight; the others, or their copies, were,
when one rule or another was made, as the page tells.
"""

import argparse
import dataclasses
import pathlib
import time

import keras
import numpy as np
from sklearn.model_selection import StratifiedKFold

import keras_balance as kb
from study import cifar, pretrained
from study.experiment import draw, load, made_by
from study.files import write_arrays
from study.lines import Lines, logs_of, scores
from study.places import RESULTS

LINES = RESULTS / "regret.jsonl"
FRESH = (
    "8x8 digits, 9",
    "handwriting, 7",
    "clothes, sandal",
    "clothes, bag",
    "photographs, horse",
    "pixels of photographs, ship",
)
BALANCED, AUTO = "balanced data", "AutoBalance"
PHOTOGRAPHS = {"ship": 8, "cat": 3, "automobile": 1, "frog": 6}  # class indices
CLOTHES = {"shirt": 6, "boot": 9, "sandal": 5, "bag": 8}
HANDWRITING_EPOCHS = 4  # 300 steps: a third of the default, since it has to be run
FREE, CRACK = 4, 2  # of the tiles


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--features", type=pathlib.Path, help="of study.features")
    parser.add_argument("--emnist", type=pathlib.Path, help="folder of its files")
    parser.add_argument("--fashion", type=pathlib.Path, help="of Fashion-MNIST")
    parser.add_argument("--cifar10", help=cifar.PATH_HELP)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--tasks", nargs="*", help="all but those of FRESH by default")
    parser.add_argument("--arms", nargs="*", help="all by default")
    parser.add_argument("--out", type=pathlib.Path, default=LINES)
    options = parser.parse_args()
    found = tasks(options)
    wanted = options.tasks or [name for name in found if name not in FRESH]
    cells = Lines(options.out, ["data", "draw", "arm"])
    for name in wanted:
        for seed in range(options.draws):
            work = options.work / f"{name}, {seed}"
            measure(cells, name, seed, found[name](seed, work), options.arms)


def measure(cells, name, seed, draw_of_task, arms):
    """Add the cells of one draw that are not there."""
    for arm, run in draw_of_task.arms().items():
        cell = {"data": name, "draw": seed, "arm": arm}
        if cell in cells or (arms and arm not in arms):
            continue
        start, processor = time.perf_counter(), time.process_time()
        log_shares, told = run()
        seconds = {
            "seconds": round(time.perf_counter() - start, 1),
            "processor_seconds": round(time.process_time() - processor, 1),
        }
        write_arrays(draw_of_task.work / f"{arm}.npz", log_shares=log_shares)
        y, rare = draw_of_task.test[1], draw_of_task.rare
        cells.add({**cell, **scores(y, log_shares, rare), **told, **seconds})
        keras.backend.clear_session()


def tasks(options):
    """Functions from a seed and a folder to a draw, by name: cheap ones first."""
    tiny, found = kb.datasets.digits.load_data(), {}
    for rare in (0, 8, 3, 9):
        found[f"8x8 digits, {rare}"] = pictures(tiny, 128, minority=rare)
    if options.features:
        with np.load(options.features / "tiles.npz") as held:
            tiles = held["features"], held["labels"]
        found["tiles, shares as they come"] = split(*tiles)
        found["tiles, crack or free"] = split(*only(tiles, (FREE, CRACK)))
        with np.load(options.features / "cifar10.npz") as held:
            train = held["features_train"], held["labels_train"]
            test = held["features_test"], held["labels_test"]
        for name, rare in {**PHOTOGRAPHS, "horse": 7}.items():
            found[f"photographs, {name}"] = photographs(train, test, rare)
    if options.emnist:
        digits = kb.datasets.emnist.load_data(path=options.emnist)
        pair = [only(part, (5, 3)) for part in digits]
        two = {"per_class": 240, "minority": 1}
        found["handwriting, 3 or 5"] = pictures(pair, 32, **two)
        many = {"per_class": 240, "epochs": HANDWRITING_EPOCHS}
        for rare in (8, 0, 7):
            found[f"handwriting, {rare}"] = pictures(digits, 32, minority=rare, **many)
        found["handwriting, long tail"] = pictures(digits, 32, tail=12, **many)
    if options.fashion:
        # Its files have the names of MNIST's.
        clothes = kb.datasets.mnist.load_data(path=options.fashion)
        many = {"per_class": 240, "epochs": HANDWRITING_EPOCHS}
        for name, rare in CLOTHES.items():
            found[f"clothes, {name}"] = pictures(clothes, 32, minority=rare, **many)
        found["clothes, long tail"] = pictures(clothes, 32, tail=12, **many)
    if options.cifar10:
        colours = load("cifar10", options.cifar10)
        ship = {"minority": PHOTOGRAPHS["ship"], "per_class": 240}
        found["pixels of photographs, ship"] = pictures(colours, 32, **ship)
    return found


def only(part, classes):
    """The images of two classes, which are called 0 and 1."""
    x, y = part
    chosen = np.isin(y, classes)
    return x[chosen], (y[chosen] == classes[1]).astype("int64")


def pictures(data, batch_size, epochs=12, **options):
    """Pictures for the paper's ConvNet."""
    data = [(x if x.ndim == 4 else x[..., None], y) for x, y in data]

    def make(seed, work):
        return Pictures(draw(data, seed, work, **options), work, batch_size, epochs)

    return make


def photographs(train, test, rare):
    """Features of photographs, 240 of a class, twelve of the rare one."""

    def make(seed, work):
        rows = pretrained.draw(train[1], seed)
        few = pretrained.few_of(train[1], rows, rare)
        parts = [(train[0][chosen], train[1][chosen]) for chosen in (few, rows)]
        return Features(*parts, test, rare, "uniform", seed, work)

    return make


def split(x, y):
    """Features of tiles, a fifth of them held out: shares as they come."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)

    def make(seed, work):
        train, test = list(folds.split(x, y))[seed]
        rare = int(np.argmin(np.bincount(y)))
        parts = (x[train], y[train]), None, (x[test], y[test])
        return Features(*parts, rare, "natural", seed, work)

    return make


@dataclasses.dataclass(frozen=True)
class Pictures:
    """One draw of pictures, and how its arms are trained.

    Attributes:
        task: `study.experiment.Task`.
        work: Folder of its trials.
        batch_size: Images in a batch.
        epochs: Length of a training, in epochs of the balanced data.
    """

    task: object
    work: pathlib.Path
    batch_size: int
    epochs: int = 12

    @property
    def test(self):
        return self.task.test

    @property
    def rare(self):
        return int(np.argmin(np.bincount(self.task.imbalanced[1])))

    @property
    def steps(self):
        """Those of `AutoBalance` in so many epochs."""
        counts = np.bincount(self.task.imbalanced[1])
        return self.epochs * -(-counts.max() * len(counts) // self.batch_size)

    def arms(self):
        """Functions that give log-probabilities of the test set, and what to tell."""
        single = {name: lambda n=name: self.single(n) for name in kb.tuners.RECIPES}
        return {**single, BALANCED: self.balanced, AUTO: self.auto}

    def single(self, name):
        return self.trained(kb.tuners.RECIPES[name], self.task.imbalanced)

    def balanced(self):
        return self.trained(kb.tuners.RECIPES["plain"], self.task.balanced)

    def auto(self):
        auto = kb.AutoBalance(
            recipes=kb.tuners.RECIPES,
            batch_size=self.batch_size,
            directory=self.work / "auto",
            seed=self.task.seed,
            verbose=0,
        ).fit(*self.task.imbalanced, epochs=self.epochs)
        told = {"choice": auto.choice, "tau": auto.tau, "cost": round(auto.cost, 1)}
        return self._predict(auto.model), told

    def trained(self, recipe, data):
        """Log-probabilities of the test set behind a training, and nothing to tell."""
        return self._predict(self.train(recipe, data)[0]), {}

    def train(self, recipe, data):
        """Train by a recipe as the code says that `AutoBalance` prints.

        Returns:
            The model and its feed.
        """
        model, trainee, feed = made_by(recipe, self.task, data, self.batch_size)
        epochs = max(1, round(self.steps / len(feed)))
        trainee.fit(feed, epochs=epochs, shuffle=False, verbose=0)
        return model, feed

    def _predict(self, model):
        return logs_of(model.predict(self.test[0], batch_size=512, verbose=0))


@dataclasses.dataclass(frozen=True)
class Features:
    """One draw of vectors that a pretrained network gives, and its arms.

    Attributes:
        train: `(features, labels)` to train on.
        filled: The same without the imbalance, or None.
        test: `(features, labels)`.
        rare: Index of the rare class.
        target_prior: Shares of the classes in the test set.
        seed: Of the draw.
        work: Folder of its predictions.
    """

    train: tuple
    filled: tuple | None
    test: tuple
    rare: int
    target_prior: str
    seed: int
    work: pathlib.Path

    def arms(self):
        """Functions that give log-probabilities of the test set, and what to tell."""
        arms = {
            "plain": lambda: self.regression(self.train),
            "class weights": lambda: self.regression(
                self.train, class_weight="balanced"
            ),
            "tau 1": self.tau_one,
            "moved": self.moved,
            "few shots": self.few_shots,
            "few shots, natural shares": self.natural,
            AUTO: self.auto,
        }
        if self.filled is not None:
            arms[BALANCED] = lambda: self.regression(self.filled)
        return arms

    def regression(self, data, **options):
        return pretrained.regression(*data, self.test[0], **options), {}

    def tau_one(self):
        return self.regression(self.train)[0] - self._log_shares, {}

    def moved(self):
        return self.regression(pretrained.filled(*self.train, "moved", self.seed))

    def few_shots(self):
        return pretrained.ours(*self.train, self.test[0], self.seed), {}

    def natural(self):
        return self.few_shots()[0] + self._log_shares, {}

    def auto(self):
        width = self.train[0].shape[1]
        nothing = keras.Sequential([keras.Input((1, 1, width)), keras.layers.Flatten()])
        auto = kb.AutoBalance(
            features=nothing,
            target_prior=self.target_prior,
            directory=self.work / "auto",
            seed=self.seed,
            verbose=0,
        ).fit(self.train[0][:, None, None], self.train[1])
        shares = auto.model.predict(
            self.test[0][:, None, None], batch_size=500, verbose=0
        )
        return logs_of(shares), {
            "choice": auto.choice,
            "tau": auto.tau,
            "cost": round(auto.cost, 1),
        }

    @property
    def _log_shares(self):
        return np.log(np.bincount(self.train[1]) / len(self.train[1]))


if __name__ == "__main__":
    main()
