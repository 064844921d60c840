"""The study: every row of the README's tables, made anew.

    python examples/study.py --emnist FOLDER --mnist FOLDER --fashion-mnist FOLDER
    python examples/study.py --cifar10 FOLDER --rows cifar-8-long
    python examples/study.py --emnist FOLDER --rows rare-0 rare-8 --jobs 2 --keep
    python examples/write_readme.py

Each row is one run of `reproduce_table.py`, which keeps its finished cells: a study
that is interrupted goes on where it stopped. The figures of a row come into
`examples/results/`, and from there into the README: the arms that have all seeds, and
apart from them, as `unfinished`, what other cells there are. With `--keep` all these
are taken as finished: so a row grows, arm by arm and seed by seed.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import keras
from arms import PAPER
from cells import cell_path, write_whole

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / "results"

ARMS = [
    "balanced",
    "balanced+manual, all classes",
    "balanced+elastic, all classes",
    "imbalanced",
    "imbalanced+elastic, all classes",
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
    "autoencoder",
    "bagan",
    "bagan+manual",
    "half bagan+manual, half manual",
    "bagan+manual, all classes",
    "bagan+elastic, all classes",
    "half bagan+manual, half manual, all classes",
    "published",
    "auto",
    "auto, no elastic",
    "auto, no elastic, all classes",
]
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--emnist", help="folder or zip of EMNIST; without it, it is downloaded")
    add("--mnist", help="folder of MNIST; without it, it is downloaded")
    add("--fashion-mnist", help="folder of Fashion-MNIST; without it, it is downloaded")
    add("--cifar10", help="folder of CIFAR-10, binary; without it, it is downloaded")
    add(
        "--large",
        choices=("mnist", "emnist"),
        default="mnist",
        help="of the rows 20-percent and largest; the paper's is the whole EMNIST",
    )
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add("--arms", nargs="+", choices=ARMS, metavar="ARM", help="only these arms")
    add("--seeds", type=int, help="only so many seeds of the rows")
    add("--jobs", type=int, default=1, help="processes side by side (default 1)")
    add("--keep", action="store_true", help="go on from examples/results/")
    add("--work", default="results/study", help="folder of the finished cells")
    options = parser.parse_args()
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds must be 1 or more. Received: --seeds {options.seeds}")
    for row in options.rows:
        print(f"\n== {row}", flush=True)
        run_row(row, options)


def run_row(row, options):
    """Run a row, or some arms of it, and keep its figures."""
    dataset, arms, seeds, arguments = ROWS[row]
    dataset = dataset or options.large
    seeds, wanted = seeds[: options.seeds], options.arms or arms
    output = pathlib.Path(options.work) / row
    if options.keep:
        take_finished(RESULTS / f"{row}.json", output)
    arms = [arm for arm in arms if arm in wanted or is_finished(output, arm, seeds)]
    command = [sys.executable, str(HERE / "reproduce_table.py"), *arguments]
    command += ["--seeds", str(len(seeds)), "--first-seed", str(seeds[0])]
    command += ["--dataset", dataset, "--arms", *arms, "--jobs", str(options.jobs)]
    command += ["--output", str(output)]
    path = getattr(options, dataset, None)  # digits need none
    if path is not None:
        command += ["--path", path]
    subprocess.run(command, check=True)
    results = json.loads((output / "results.json").read_text(encoding="utf-8"))
    results["unfinished"] = unfinished(output, arms, seeds)
    write_whole(RESULTS / f"{row}.json", json.dumps(results, indent=1) + "\n")


def take_finished(results, output):
    """Take the cells of a results file as finished, but those that are there."""
    if not results.exists():
        return
    kept = json.loads(results.read_text(encoding="utf-8"))
    if kept["backend"] != keras.backend.backend():
        sys.exit(
            f"study.py: a row must go on with the backend of its kept cells, "
            f"{kept['backend']}. Received: KERAS_BACKEND={keras.backend.backend()}"
        )
    for cell in [*kept["cells"], *kept.get("unfinished", [])]:
        path = cell_path(output, cell["seed"], cell["arm"])
        if not path.exists():
            write_whole(path, json.dumps(cell))


def is_finished(output, arm, seeds):
    """Tell whether all cells of an arm are there."""
    return all(cell_path(output, seed, arm).exists() for seed in seeds)


def unfinished(output, arms, seeds):
    """Read the cells that are there, but those of some arms and seeds."""
    known = {cell_path(output, seed, arm) for seed in seeds for arm in arms}
    others = sorted(set((output / "cells").glob("*.json")) - known)
    return [json.loads(path.read_text(encoding="utf-8")) for path in others]


if __name__ == "__main__":
    main()
