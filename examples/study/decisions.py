"""Loss, mixing and decision: clothes and handwriting, rows of the study.

    cd examples
    python -m study.decisions --work FOLDER --fashion FOLDER --emnist FOLDER

The paper's ConvNet, 240 images a class and 12 of the rare one (or a tail down to 12),
draws and steps as in `study.experiment`. A training is done once and its
log-probabilities of the test set stay in `--work`; "found tau" is what
`AutoAdjustment` makes of out-of-fold probabilities of the training images alone. Folds
cost as many trainings as there are: those of the first draw serve the others, which
have none of their own. "best tau of the test set" is what nobody knows beforehand: an
upper bound. `examples/results/decisions.jsonl` is written anew from what
is there: a run goes on, and what was left out is left out.
"""

import argparse
import dataclasses
import json
import pathlib
import time

import numpy as np
from sklearn.model_selection import StratifiedKFold

import keras_balance as kb
from study.experiment import BATCH_SIZE, draw, load, train_by
from study.files import write_arrays, write_text
from study.lines import logs_of, scores
from study.places import RESULTS

LINES = RESULTS / "decisions.jsonl"
FOLDS = 10
TAUS = np.linspace(0, 2.5, 51).round(2).tolist()  # those of `AutoAdjustment`
EVEN_MIXUP = kb.data.Mix("mixup", partner="uniform")
PLAIN = kb.tuners.Recipe({})
BALANCED = "balanced"
RECIPES = {
    BALANCED: PLAIN,
    "imbalanced": PLAIN,
    "oversampling": kb.tuners.Recipe(),
    "root, loss 0.5": kb.tuners.Recipe("sqrt", tau=0.5),
    "oversampling, mixup": kb.tuners.Recipe(mix=EVEN_MIXUP),
    "cutmix": kb.tuners.Recipe({}, mix="cutmix"),
    "oversampling, shift": kb.tuners.Recipe(layer="shift"),
    "oversampling, elastic": kb.tuners.Recipe(layer="elastic"),
}
TASKS = {  # data set, and what is drawn of it
    "clothes, shirt": ("fashion_mnist", {"minority": 6}),
    "clothes, boot": ("fashion_mnist", {"minority": 9}),
    "clothes, shirt, 1,140 steps": ("fashion_mnist", {"minority": 6, "epochs": 60}),
    "handwriting, 0": ("emnist", {"minority": 0}),
    "handwriting, 8": ("emnist", {"minority": 8}),
    "handwriting, long tail": ("emnist", {"tail": 12}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--fashion", help="folder of Fashion-MNIST")
    parser.add_argument("--emnist", help="folder of EMNIST")
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=list(TASKS))
    parser.add_argument("--arms", nargs="*", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--draws", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--folds", nargs="*", choices=RECIPES, default=[])
    parser.add_argument("--out", type=pathlib.Path, default=LINES)
    options = parser.parse_args()
    paths = {"fashion_mnist": options.fashion, "emnist": options.emnist}
    for name in options.tasks:
        dataset, rare = TASKS[name]
        data = load(dataset, paths[dataset])
        for seed in options.draws:
            task = draw(data, seed, options.work, per_class=240, **rare)
            one = Draw(task, options.work / f"{name}, {seed}")
            for arm in options.arms:
                one.train(arm)
            for arm in options.folds:
                one.train_folds(arm)
    write_lines(options.work, options.out)


@dataclasses.dataclass(frozen=True)
class Draw:
    """One draw of a task, and what was made of it.

    Attributes:
        task: `study.experiment.Task`.
        work: Folder of its predictions.
    """

    task: object
    work: pathlib.Path

    def train(self, arm):
        """Keep log-probabilities of the test set, if they are not there."""
        path = self.work / f"{arm}.npz"
        if path.exists():
            return
        data = self.task.balanced if arm == BALANCED else self.task.imbalanced
        start = time.process_time()
        found = self._trained(arm, data, self.task.test[0])
        counts = np.bincount(self.task.imbalanced[1])
        seconds = time.process_time() - start
        write_arrays(
            path, shares=found, y=self.task.test[1], counts=counts, seconds=seconds
        )

    def train_folds(self, arm):
        """Keep those of the training images, each left out of a training."""
        path = self.work / "folds" / f"{arm}.npz"
        if path.exists():
            return
        x, y = self.task.imbalanced
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=self.task.seed)
        shares = np.empty((len(y), self.task.num_classes), "float32")
        for rest, out in folds.split(x, y):
            shares[out] = self._trained(arm, (x[rest], y[rest]), x[out])
        write_arrays(path, shares=shares, y=y, counts=np.bincount(y))

    def _trained(self, arm, data, wanted):
        steps = self.task.steps
        model, _ = train_by(RECIPES[arm], self.task, data, BATCH_SIZE, steps)
        print(f"{self.work.name}: {arm}, {len(data[1])} images", flush=True)
        return model.predict(wanted, batch_size=500, verbose=0)


def write_lines(work, path):
    """Write the cells of all trainings that are there."""
    cells = []
    for name in TASKS:
        first = work / f"{name}, 0"
        for folder in work.glob(f"{name}, [0-9]*"):
            if not (folder / "imbalanced.npz").exists():
                continue  # nothing to set the others against
            head = {"data": name, "draw": int(folder.name.rpartition(", ")[2])}
            for arm in RECIPES:
                if (folder / f"{arm}.npz").exists():
                    cells += [{**head, **cell} for cell in told(folder, first, arm)]
    order = {name: place for place, name in enumerate(TASKS)}
    cells.sort(key=lambda cell: (order[cell["data"]], cell["draw"]))
    write_text(path, "".join(json.dumps(cell) + "\n" for cell in cells))


def told(folder, first, arm):
    """Cells of one training: as it decides, and with some strengths of adjustment."""
    with np.load(folder / f"{arm}.npz") as kept:
        shares, y, counts = kept["shares"], kept["y"], kept["counts"]
        seconds = float(kept["seconds"])
    rare = int(np.argmin(counts))
    yield {"arm": arm, **scores(y, shares, rare), "seconds": round(seconds, 1)}
    if arm == BALANCED:
        return
    if arm == "imbalanced":
        yield {"arm": f"{arm}, tau 1", **decided(y, shares, counts, 1.0, rare)}
    own, others = (one / "folds" / f"{arm}.npz" for one in (folder, first))
    folds = own if own.exists() else others
    if folds.exists():
        tau, of = found_tau(folds), "own" if own.exists() else "first draw's"
        cell = decided(y, shares, counts, tau, rare) | {"folds": of}
        yield {"arm": f"{arm}, found tau", **cell}
    cells = [decided(y, shares, counts, tau, rare) for tau in TAUS]
    best = max(cells, key=lambda cell: cell["f1_macro"])
    yield {"arm": f"{arm}, best tau of the test set", **best}


def decided(y, shares, counts, tau, rare):
    """Scores with `tau` times the logarithms of the real shares taken out."""
    logs = logs_of(shares) - tau * np.log(counts / counts.sum())
    return {**scores(y, logs, rare), "tau": tau}


def found_tau(folds):
    """What `AutoAdjustment` makes of out-of-fold probabilities, for equal shares."""
    with np.load(folds) as kept:
        shares, y, counts = kept["shares"], kept["y"], kept["counts"]
    auto = kb.tuners.AutoAdjustment(seed=0, verbose=0)
    return round(auto.fit_predictions(shares, y, counts).tau, 2)


if __name__ == "__main__":
    main()
