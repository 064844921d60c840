"""The rows of the study: what each is run on, and how its figures are kept."""

import pathlib
import subprocess
import sys

import keras

from study.arms import NAMED, PAPER
from study.cells import cell_path
from study.files import read_json, write_json, write_results
from study.places import RESULTS, SCRIPTS

ARMS = list(NAMED)
FEW_ARMS = [
    "balanced",
    "imbalanced",
    "oversampling",
    "manual",
    "elastic",
    "elastic, all classes",
    "auto layer",
    "bagan+manual",
    "half bagan+manual, half manual",
    "bagan+manual, all classes",
    "auto",
    "auto, no elastic",
]
FAST_ARMS = [
    "balanced",
    "balanced+elastic, all classes",
    "imbalanced",
    "class weights",
    "oversampling",
    "smote",
    "shift, all classes",
    "flip, all classes",
    "manual",
    "manual, all classes",
    "elastic",
    "elastic, all classes",
    "auto layer",
]

SMALL = ["--per-class", "240"]
TINY = ["--minority", "8"]
SHIRT = [*SMALL, "--minority", "6"]
MANY = ["--minority", "0", "--epochs", "3"]
AS_PAPER = [*SMALL, "--minority", "0", "--test-per-class", "40"]

# Name: data set, None for that of `--large`; arms, seeds, and the arguments that draw
# the data. The rule of "auto" was settled after a look at draws 0 and 1 of the first
# rows, and one arm came after the first tail: the fresh rows are other draws.
ROWS = {
    "paper": ("emnist", PAPER, range(1), AS_PAPER),
    "rare-0": ("emnist", ARMS, range(10), [*SMALL, "--minority", "0"]),
    "rare-8": ("emnist", ARMS, range(10), [*SMALL, "--minority", "8"]),
    "fresh-0": ("emnist", ARMS, range(10, 20), [*SMALL, "--minority", "0"]),
    "fresh-8": ("emnist", ARMS, range(10, 20), [*SMALL, "--minority", "8"]),
    "rare-5": ("emnist", ARMS, range(5), [*SMALL, "--minority", "5"]),
    "rare-9": ("emnist", ARMS, range(5), [*SMALL, "--minority", "9"]),
    "long-tail": ("emnist", ARMS, range(5), [*SMALL, "--tail", "12"]),
    "fresh-tail": ("emnist", ARMS, range(5, 10), [*SMALL, "--tail", "12"]),
    "tiny": ("digits", FAST_ARMS, range(10), TINY),
    "tiny-long": ("digits", FAST_ARMS, range(5), [*TINY, "--epochs", "72"]),
    "fashion-6": ("fashion_mnist", ARMS, range(5), SHIRT),
    "fashion-9": ("fashion_mnist", ARMS, range(5), [*SMALL, "--minority", "9"]),
    "fashion-6-long": (
        "fashion_mnist",
        FAST_ARMS,
        range(3),
        [*SHIRT, "--epochs", "60"],
    ),
    "cifar-8-long": (
        "cifar10",
        FAST_ARMS,
        range(3),
        [*SMALL, "--minority", "8", "--epochs", "60"],
    ),
    "20-percent": (None, FEW_ARMS, range(5), [*MANY, "--per-class", "4800"]),
    "largest": (None, FEW_ARMS, range(3), MANY),
}


def run_row(row, options):
    """Run a row, or some arms of it, and keep its figures."""
    dataset, arms, seeds, arguments = ROWS[row]
    dataset = dataset or options.large
    seeds, wanted = seeds[: options.seeds], options.arms or arms
    output = pathlib.Path(options.work) / row
    if options.keep:
        take_finished(RESULTS / f"{row}.json", output)
    arms = [arm for arm in arms if arm in wanted or is_finished(output, arm, seeds)]
    command = [sys.executable, str(SCRIPTS / "reproduce_table.py"), *arguments]
    command += ["--seeds", str(len(seeds)), "--first-seed", str(seeds[0])]
    command += ["--dataset", dataset, "--arms", *arms, "--jobs", str(options.jobs)]
    command += ["--output", str(output)]
    path = getattr(options, dataset, None)  # digits need none
    if path is not None:
        command += ["--path", path]
    subprocess.run(command, check=True)
    results = read_json(output / "results.json")
    results["unfinished"] = unfinished(output, arms, seeds)
    write_results(RESULTS / f"{row}.json", results)


def take_finished(results, output):
    """Take the cells of a results file as finished, but those that are there."""
    if not results.exists():
        return
    kept = read_json(results)
    if kept["backend"] != keras.backend.backend():
        raise ValueError(
            f"A row must go on with the backend of its kept cells, "
            f"{kept['backend']}. Received: KERAS_BACKEND={keras.backend.backend()}"
        )
    for cell in [*kept["cells"], *kept.get("unfinished", [])]:
        path = cell_path(output, cell["seed"], cell["arm"])
        if not path.exists():
            write_json(path, cell)


def is_finished(output, arm, seeds):
    """Tell whether all cells of an arm are there."""
    return all(cell_path(output, seed, arm).exists() for seed in seeds)


def unfinished(output, arms, seeds):
    """Read the cells that are there, but those of some arms and seeds."""
    known = {cell_path(output, seed, arm) for seed in seeds for arm in arms}
    others = sorted(set((output / "cells").glob("*.json")) - known)
    return [read_json(path) for path in others]
