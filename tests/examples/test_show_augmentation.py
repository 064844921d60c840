"""The picture of what the layer does, and its errors."""

import importlib
import pathlib
import runpy
import sys

import numpy as np
import pytest
from matplotlib.image import imread, imsave

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
    x = np.arange(2 * 64, dtype="uint8").reshape(2, 8, 8, 1)
    rows = script.augmented_rows(kb.layers.ManualAugmentation(seed=0), x)
    assert rows.shape == (2, script.COLUMNS, 8, 8, 1)
    assert (rows[:, 0] == x).all()
    assert (rows[:, 1:] != rows[:, :1]).any(axis=(2, 3, 4)).all()


def save(path, side):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side + 9, 3), "uint8")
    imsave(path, pixels)


@pytest.mark.parametrize("layer", [[], ["--layer", "manual"]])
@pytest.mark.parametrize("folders", [True, False])
def test_a_folder_of_pictures_of_any_size(run, tmp_path, folders, layer):
    for place, name in enumerate(["cat", "dog"]):
        inner = tmp_path / "mine" / name if folders else tmp_path / "mine"
        save(inner / f"{name}.png", 20 + 5 * place)
    (tmp_path / "mine" / "notes.txt").write_text("no picture")
    arguments = ["--path", str(tmp_path / "mine"), "--size", "16", *layer]
    (picture,) = run(*arguments).iterdir()
    assert imread(picture)[..., :3].std(axis=-1).max() > 0.1  # in colours


def test_a_folder_without_pictures_and_digits_elsewhere(run, tmp_path):
    with pytest.raises(SystemExit, match=r"must hold pictures"):
        run("--path", str(tmp_path))
    with pytest.raises(SystemExit, match=r"scikit-learn: leave out `--path`"):
        run("--dataset", "digits", "--path", str(tmp_path))
    with pytest.raises(SystemExit, match=r"show_augmentation\.py: .*nowhere"):
        run("--path", str(tmp_path / "nowhere"))


def test_a_wrong_strength_is_one_line_that_names_it(run):
    with pytest.raises(SystemExit, match=r"show_augmentation\.py: .*elastic_factor=2"):
        run("--elastic", "2")
