"""What BAGAN is worth to a rare class, beside what one would use instead.

    python examples/benchmark_bagan.py --path FOLDER

EMNIST digits, 240 images a class, 12 of the rare one: the paper's ConvNet, the same
optimiser steps in every arm, the whole test set, paired seeds. Prints macro F1, the
rare class's F1, and paired differences with 95 % intervals; then times a training of
BAGAN, and a step of the published architecture. Finished cells are kept in the output
folder, so that an interrupted run goes on.
"""

import argparse
import os
import pathlib
import statistics
import time

# TensorFlow leaves oneDNN out on AMD processors, where it is about three times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np

import keras_balance as kb
from study.arms import ARMS
from study.cells import reports_of, run_cells
from study.experiment import draw, load

OURS = (
    "balanced",
    "imbalanced",
    "oversampling",
    "smote",
    "manual",
    "manual, all classes",
    "elastic, all classes",
    "autoencoder",
    "bagan",
    "bagan+manual",
    "bagan+manual, all classes",
    "published",
)
BASELINES = (
    "imbalanced",
    "oversampling",
    "smote",
    "manual",
    "manual, all classes",
    "elastic, all classes",
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
    add("--minorities", type=int, nargs="*", default=[0, 8])
    add("--seeds", type=int, default=5)
    add("--arms", nargs="+", choices=list(ARMS), default=list(OURS), metavar="ARM")
    add("--jobs", type=int, default=1, help="processes side by side (default 1)")
    add("--output", default="results/bagan", help="folder of the finished cells")
    add("--no-timing", action="store_true", help="compare, and time nothing")
    options = parser.parse_args()
    for minority in options.minorities:
        compare(minority, options)
    if not options.no_timing:
        time_training(
            draw(
                load("emnist", options.path),
                0,
                options.output,
                keep=options.keep,
                per_class=options.per_class,
            )
        )


def compare(minority, options):
    """Run the arms of all seeds, and print them side by side."""
    draw_options = {
        "minority": minority,
        "keep": options.keep,
        "per_class": options.per_class,
        "tail": None,
    }
    cells = run_cells(
        ("emnist", options.path),
        draw_options,
        range(options.seeds),
        options.arms,
        pathlib.Path(options.output) / f"rare{minority}",
        options.jobs,
    )
    table = kb.metrics.compare_reports(reports_of(cells), classes=[minority])
    print(f"\nRare class {minority}\n\n{table.text(arms_down=True)}")
    for baseline in BASELINES:
        if baseline in options.arms:
            difference = table.against(baseline).text(arms_down=True)
            print(f"\nDifference from {baseline}, paired\n\n{difference}")
    print("\nProcessor seconds a seed: classifier, generator")
    for arm in options.arms:
        spent = [cell["processor_seconds"] for cell in cells if cell["arm"] == arm]
        classifier, generator = (
            statistics.median(seconds[part] for seconds in spent)
            for part in ("classifier", "generator")
        )
        print(f"{arm}: {classifier:.0f}, {generator:.0f}")
    print()


def time_training(task, rounds=3):
    """Time whole trainings of BAGAN, and steps of the published one, in turns."""
    x, y = task.imbalanced
    trainings, steps = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        kb.models.BAGAN(task.image_shape, task.num_classes, seed=0).fit(x, y, verbose=0)
        trainings.append(time.perf_counter() - start)
        steps.append(published_step_seconds(task))
    training, step = statistics.median(trainings), statistics.median(steps)
    published = PUBLISHED_EPOCHS * len(x) / 128 * step
    print(f"BAGAN, both phases: {training:.0f} s (rounds: {rounded(trainings)})")
    print(f"published, a GAN step of 128: {step:.2f} s (rounds: {rounded(steps)})")
    print(f"published, {PUBLISHED_EPOCHS} epochs of the GAN alone: {published:.0f} s")
    print(f"ratio: {published / training:.0f}")


def rounded(seconds):
    return ", ".join(f"{value:.2f}" for value in seconds)


def published_step_seconds(task, steps=5):
    """Median seconds of a GAN step of the published architecture, after a warm-up."""
    x, y = task.imbalanced
    some = np.concatenate([np.flatnonzero(y == c)[:64] for c in np.unique(y)])
    clock = StepTimes()
    kb.models.published_bagan(task.image_shape, task.num_classes, seed=0).fit(
        x[some],
        y[some],
        autoencoder_epochs=1,
        epochs=2,
        batch_size=128,
        callbacks=[clock],
        verbose=0,
    )
    return statistics.median(clock.seconds[-steps:])


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
