"""DeepSMOTE's table: its counts, and the arms of a draw."""

import numpy as np
import pytest

import keras_balance as kb
from small_data import class_images
from small_models import small_convnet
from study import deep_smote, regret
from study.lines import Lines

pytestmark = pytest.mark.usefixtures("eager")


def test_a_draw_has_the_counts_and_the_whole_test_set():
    data = class_images((30, 30, 30)), class_images((5, 5, 5))
    task = deep_smote.cut(data, (20, 10, 4), seed=0)
    assert np.bincount(task.imbalanced[1]).tolist() == [20, 10, 4]
    assert len(task.test[1]) == 15
    again, other = (deep_smote.cut(data, (20, 10, 4), seed) for seed in (0, 1))
    np.testing.assert_array_equal(task.imbalanced[0], again.imbalanced[0])
    assert (task.imbalanced[0] != other.imbalanced[0]).any()


def test_what_is_not_balanced_is_told_with_its_decision(tmp_path, monkeypatch):
    monkeypatch.setattr(kb.models, "convnet", small_convnet)
    arms = {name: kb.tuners.RECIPES[name] for name in ("plain", "repeat")}
    monkeypatch.setattr(deep_smote, "ARMS", {"two": arms})
    monkeypatch.setattr(deep_smote, "BATCH_SIZE", 8)
    task = deep_smote.cut([class_images((20, 20)), class_images((5, 5))], (20, 4), 0)
    pictures = regret.Pictures(task, tmp_path, batch_size=8, epochs=1)
    cells = Lines(tmp_path / "lines.jsonl", ["data", "draw", "arm"])
    deep_smote.measure(cells, "two", pictures, auto=False)
    found = [cell["arm"] for cell in cells.cells]
    assert found == ["plain, tau 1", "plain, last layer anew", "plain", "repeat"]
    monkeypatch.setattr(regret, "made_by", None)  # as would be called by another cell
    deep_smote.measure(cells, "two", pictures, auto=False)
