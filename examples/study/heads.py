"""What the last layer is worth, trained anew: each training scored four ways.

    cd examples
    python -m study.heads --emnist FOLDER --fashion-mnist FOLDER --cifar10 ZIP

The rows of `study.fillings`, and photographs with other rare classes. A ConvNet is
trained on balanced data, on the data as they are, on repeated images behind the row's
layer, and to the square root behind it with one half of the adjustment in the loss.
Each is scored as it is, with the shares that its feed has shown taken out (`tau 1`),
with its last layer trained anew by `kb.models.retrain_head` (`head`), and with the
shares of the real images taken out of that. No strength is chosen: it is 1.

Finished cells are lines of `examples/results/heads.jsonl`: a run goes on.
"""

import argparse
import pathlib
import time

import numpy as np

import keras_balance as kb
from study.experiment import draw, load, train_by
from study.fillings import PER_CLASS, ROWS, Row
from study.lines import Lines, scores
from study.tables import markdown

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "heads.jsonl"
PHOTOGRAPHS = {"ship": 8, "cat": 3, "automobile": 1, "frog": 6}
ROWS = {
    **{name: row for name, row in ROWS.items() if row.dataset != "cifar10"},
    **{
        f"photographs, {name}": Row("cifar10", {"minority": label}, "photo", 1140, 64)
        for name, label in PHOTOGRAPHS.items()
    },
}


# Trainings, by how their arms begin, and what is told of each.
TRAININGS = {
    "balanced": "balanced",
    "plain": "plain",
    "repeat": "repeat, layer",
    "root": "root, layer, loss 0.5",
}
TAU, HEAD = ", tau 1", ", head, tau 1"
WAYS = {"": "as trained", TAU: "tau 1", HEAD: "last layer anew, tau 1"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emnist", help="folder of EMNIST's files")
    parser.add_argument("--fashion-mnist", help="folder of Fashion-MNIST's files")
    parser.add_argument("--cifar10", help="zip of JPEGs in class folders")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--draws", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "draw", "arm"])
    for seed in options.draws:
        for name in options.rows:
            row = ROWS[name]
            path = getattr(options, row.dataset)
            if path is not None:
                data = load(row.dataset, path)
                nowhere = pathlib.Path()  # where nothing is kept
                task = draw(data, seed, nowhere, per_class=PER_CLASS, **row.imbalance)
                measure(cells, name, row, task)


def measure(cells, name, row, task):
    """Add the cells of a draw that are not there."""
    arms = {
        "balanced": (kb.tuners.Recipe({}), task.balanced),
        "plain": (kb.tuners.Recipe({}), task.imbalanced),
        f"repeat, {row.layer}": (kb.tuners.Recipe(layer=row.layer), task.imbalanced),
        f"root, {row.layer}, loss 0.5": (
            kb.tuners.Recipe("sqrt", layer=row.layer, tau=0.5),
            task.imbalanced,
        ),
    }
    for arm, (recipe, data) in arms.items():
        head = {"data": name, "draw": task.seed}
        if {**head, "arm": arm} in cells:
            continue
        start = time.process_time()
        model, feed = train_by(recipe, task, data, row.batch_size, row.steps)
        seconds = {"processor_seconds": round(time.process_time() - start, 1)}
        ways = decided(model, feed, data, task.test[0])
        for way, log_shares in ways.items():
            told = scores(task.test[1], log_shares, task.rare)
            cells.add({**head, "arm": f"{arm}{way}", **told, **seconds})
            seconds = {}


def decided(model, feed, data, images):
    """Log-probabilities of images by each way to decide."""
    shown = np.array([*feed.class_counts.values()])
    own = log_probabilities(model, images)
    retrained = kb.models.retrain_head(model, *data, target_prior="natural")
    head = log_probabilities(retrained, images)
    return {
        "": own,
        TAU: own - np.log(shown),
        ", head": head,
        HEAD: head - np.log(np.bincount(data[1])),
    }


def log_probabilities(model, images):
    shares = model.predict(images, batch_size=500, verbose=0)
    return np.log(np.maximum(shares, 1e-30))


def heads_table(cells):
    """Markdown: macro F1 / rare F1 of each training in each row, by each decision."""
    head = ["", "draws", "decided", *TRAININGS.values()]
    tasks = {}
    for cell in cells:
        tasks.setdefault(cell["data"], []).append(cell)
    rows = []
    for name, ours in tasks.items():
        draws = str(len({cell["draw"] for cell in ours}))
        by_arm = {}
        for cell in ours:
            by_arm.setdefault(cell["arm"], []).append((cell["f1_macro"], cell["f1"]))
        arms = [next(a for a in by_arm if a.startswith(one)) for one in TRAININGS]
        for way, title in WAYS.items():
            rows.append([name, draws, title])
            rows[-1] += [_percent(by_arm[arm + way]) for arm in arms]
            name = draws = ""  # told once
        gains = [np.subtract(by_arm[arm + HEAD], by_arm[arm + TAU]) for arm in arms]
        rows.append(["", "", "gained by the last layer", *map(_gain, gains)])
    return markdown(head, rows, left=3)


def _percent(found):
    return " / ".join(f"{100 * score:.1f}" for score in np.mean(found, axis=0))


def _gain(found):
    return " / ".join(f"{100 * score:+.1f}" for score in np.mean(found, axis=0))


if __name__ == "__main__":
    main()
