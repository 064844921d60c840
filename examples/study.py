"""The study: every row of the README's tables, made anew.

    python examples/study.py --emnist FOLDER --mnist FOLDER
    python examples/study.py --emnist FOLDER --rows rare-0 rare-8 --jobs 2 --keep
    python examples/write_readme.py

Each row is one run of `reproduce_table.py`, which keeps its finished cells: a study
that is interrupted goes on where it stopped. The figures of a whole row come into
`examples/results/`, and from there into the README. With `--keep` the cells that are
there already are taken as finished: so a row grows, arm by arm and seed by seed.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

from arms import PAPER
from cells import cell_path, write_whole

HERE = pathlib.Path(__file__).parent
RESULTS = HERE / "results"

ARMS = [
    "balanced",
    "balanced+manual, all classes",
    "imbalanced",
    "class weights",
    "oversampling",
    "smote",
    "manual",
    "manual, all classes",
    "autoencoder",
    "bagan",
    "bagan+manual",
    "half bagan+manual, half manual",
    "bagan+manual, all classes",
    "published",
    "auto",
]
FEW_ARMS = [
    "balanced",
    "imbalanced",
    "oversampling",
    "manual",
    "bagan+manual",
    "half bagan+manual, half manual",
    "bagan+manual, all classes",
    "auto",
]

SMALL = ["--per-class", "240"]
MANY = ["--minority", "0", "--epochs", "3"]
AS_PAPER = [*SMALL, "--minority", "0", "--test-per-class", "40"]

# Name: data set, arms, seeds, and the arguments that draw the data.
ROWS = {
    "paper": ("emnist", PAPER, 1, AS_PAPER),
    "rare-0": ("emnist", ARMS, 10, [*SMALL, "--minority", "0"]),
    "rare-8": ("emnist", ARMS, 10, [*SMALL, "--minority", "8"]),
    "rare-5": ("emnist", ARMS, 5, [*SMALL, "--minority", "5"]),
    "rare-9": ("emnist", ARMS, 5, [*SMALL, "--minority", "9"]),
    "long-tail": ("emnist", ARMS, 5, [*SMALL, "--tail", "12"]),
    "20-percent": ("mnist", FEW_ARMS, 5, [*MANY, "--per-class", "4800"]),
    "largest": ("mnist", FEW_ARMS, 3, MANY),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--emnist", help="folder or zip of EMNIST; without it, it is downloaded")
    add("--mnist", help="folder of MNIST; without it, it is downloaded")
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add("--arms", nargs="+", help="only these arms of the rows")
    add("--seeds", type=int, help="only so many seeds of the rows")
    add("--jobs", type=int, default=1, help="processes side by side (default 1)")
    add("--keep", action="store_true", help="go on from examples/results/")
    add("--work", default="results/study", help="folder of the finished cells")
    options = parser.parse_args()
    for row in options.rows:
        print(f"\n== {row}", flush=True)
        run_row(row, options)


def run_row(row, options):
    """Run a row to its end, and keep its figures."""
    dataset, arms, seeds, arguments = ROWS[row]
    output = pathlib.Path(options.work) / row
    if options.keep:
        take_finished(RESULTS / f"{row}.json", output)
    command = [sys.executable, str(HERE / "reproduce_table.py"), *arguments]
    command += ["--dataset", dataset, "--seeds", str(options.seeds or seeds)]
    command += ["--arms", *(options.arms or arms), "--jobs", str(options.jobs)]
    command += ["--output", str(output)]
    path = getattr(options, dataset)
    if path is not None:
        command += ["--path", path]
    subprocess.run(command, check=True)
    RESULTS.mkdir(exist_ok=True)
    shutil.copyfile(output / "results.json", RESULTS / f"{row}.json")


def take_finished(results, output):
    """Take the cells of a results file as finished, but those that are there."""
    if not results.exists():
        return
    for cell in json.loads(results.read_text(encoding="utf-8"))["cells"]:
        path = cell_path(output, cell["seed"], cell["arm"])
        if not path.exists():
            write_whole(path, json.dumps(cell))


if __name__ == "__main__":
    main()
