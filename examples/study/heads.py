"""What the last layer is worth, trained anew: each training scored four ways.

    cd examples
    python -m study.heads --emnist FOLDER --fashion-mnist FOLDER --cifar10 ZIP

The rows of `study.fillings`, and photographs with other rare classes. A ConvNet is
trained on balanced data and on the data as they are, each with the row's layer in front
or without, on repeated images behind it, and to the square root behind it with one half
of the adjustment in the loss.
Each is scored as it is, with the shares that its feed has shown taken out (`tau 1`),
with its last layer trained anew by `kb.models.retrain_head` (`head`), and with the
shares of the real images taken out of that. No strength is chosen: it is 1.

Finished cells are lines of `examples/results/heads.jsonl`: a run goes on.
"""

import time

import numpy as np

import keras_balance as kb
from study import fillings
from study.experiment import train_by
from study.fillings import Row, draws, parser_of
from study.lines import Lines, logs_of, scores
from study.places import RESULTS
from study.regret import PHOTOGRAPHS

LINES = RESULTS / "heads.jsonl"
ROWS = {
    **{name: row for name, row in fillings.ROWS.items() if row.dataset != "cifar10"},
    **{
        f"photographs, {name}": Row("cifar10", {"minority": label}, "photo", 1140, 64)
        for name, label in PHOTOGRAPHS.items()
    },
    **{
        f"crops, {name}": Row("cifar10", {"minority": label}, "crop", 1140, 128)
        for name, label in PHOTOGRAPHS.items()
    },
}


# Recipes of the trainings, by their arms, in which a row's layer has its own name.
TRAININGS = {
    "balanced": {"sampling_strategy": {}},
    "balanced, layer": {"sampling_strategy": {}, "layer": True},
    "plain": {"sampling_strategy": {}},
    "plain, layer": {"sampling_strategy": {}, "layer": True},
    "repeat, layer": {"layer": True},
    "root, layer, loss 0.5": {"sampling_strategy": "sqrt", "layer": True, "tau": 0.5},
}
TAU, HEAD = ", tau 1", ", head, tau 1"
WAYS = {"": "as trained", TAU: "tau 1", HEAD: "last layer anew, tau 1"}


def main():
    parser = parser_of(__doc__, ROWS, LINES)
    parser.add_argument(
        "--trainings", nargs="*", choices=TRAININGS, default=list(TRAININGS)
    )
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "draw", "arm"])
    for name, row, task in draws(options, ROWS):
        measure(cells, name, row, task, options.trainings)


def arm_of(training, row):
    """Name of a training's arm in a row."""
    return training.replace("layer", row.layer)


def recipe_of(training, row):
    """Recipe of a training in a row."""
    arguments = dict(TRAININGS[training])
    if arguments.pop("layer", False):
        arguments["layer"] = row.layer
    return kb.tuners.Recipe(**arguments)


def measure(cells, name, row, task, trainings):
    """Add the cells of a draw that are not there."""
    for training in trainings:
        arm, head = arm_of(training, row), {"data": name, "draw": task.seed}
        if {**head, "arm": arm} in cells:
            continue
        is_balanced = training.startswith("balanced")
        data = task.balanced if is_balanced else task.imbalanced
        recipe = recipe_of(training, row)
        start = time.process_time()
        model, feed = train_by(recipe, task, data, row.batch_size, row.steps)
        seconds = round(time.process_time() - start, 1)
        ways = decided(model, feed, data, task.test[0])
        for way, log_shares in reversed(ways.items()):  # what is asked for comes last
            told = scores(task.test[1], log_shares, task.rare)
            took = {} if way else {"processor_seconds": seconds}
            cells.add({**head, "arm": f"{arm}{way}", **told, **took})


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
    return logs_of(model.predict(images, batch_size=500, verbose=0))


if __name__ == "__main__":
    main()
