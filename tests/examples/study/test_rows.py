"""A row of the study that grows from what is kept."""

import json

import keras
import pytest

import run_study
from study import rows
from study.cells import cell_path
from study.files import read_json, write_json, write_results


def cell(seed, arm, told="new"):
    return {"seed": seed, "arm": arm, "told": told}


@pytest.mark.parametrize("unfinished", [False, True])
def test_finished_cells_are_taken_and_none_is_overwritten(tmp_path, unfinished):
    cells = [cell(0, "manual", "old"), cell(1, "manual, all classes", "old")]
    kept = {"backend": keras.backend.backend(), "cells": cells}
    if unfinished:
        kept |= {"cells": cells[:1], "unfinished": cells[1:]}
    results = tmp_path / "row.json"
    results.write_text(json.dumps(kept), encoding="utf-8")
    there = cell_path(tmp_path, 0, "manual")
    there.parent.mkdir()
    there.write_text(json.dumps(cell(0, "manual")), encoding="utf-8")
    rows.take_finished(results, tmp_path)
    assert json.loads(there.read_text())["told"] == "new"
    taken = cell_path(tmp_path, 1, "manual, all classes")
    assert json.loads(taken.read_text()) == cells[1]


def test_cells_of_another_backend_are_not_taken(tmp_path):
    results = tmp_path / "row.json"
    results.write_text(json.dumps({"backend": "numpy", "cells": []}), encoding="utf-8")
    with pytest.raises(ValueError, match="KERAS_BACKEND="):
        rows.take_finished(results, tmp_path)


def test_without_results_there_is_nothing_to_take(tmp_path):
    rows.take_finished(tmp_path / "row.json", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_are_a_line_a_cell(tmp_path):
    cells = [{**cell(0, arm), "report": {"7": {"recall": 0.5}}} for arm in "ab"]
    results = {"backend": "numpy", "cells": cells, "steps": 3}
    write_results(tmp_path / "row.json", results)
    assert read_json(tmp_path / "row.json") == results
    assert len((tmp_path / "row.json").read_text().splitlines()) == 2 + len(cells)


def test_an_unknown_arm_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run_study.py", "--arms", "manuel"])
    with pytest.raises(SystemExit):
        run_study.main()
    assert "invalid choice: 'manuel'" in capsys.readouterr().err


def test_a_row_keeps_whole_arms_and_apart_from_them_all_other_cells(
    tmp_path, monkeypatch
):
    output = tmp_path / "rare-0"
    for seed, arm in [(0, "balanced"), (1, "balanced"), (0, "auto"), (2, "manual")]:
        path = cell_path(output, seed, arm)
        write_json(path, cell(seed, arm))
    asked_for = []

    def run(command, check):
        asked_for.extend(command)
        cells = [cell(seed, arm) for arm in ("balanced", "manual") for seed in (0, 1)]
        for new in cells:
            path = cell_path(output, new["seed"], new["arm"])
            write_json(path, new)
        write_json(output / "results.json", {"cells": cells})

    monkeypatch.setattr(rows.subprocess, "run", run)
    monkeypatch.setattr(rows, "RESULTS", tmp_path / "results")
    options = ["run_study.py", "--work", str(tmp_path), "--rows", "rare-0"]
    options += ["--seeds", "2", "--arms", "manual"]
    monkeypatch.setattr("sys.argv", options)
    run_study.main()
    first = asked_for.index("--arms") + 1
    assert asked_for[first : first + 3] == ["balanced", "manual", "--jobs"]
    results = json.loads((tmp_path / "results" / "rare-0.json").read_text())
    assert len(results["cells"]) == 4
    assert results["unfinished"] == [cell(0, "auto"), cell(2, "manual")]


@pytest.mark.parametrize("large", ["mnist", "emnist"])
def test_the_large_rows_take_the_data_set_that_is_asked_for(
    tmp_path, monkeypatch, large
):
    asked_for = []

    def run(command, check):
        asked_for.extend(command)
        write_json(tmp_path / "largest" / "results.json", {"cells": []})

    monkeypatch.setattr(rows.subprocess, "run", run)
    monkeypatch.setattr(rows, "RESULTS", tmp_path / "results")
    options = ["run_study.py", "--work", str(tmp_path), "--rows", "largest"]
    options += ["--large", large, "--mnist", "here", "--emnist", "there"]
    monkeypatch.setattr("sys.argv", options)
    run_study.main()
    assert asked_for[asked_for.index("--dataset") + 1] == large
    path = asked_for[asked_for.index("--path") + 1]
    assert path == {"mnist": "here", "emnist": "there"}[large]


def test_fresh_draws_are_none_of_the_others():
    for digit in "08":
        pair = [rows.ROWS[f"{kind}-{digit}"] for kind in ("rare", "fresh")]
        (_, arms, seeds, draw), (_, fresh_arms, fresh_seeds, fresh_draw) = pair
        assert not set(seeds) & set(fresh_seeds)
        assert (arms, draw) == (fresh_arms, fresh_draw)
