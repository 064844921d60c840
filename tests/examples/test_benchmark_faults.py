import importlib
import os
import pathlib
import subprocess
import sys

import keras
import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_small_form_gets_full_marks():
    arguments = ["--kills", "2", "--files", "16", "--arguments", "25", "--no-memory"]
    command = [sys.executable, "examples/benchmark_faults.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    for line in (
        "kills in training: 2 / 2",
        "corrupted files: 16 / 16",
        "bad arguments: 25 / 25",
        "hostile model files: 5 / 5",
        "data as they come: 7 / 7",
    ):
        assert line in run.stdout, run.stdout + run.stderr
    assert run.returncode == 0


def test_nothing_is_made_before_the_run_forks():
    """A forked process has none of the threads that the first variable starts."""
    kinds = importlib.import_module("fault_arguments").ANYTHING_BUT
    values = [value for kind in kinds.values() for value in kind]
    assert len(values) > 50
    assert not any(isinstance(value, keras.Layer) for value in values)
