"""The picture of what the layer does, and its errors."""

import importlib
import pathlib
import runpy
import sys

import numpy as np
import pytest

import keras_balance as kb

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(*arguments):
        output = ["--output", str(tmp_path / "pictures" / "digits.png")]
        monkeypatch.setattr(sys, "argv", ["show_augmentation.py", *arguments, *output])
        runpy.run_path(str(EXAMPLES / "show_augmentation.py"), run_name="__main__")
        return tmp_path / "pictures"

    return run


def test_draws_every_class_and_leaves_nothing_else(run):
    assert [path.name for path in run().iterdir()] == ["digits.png"]


def test_the_real_image_comes_first():
    script = importlib.import_module("show_augmentation")
    x, y = np.arange(4 * 64, dtype="uint8").reshape(4, 8, 8, 1), np.array([1, 0, 1, 0])
    rows = script.augmented_rows(kb.layers.ManualAugmentation(seed=0), x, y)
    assert rows.shape == (2, script.COLUMNS, 8, 8, 1)
    assert (rows[:, 0] == x[[1, 0]]).all()
    assert (rows[:, 1:] != rows[:, :1]).any(axis=(2, 3, 4)).all()


def test_a_wrong_strength_is_one_line_that_names_it(run):
    with pytest.raises(SystemExit, match=r"show_augmentation\.py: .*elastic_factor=2"):
        run("--elastic", "2")
