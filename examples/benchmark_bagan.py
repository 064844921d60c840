"""What BAGAN is worth to a rare class, beside what one would use instead.

    python examples/benchmark_bagan.py --path FOLDER

EMNIST digits, 240 images a class, 12 of the rare one: the paper's ConvNet, the same
optimiser steps in every arm, the whole test set, paired seeds. Prints macro F1, the
rare class's F1, and paired differences with 95 % intervals; then times a step of BAGAN
and of the published architecture in turns. Finished cells are kept in the output
folder, so that an interrupted run goes on.
"""

import argparse
import itertools
import json
import pathlib
import statistics
import time

import keras
import numpy as np
from experiment import draw, load, run_cell

import keras_balance as kb

ARMS = (
    "balanced",
    "imbalanced",
    "oversampling",
    "smote",
    "manual",
    "autoencoder",
    "bagan",
    "bagan+manual",
    "published",
)
PUBLISHED_EPOCHS = 150


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--path", help="folder or zip of EMNIST; without it, it is downloaded")
    add("--per-class", type=int, default=240)
    add("--keep", type=float, default=0.05)
    add("--minorities", type=int, nargs="+", default=[0, 8])
    add("--seeds", type=int, default=5)
    add("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    add("--output", default="results/bagan", help="folder of the finished cells")
    options = parser.parse_args()
    data = load("emnist", options.path)
    for minority in options.minorities:
        compare(data, minority, options)
    time_steps(draw(data, 0, options.keep, options.per_class, seed=0))


def compare(data, minority, options):
    """Run the arms of all seeds, and print them side by side."""
    runs = {arm: [] for arm in options.arms}
    for seed, arm in itertools.product(range(options.seeds), options.arms):
        path = (
            pathlib.Path(options.output) / f"minority{minority}-seed{seed}-{arm}.json"
        )
        if not path.exists():
            task = draw(data, minority, options.keep, options.per_class, seed)
            cell = json.dumps(run_cell(task, arm))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(cell, encoding="utf-8")
        cell = json.loads(path.read_text(encoding="utf-8"))
        f1 = cell["report"][str(minority)]["f1-score"]
        seconds = cell["seconds"]
        print(f"rare {minority}, seed {seed}, {arm}: F1 {f1:.4f}, {seconds:.0f} s")
        runs[arm].append(cell)
    reports = {arm: [cell["report"] for cell in cells] for arm, cells in runs.items()}
    table = kb.metrics.compare_reports(reports, classes=[minority])
    print(f"\nRare class {minority}\n\n{table.text(arms_down=True)}")
    for baseline in ("imbalanced", "oversampling", "smote", "manual"):
        if baseline in runs:
            difference = table.against(baseline).text(arms_down=True)
            print(f"\nDifference from {baseline}, paired\n\n{difference}")
    for arm, cells in runs.items():
        print(f"{arm}: {statistics.median(c['seconds'] for c in cells):.0f} s a seed")
    print()


def time_steps(task, steps=5):
    """Time GAN steps of both architectures in turns, and extrapolate a training."""
    x, y = task.imbalanced
    models = {
        "BAGAN": kb.models.BAGAN(task.image_shape, task.num_classes, seed=0),
        "published": kb.models.published_bagan(
            task.image_shape, task.num_classes, seed=0
        ),
    }
    seconds = {name: [] for name in models}
    for _, (name, model) in itertools.product(range(3), models.items()):
        clock = StepTimes()
        some = np.concatenate([np.flatnonzero(y == c)[:64] for c in np.unique(y)])
        model.fit(
            x[some],
            y[some],
            autoencoder_epochs=1,
            epochs=1,
            batch_size=128,
            callbacks=[clock],
            verbose=0,
        )
        seconds[name].append(statistics.median(clock.seconds[-steps:]))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.3f} s a GAN step of 128")
    start = time.perf_counter()
    model = kb.models.BAGAN(task.image_shape, task.num_classes, seed=0)
    model.fit(x, y, verbose=0)
    training = time.perf_counter() - start
    published = PUBLISHED_EPOCHS * len(x) / 128 * medians["published"]
    print(f"BAGAN, both phases: {training:.0f} s")
    print(f"published, {PUBLISHED_EPOCHS} epochs of the GAN alone: {published:.0f} s")
    print(f"ratio: {published / training:.0f}")


class StepTimes(keras.callbacks.Callback):
    """Wall-clock seconds of every step."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._start)


if __name__ == "__main__":
    main()
