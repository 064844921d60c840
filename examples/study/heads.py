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

import pathlib
import time

import numpy as np

import keras_balance as kb
from study import fillings
from study.experiment import train_by
from study.fillings import Row, draws, parser_of
from study.lines import Lines, scores
from study.regret import PHOTOGRAPHS
from study.tables import markdown

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "heads.jsonl"
ROWS = {
    **{name: row for name, row in fillings.ROWS.items() if row.dataset != "cifar10"},
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
    options = parser_of(__doc__, ROWS, RESULTS).parse_args()
    cells = Lines(options.out, ["data", "draw", "arm"])
    for name, row, task in draws(options, ROWS):
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
        number = str(len({cell["draw"] for cell in ours}))
        by_arm = {}
        for cell in ours:
            by_arm.setdefault(cell["arm"], []).append((cell["f1_macro"], cell["f1"]))
        arms = [next(a for a in by_arm if a.startswith(one)) for one in TRAININGS]
        for way, title in WAYS.items():
            rows.append([name, number, title])
            rows[-1] += [_percent(by_arm[arm + way]) for arm in arms]
            name = number = ""  # told once
        gains = [np.subtract(by_arm[arm + HEAD], by_arm[arm + TAU]) for arm in arms]
        rows.append(["", "", "gained by the last layer", *map(_gain, gains)])
    return markdown(head, rows, left=3)


def _percent(found):
    return " / ".join(f"{100 * score:.1f}" for score in np.mean(found, axis=0))


def _gain(found):
    return " / ".join(f"{100 * score:+.1f}" for score in np.mean(found, axis=0))


if __name__ == "__main__":
    main()
