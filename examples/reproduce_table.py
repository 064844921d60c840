"""The paper's table: balanced, imbalanced, with BAGAN, with manual augmentation.

    python examples/reproduce_table.py
    python examples/reproduce_table.py --dataset emnist --path FOLDER --per-class 240

Trains the paper's ConvNet in each arm for the same number of optimiser steps, prints
accuracy and per-class precision, recall and F1 on the whole test set, and writes
`results.json`, the table as Markdown, and pictures: generated images through the
epochs (the paper's Figure 4), F1 of each class, and a confusion matrix an arm. Finished
cells are kept in the output folder: an interrupted run goes on where it stopped.
"""

import argparse
import itertools
import os
import pathlib
import platform
import sys

# TensorFlow leaves oneDNN off on older AMD processors, where it is faster as well.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# And calls it an error when it leaves an optimisation out, which costs nothing.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_balance as kb
from study.arms import ARMS, PAPER
from study.cells import file_name, reports_of, run_cells
from study.experiment import DATASETS, draw, load
from study.files import write_results, write_text

DRAW_OPTIONS = ("minority", "keep", "per_class", "tail", "test_per_class", "epochs")


def main():
    options = parse_arguments()
    output = pathlib.Path(options.output)
    draw_options = {name: getattr(options, name) for name in DRAW_OPTIONS}
    data = (options.dataset, options.path)
    try:
        task = draw(load(*data), 0, output, **draw_options)
        cells = run_cells(
            data, draw_options, seeds_of(options), options.arms, output, options.jobs
        )
    except (ValueError, OSError) as error:
        sys.exit(f"reproduce_table.py: {error}")
    results = describe(options, cells) | {"rare": task.rare, "steps": task.steps}
    write_results(output / "results.json", results)
    print_and_draw(output, cells, task.rare)
    print(f"\nTables and pictures are in {output.resolve()}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dataset", choices=DATASETS, default="digits")
    add("--path", help="folder or zip of the data; without it, it is downloaded")
    add("--per-class", type=int, help="images a class; 240 is the paper's 1 %% row")
    add("--minority", type=int, default=0, help="class to make rare (default 0)")
    add("--keep", type=float, default=0.05, help="fraction of it that stays")
    add("--tail", type=int, help="images of the last class of a long tail")
    add("--test-per-class", type=int, help="images a class to test on; all by default")
    add("--epochs", type=int, default=12, help="of the balanced data (default 12)")
    add("--seeds", type=int, default=1, help="draws of the data (default 1)")
    add("--first-seed", type=int, default=0, help="seed of the first draw (default 0)")
    add("--arms", nargs="+", choices=list(ARMS), default=list(PAPER), metavar="ARM")
    add("--jobs", type=int, default=1, help="processes side by side (default 1)")
    add("--output", default="results", help="folder for tables and pictures")
    options = parser.parse_args()
    for name in ("seeds", "jobs", "epochs", "tail"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be 1 or more. Received: --{name} {value}")
    if options.first_seed < 0:
        parser.error(
            f"--first-seed must be 0 or more. Received: --first-seed "
            f"{options.first_seed}"
        )
    if options.path is not None and options.dataset == "digits":
        parser.error(f"digits need no --path. Received: --path {options.path}")
    return options


def seeds_of(options):
    return range(options.first_seed, options.first_seed + options.seeds)


def describe(options, cells):
    """All that was measured, and with what."""
    versions = {"python": platform.python_version(), "keras": keras.__version__}
    places = ("path", "output")
    chosen = {key: value for key, value in vars(options).items() if key not in places}
    return {
        "options": chosen,
        "backend": keras.backend.backend(),
        "versions": versions | {"keras_balance": kb.__version__},
        "machine": f"{platform.system()} {platform.machine()}",
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        "cells": cells,
    }


def print_and_draw(output, cells, rare):
    """Print the table; write it as Markdown and as pictures."""
    reports = reports_of(cells)
    table = kb.metrics.compare_reports(reports)
    few = kb.metrics.compare_reports(reports, classes=rare)
    print(f"\n{table.text()}\n\nThe rare class:\n\n{few.text(arms_down=True)}")
    markdown = f"{few.markdown(arms_down=True)}\n\n{table.markdown()}\n"
    write_text(output / "table.md", markdown)
    f1 = [name for name in table.scores if name.endswith(" F1")]
    table.save_picture(output / "f1.png", f1)
    for arm, runs in itertools.groupby(
        sorted(cells, key=lambda cell: cell["arm"]), lambda cell: cell["arm"]
    ):
        matrix = np.sum([cell["confusion_matrix"] for cell in runs], axis=0)
        picture = output / f"confusion_{file_name(arm)}.png"
        kb.metrics.save_confusion_matrix(picture, matrix, range(len(matrix)), title=arm)


if __name__ == "__main__":
    main()
