"""Many cells, each kept as a file when it is finished: an interrupted run goes on."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import sys
import time

import keras

import keras_balance as kb
from study.arms import ARMS
from study.experiment import draw, load, run_cell
from study.files import read_json, write_json


def run_cells(data, draw_options, seeds, arms, folder, jobs=1):
    """Run every arm of every seed, but those whose file is there.

    Args:
        data: `(name, path)` of the data set.
        draw_options: Further arguments of `draw`.
        seeds: Sequence of integers.
        arms: Sequence of keys of `ARMS`.
        folder: Where the finished cells, and the generators, are kept.
        jobs: Processes that work side by side, a seed each.

    Returns:
        List of cells, arm by arm within each seed.
    """
    folder = pathlib.Path(folder)
    backend = keras.backend.backend()
    guard_options(folder, {"dataset": data[0], "backend": backend, **draw_options})
    progress = Progress(folder, [(seed, arm) for seed in seeds for arm in arms])
    work = [(data, draw_options, seed, arms, folder, progress) for seed in seeds]
    if jobs == 1:
        for arguments in work:
            run_seed(*arguments)
    else:
        os.environ |= side_by_side(folder)
        with concurrent.futures.ProcessPoolExecutor(
            jobs, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
        ) as pool:
            for finished in [pool.submit(run_seed, *arguments) for arguments in work]:
                finished.result()
    return [read_cell(folder, seed, arm) for seed in seeds for arm in arms]


def side_by_side(folder):
    """Environment of processes that train beside each other."""
    return {
        # One thread each: two trainings side by side waste less than one of two.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        # None takes a whole GPU, and what one has compiled is there for all.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def run_seed(data, draw_options, seed, arms, folder, progress):
    """Run the arms of one seed that are not finished."""
    missing = [arm for arm in arms if not cell_path(folder, seed, arm).exists()]
    if not missing:
        return
    task = draw(load(*data), seed, folder / "generators", **draw_options)
    for arm in missing:
        callbacks = [ProgressLine(f"seed {seed}, {arm}")]
        if seed == 0:
            pictures = folder / "generated" / file_name(arm)
            callbacks.append(kb.callbacks.GeneratedImages(pictures))
        cell = run_cell(task, arm, ARMS[arm], callbacks)
        write_json(cell_path(folder, seed, arm), cell)
        progress.tell(cell)
        keras.backend.clear_session()


def cell_path(folder, seed, arm):
    return folder / "cells" / f"seed{seed}-{file_name(arm)}.json"


def file_name(arm):
    return arm.replace(", ", "-").replace(" ", "-")


def read_cell(folder, seed, arm):
    return read_json(cell_path(folder, seed, arm))


def reports_of(cells):
    """Reports of the cells by arm, `{arm: [report of each seed]}`."""
    by_arm = {}
    for cell in cells:
        by_arm.setdefault(cell["arm"], []).append(cell["report"])
    return by_arm


def guard_options(folder, options):
    """Refuse a folder that holds the cells of another experiment."""
    path = folder / "options.json"
    if path.exists():
        there = read_json(path)
        if there != options:
            raise ValueError(
                f"{folder} must be empty or hold cells of the same options, {there}. "
                f"Received: {options}"
            )
    write_json(path, options)


class Progress:
    """One line a finished cell, with the time that is left."""

    def __init__(self, folder, cells):
        self.folder, self.cells = folder, cells
        self.start, self.finished_before = time.time(), self._finished()

    def tell(self, cell):
        finished = self._finished()
        here = max(finished - self.finished_before, 1)
        left = (time.time() - self.start) / here * (len(self.cells) - finished)
        line = f"[{finished}/{len(self.cells)}] seed {cell['seed']}, {cell['arm']}: "
        line += f"accuracy {cell['report']['accuracy']:.4f}, {cell['seconds']:.0f} s"
        print(f"\r{line}, {left / 60:.0f} min left{' ' * 30}", flush=True)

    def _finished(self):
        return sum(cell_path(self.folder, *cell).exists() for cell in self.cells)


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
