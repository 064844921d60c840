"""What fills the rare class: every arm of a draw, once."""

import pathlib
from typing import ClassVar

import numpy as np
import pytest

import keras_balance as kb
from small_data import class_images
from small_models import small_convnet
from study import fillings
from study.experiment import Task
from study.lines import Lines

pytestmark = pytest.mark.usefixtures("eager")


class Generator:
    """Draws grey images."""

    fitted: ClassVar = []

    def __init__(self, image_shape, num_classes, seed):
        self.image_shape = image_shape

    def fit(self, x, y, verbose):
        self.fitted.append(len(y))

    def generate(self, labels, seed=None):
        return np.full((len(labels), *self.image_shape), 128, "uint8")


@pytest.fixture
def draw(tmp_path, monkeypatch):
    monkeypatch.setattr(kb.models, "convnet", small_convnet)
    monkeypatch.setattr(fillings, "GENERATORS", {"grey": Generator})
    monkeypatch.setattr(Generator, "fitted", [])
    balanced, few, test = (class_images((20, n), seed=n) for n in (20, 4, 10))
    task = Task(balanced, few, test, (1,), 0, 0, pathlib.Path())
    cells = Lines(tmp_path / "lines.jsonl", ["data", "draw", "arm"])
    row = fillings.Row("two", {"minority": 1}, "shift", steps=5, batch_size=8)
    return fillings.Draw(cells, "two pictures", row, task)


def test_every_arm_of_a_draw_is_a_cell_and_none_is_run_twice(draw, monkeypatch):
    draw.measure(["grey"])
    assert [cell["arm"] for cell in draw.cells.cells] == [
        "balanced",
        "plain, tau 1",
        "plain",
        "repeat",
        "repeat, shift, loss and decision",
        "repeat, shift, loss",
        "grey",
        "grey, shift, loss and decision",
        "grey, shift, loss",
    ]
    assert Generator.fitted == [24]  # once, on the imbalanced images
    recall = {cell["arm"]: cell["recall"] for cell in draw.cells.cells}
    assert recall["plain, tau 1"] > recall["plain"]
    monkeypatch.setattr(fillings, "train_by", None)  # as would be called by another
    draw.measure(["grey"])
