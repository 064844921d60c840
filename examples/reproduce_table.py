"""The paper's table: balanced, imbalanced, with BAGAN, with manual augmentation.

    python examples/reproduce_table.py
    python examples/reproduce_table.py --dataset emnist --path FOLDER --per-class 240

Trains the paper's ConvNet in each arm for the same number of optimiser steps, prints
accuracy and per-class precision, recall and F1, and writes `results.json`, the table
as Markdown, and pictures: generated images through the epochs (the paper's Figure 4),
F1 of each class, and a confusion matrix an arm.
"""

import argparse
import itertools
import json
import pathlib
import platform
import sys

import keras
import numpy as np
from experiment import ARMS, PAPER, draw, load, run_cell

import keras_balance as kb


def main():
    options = parse_arguments()
    try:
        data = load(options.dataset, options.path)
        tasks = [
            draw(data, options.minority, options.keep, options.per_class, seed)
            for seed in range(options.seeds)
        ]
    except (ValueError, OSError) as error:
        sys.exit(f"reproduce_table.py: {error}")
    output = pathlib.Path(options.output)
    cells = run_cells(tasks, options.arms, output)
    write_results(output, vars(options), cells)
    print_and_draw(output, cells, options.minority)
    print(f"\nTables and pictures are in {output.resolve()}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dataset", choices=("digits", "mnist", "emnist"), default="digits")
    add("--path", help="folder or zip of the data; without it, it is downloaded")
    add("--per-class", type=int, help="images a class; 240 is the paper's 1 %% row")
    add("--minority", type=int, default=0, help="class to make rare (default 0)")
    add("--keep", type=float, default=0.05, help="fraction of it that stays")
    add("--seeds", type=int, default=1, help="draws of the data (default 1)")
    add("--arms", nargs="+", choices=list(ARMS), default=list(PAPER), metavar="ARM")
    add("--output", default="results", help="folder for tables and pictures")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds must be 1 or more. Received: --seeds {options.seeds}")
    if options.path is not None and options.dataset == "digits":
        parser.error(f"digits need no --path. Received: --path {options.path}")
    return options


def run_cells(tasks, arms, output):
    """Run every arm of every task, one line of progress each."""
    cells = []
    for number, (task, arm) in enumerate(itertools.product(tasks, arms), start=1):
        place = f"[{number}/{len(tasks) * len(arms)}] seed {task.seed}, {arm}"
        callbacks = [ProgressLine(place)]
        if task.seed == 0:
            callbacks.append(kb.callbacks.GeneratedImages(output / "generated"))
        cell = run_cell(task, arm, callbacks)
        accuracy = cell["report"]["accuracy"]
        print(f"\r{place}: accuracy {accuracy:.4f}, {cell['seconds']:.0f} s{' ' * 30}")
        cells.append(cell)
    return cells


def write_results(output, options, cells):
    """Write all that was measured, and with what."""
    versions = {"python": platform.python_version(), "keras": keras.__version__}
    content = {
        "options": options,
        "backend": keras.backend.backend(),
        "versions": versions | {"keras_balance": kb.__version__},
        "machine": f"{platform.system()} {platform.machine()}",
        "cells": cells,
    }
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2)
    (output / "results.json").write_text(f"{text}\n", encoding="utf-8")


def print_and_draw(output, cells, minority):
    """Print the table; write it as Markdown and as pictures."""
    by_arm = {}
    for cell in cells:
        by_arm.setdefault(cell["arm"], []).append(cell)
    reports = {arm: [cell["report"] for cell in runs] for arm, runs in by_arm.items()}
    table = kb.metrics.compare_reports(reports)
    rare = kb.metrics.compare_reports(reports, classes=[minority])
    print(f"\n{table.text()}\n\nThe rare class:\n\n{rare.text(arms_down=True)}")
    markdown = f"{rare.markdown(arms_down=True)}\n\n{table.markdown()}\n"
    (output / "table.md").write_text(markdown, encoding="utf-8")
    f1 = [name for name in table.scores if name.endswith(" F1")]
    table.save_picture(output / "f1.png", f1)
    for arm, runs in by_arm.items():
        matrix = np.sum([cell["confusion_matrix"] for cell in runs], axis=0)
        kb.metrics.save_confusion_matrix(
            output / f"confusion_{arm}.png", matrix, range(len(matrix)), title=arm
        )


class ProgressLine(keras.callbacks.Callback):
    """One line that is overwritten as a training goes on."""

    def __init__(self, place):
        super().__init__()
        self.place = place

    def on_epoch_end(self, epoch, logs=None):
        losses = " ".join(f"{key} {value:.3f}" for key, value in (logs or {}).items())
        epochs = self.params["epochs"]
        print(f"\r{self.place}: epoch {epoch + 1}/{epochs} {losses}", end="")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
