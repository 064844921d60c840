"""A row of the study that grows from what is kept."""

import importlib
import json
import pathlib

import keras
import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("study")


def cell(seed, arm, told="new"):
    return {"seed": seed, "arm": arm, "told": told}


@pytest.mark.parametrize("unfinished", [False, True])
def test_finished_cells_are_taken_and_none_is_overwritten(study, tmp_path, unfinished):
    cells = [cell(0, "manual", "old"), cell(1, "manual, all classes", "old")]
    kept = {"backend": keras.backend.backend(), "cells": cells}
    if unfinished:
        kept |= {"cells": cells[:1], "unfinished": cells[1:]}
    results = tmp_path / "row.json"
    results.write_text(json.dumps(kept), encoding="utf-8")
    there = study.cell_path(tmp_path, 0, "manual")
    there.parent.mkdir()
    there.write_text(json.dumps(cell(0, "manual")), encoding="utf-8")
    study.take_finished(results, tmp_path)
    assert json.loads(there.read_text())["told"] == "new"
    taken = study.cell_path(tmp_path, 1, "manual, all classes")
    assert json.loads(taken.read_text()) == cells[1]


def test_cells_of_another_backend_are_not_taken(study, tmp_path):
    results = tmp_path / "row.json"
    results.write_text(json.dumps({"backend": "numpy", "cells": []}), encoding="utf-8")
    with pytest.raises(SystemExit, match="KERAS_BACKEND="):
        study.take_finished(results, tmp_path)


def test_without_results_there_is_nothing_to_take(study, tmp_path):
    study.take_finished(tmp_path / "row.json", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_arm_is_refused(study, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study.py", "--arms", "manuel"])
    with pytest.raises(SystemExit):
        study.main()
    assert "invalid choice: 'manuel'" in capsys.readouterr().err


def test_a_row_keeps_whole_arms_and_apart_from_them_all_other_cells(
    study, tmp_path, monkeypatch
):
    output = tmp_path / "rare-0"
    for seed, arm in [(0, "balanced"), (1, "balanced"), (0, "auto"), (2, "manual")]:
        path = study.cell_path(output, seed, arm)
        study.write_whole(path, json.dumps(cell(seed, arm)))
    asked_for = []

    def run(command, check):
        asked_for.extend(command)
        cells = [cell(seed, arm) for arm in ("balanced", "manual") for seed in (0, 1)]
        for new in cells:
            path = study.cell_path(output, new["seed"], new["arm"])
            study.write_whole(path, json.dumps(new))
        results = json.dumps({"cells": cells})
        study.write_whole(output / "results.json", results)

    monkeypatch.setattr(study.subprocess, "run", run)
    monkeypatch.setattr(study, "RESULTS", tmp_path / "results")
    options = ["study.py", "--work", str(tmp_path), "--rows", "rare-0"]
    options += ["--seeds", "2", "--arms", "manual"]
    monkeypatch.setattr("sys.argv", options)
    study.main()
    first = asked_for.index("--arms") + 1
    assert asked_for[first : first + 3] == ["balanced", "manual", "--jobs"]
    results = json.loads((tmp_path / "results" / "rare-0.json").read_text())
    assert len(results["cells"]) == 4
    assert results["unfinished"] == [cell(0, "auto"), cell(2, "manual")]


@pytest.mark.parametrize("large", ["mnist", "emnist"])
def test_the_large_rows_take_the_data_set_that_is_asked_for(
    study, tmp_path, monkeypatch, large
):
    asked_for = []

    def run(command, check):
        asked_for.extend(command)
        study.write_whole(tmp_path / "largest" / "results.json", '{"cells": []}')

    monkeypatch.setattr(study.subprocess, "run", run)
    monkeypatch.setattr(study, "RESULTS", tmp_path / "results")
    options = ["study.py", "--work", str(tmp_path), "--rows", "largest"]
    options += ["--large", large, "--mnist", "here", "--emnist", "there"]
    monkeypatch.setattr("sys.argv", options)
    study.main()
    assert asked_for[asked_for.index("--dataset") + 1] == large
    path = asked_for[asked_for.index("--path") + 1]
    assert path == {"mnist": "here", "emnist": "there"}[large]


def test_fresh_draws_are_none_of_the_others(study):
    for digit in "08":
        rows = [study.ROWS[f"{kind}-{digit}"] for kind in ("rare", "fresh")]
        (_, arms, seeds, draw), (_, fresh_arms, fresh_seeds, fresh_draw) = rows
        assert not set(seeds) & set(fresh_seeds)
        assert (arms, draw) == (fresh_arms, fresh_draw)
