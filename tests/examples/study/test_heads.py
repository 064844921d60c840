"""Each training scored four ways, once."""

import pathlib

import numpy as np
import pytest

import keras_balance as kb
from small_data import class_images
from small_models import small_convnet
from study import head_tables, heads
from study.experiment import Task
from study.fillings import Row
from study.lines import Lines

pytestmark = pytest.mark.usefixtures("eager")


def test_each_training_is_scored_by_each_decision(tmp_path, monkeypatch):
    monkeypatch.setattr(kb.models, "convnet", small_convnet)
    balanced, few, test = (class_images((20, n), seed=n) for n in (20, 4, 10))
    task = Task(balanced, few, test, (1,), 0, 0, pathlib.Path())
    cells = Lines(tmp_path / "lines.jsonl", ["data", "draw", "arm"])
    row = Row("two", {"minority": 1}, "shift", steps=5, batch_size=8)
    monkeypatch.setitem(heads.ROWS, "two pictures", row)
    heads.measure(cells, "two pictures", row, task, heads.TRAININGS)
    arms = [cell["arm"] for cell in cells.cells]
    assert len(arms) == len(set(arms)) == 6 * 4
    found = {cell["arm"]: cell["f1_macro"] for cell in cells.cells}
    assert found["plain, head, tau 1"] >= found["plain"]
    assert found["balanced"] == found["balanced, tau 1"]  # nothing to take out
    took = {cell["arm"] for cell in cells.cells if "processor_seconds" in cell}
    assert took == {heads.arm_of(training, row) for training in heads.TRAININGS}
    # What is looked for comes last: a run that is stopped before writes all of it.
    assert [arm.endswith((", tau 1", ", head")) for arm in arms[:4]] == [True] * 3 + [
        False
    ]
    monkeypatch.setattr(heads, "train_by", None)  # as would be called by another
    heads.measure(cells, "two pictures", row, task, heads.TRAININGS)
    assert head_tables.heads_table(cells.cells).count("two pictures") == 1


def test_the_table_tells_means_and_gains():
    cells = [
        {
            "data": "clothes, boot",
            "draw": draw,
            "arm": arm + way,
            "f1_macro": f1,
            "f1": f1 / 2,
        }
        for arm in ("balanced", "plain", "repeat, shift", "root, shift, loss 0.5")
        for way, f1 in (("", 0.5), (", tau 1", 0.6), (", head, tau 1", 0.8))
        for draw in (0, 1)
    ]
    text = head_tables.heads_table(cells)
    # Where a training was not run, nothing is told.
    assert (
        "| clothes, boot | 2 | as trained | 50.0 / 25.0 |  | 50.0 / 25.0 |  |" in text
    )
    assert "| gained by the last layer | +20.0 / +10.0 |  |" in text
    assert np.char.count(text, "| last layer anew, tau 1 | 80.0 / 40.0 |") == 1


def test_of_draws_that_lack_a_training_the_table_tells_nothing():
    names = [arm + way for arm in ("plain", "repeat, shift") for way in heads.WAYS]
    cells = [
        {"data": "clothes, boot", "draw": draw, "arm": arm, "f1_macro": f1, "f1": f1}
        for draw, f1 in ((0, 0.5), (1, 0.7))
        for arm in names
        if draw == 0 or arm.startswith("repeat")
    ]
    assert "| clothes, boot | 1 | as trained |" in head_tables.heads_table(cells)
    cells += [{**cells[-1], "arm": "repeat, shift, head, tau 1", "f1_macro": 0.6}]
    row = head_tables.recommended_table(cells).splitlines()[-1]
    assert row.startswith("| clothes, boot | 2 | 60.0 / 60.0 | 55.0 / 60.0 | -5.0 [")
    assert row.endswith("| +0.0 [+0.0, +0.0] | 1 |")
