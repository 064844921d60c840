"""A row of the study that grows from what is kept."""

import importlib
import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("study")


def test_finished_cells_are_taken_and_none_is_overwritten(study, tmp_path):
    def cell(seed, arm, told):
        return {"seed": seed, "arm": arm, "told": told}

    cells = [cell(0, "manual", "old"), cell(1, "manual, all classes", "old")]
    results = tmp_path / "row.json"
    results.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    there = study.cell_path(tmp_path, 0, "manual")
    there.parent.mkdir()
    there.write_text(json.dumps(cell(0, "manual", "new")), encoding="utf-8")
    study.take_finished(results, tmp_path)
    assert json.loads(there.read_text())["told"] == "new"
    taken = study.cell_path(tmp_path, 1, "manual, all classes")
    assert json.loads(taken.read_text()) == cells[1]


def test_without_results_there_is_nothing_to_take(study, tmp_path):
    study.take_finished(tmp_path / "row.json", tmp_path)
    assert list(tmp_path.iterdir()) == []
