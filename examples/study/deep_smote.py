"""DeepSMOTE's table: ten classes of 40 to 4,000 digits, clothes and photographs.

    cd examples
    python -m study.deep_smote --work FOLDER --mnist FOLDER --fashion-mnist FOLDER \
        --cifar10 FOLDER

Dablain, Krawczyk and Chawla 2021 cut MNIST, Fashion-MNIST and CIFAR-10 to these counts
and test on as many images of each class. Their classifier is a ResNet-18, ours the
paper's ConvNet in two epochs of the data without the cut, batches of 64: what two cores
train in minutes. Counts, arms and steps stand here and were fixed before a figure of a
test set was seen. The whole test set; on it their ACSA is the accuracy.

", tau 1" takes the shares that a training has shown out of its probabilities, as
`adjust_logits` does; ", last layer anew" is `retrain_head`. `AutoBalance` chooses among
its recipes by itself, on the training data. Finished cells are lines of
`examples/results/deep_smote.jsonl`: a run goes on.
"""

import argparse
import pathlib

import keras

import keras_balance as kb
from study import cifar, heads, regret
from study.experiment import Task, load
from study.lines import Lines, scores
from study.places import RESULTS

LINES = RESULTS / "deep_smote.jsonl"
COUNTS = (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40)
COUNTS_OF_PHOTOGRAPHS = (4500, 2000, 1000, 800, 600, 500, 400, 250, 150, 80)
TASKS = {
    "MNIST": ("mnist", COUNTS),
    "Fashion-MNIST": ("fashion_mnist", COUNTS),
    "CIFAR-10": ("cifar10", COUNTS_OF_PHOTOGRAPHS),
}
BATCH_SIZE, EPOCHS = 64, 2
COMMON = {
    "plain": kb.tuners.RECIPES["plain"],
    "oversampling": kb.tuners.RECIPES["repeat"],
    "smote": kb.tuners.Recipe(synthesizer="smote"),
}
# With each the layers that the study recommends for such images.
ARMS = {
    "MNIST": COMMON | {"elastic": kb.tuners.RECIPES["elastic"]},
    "Fashion-MNIST": COMMON | {"shift": kb.tuners.RECIPES["shift"]},
    "CIFAR-10": COMMON | {name: kb.tuners.RECIPES[name] for name in ("photo", "crop")},
}
# What is not balanced when it is trained is told by each way to decide.
DECIDED = ("plain", "shift", "photo", "crop")
WAYS = {heads.TAU: ", tau 1", heads.HEAD: ", last layer anew", "": ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--mnist", help="folder of its files")
    parser.add_argument("--fashion-mnist", help="folder of Fashion-MNIST's files")
    parser.add_argument("--cifar10", help=cifar.PATH_HELP)
    parser.add_argument("--draws", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--auto", action="store_true", help="run `AutoBalance`, too")
    parser.add_argument("--out", type=pathlib.Path, default=LINES)
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "draw", "arm"])
    for draw in options.draws:
        for name, (dataset, counts) in TASKS.items():
            path = getattr(options, dataset)
            if path is not None:
                task = cut(load(dataset, path), counts, draw)
                work = options.work / f"{name}, {draw}"
                pictures = regret.Pictures(task, work, BATCH_SIZE, EPOCHS)
                measure(cells, name, pictures, options.auto)


def cut(data, counts, seed):
    """Draw so many training images of each class."""
    train, test = data
    few = kb.datasets.make_imbalance(*train, dict(enumerate(counts)), seed=seed)
    rare = tuple(range(len(counts) // 2, len(counts)))
    return Task(train, few, test, rare, seed, 0, pathlib.Path())


def measure(cells, name, pictures, auto):
    """Add the cells of one draw that are not there."""
    head = {"data": name, "draw": pictures.task.seed}
    y = pictures.test[1]
    for arm, recipe in ARMS[name].items():
        if {**head, "arm": arm} in cells:
            continue
        data = pictures.task.imbalanced
        found = heads.decided(*pictures.train(recipe, data), data, pictures.test[0])
        for way, name_of_way in WAYS.items():  # as trained, what is asked for, last
            if not way or arm in DECIDED:
                told = scores(y, found[way])
                cells.add({**head, "arm": f"{arm}{name_of_way}", **told})
        keras.backend.clear_session()
    if auto and {**head, "arm": regret.AUTO} not in cells:
        log_shares, told = pictures.auto()
        cells.add({**head, "arm": regret.AUTO, **scores(y, log_shares), **told})


if __name__ == "__main__":
    main()
