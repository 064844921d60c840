"""The main job in a small form, and its errors."""

import contextlib
import functools
import io
import json
import os
import pathlib
import runpy
import sys
from unittest import mock

import pytest

from study.cells import side_by_side

pytestmark = pytest.mark.usefixtures("eager")

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
FEW = ("--per-class", "20", "--keep", "0.1", "--epochs", "1")


def run_script(folder, *arguments):
    """Run it; the folder of its results and what it printed."""
    argv = ["reproduce_table.py", *arguments, "--output", str(folder)]
    printed = io.StringIO()
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(printed):
        runpy.run_path(str(EXAMPLES / "reproduce_table.py"), run_name="__main__")
    return folder, printed.getvalue()


@pytest.fixture
def run(tmp_path):
    return functools.partial(run_script, tmp_path / "results")


@pytest.fixture(scope="module")
def went_on(tmp_path_factory):
    """A run of one arm, then one of two in the same folder."""
    folder = tmp_path_factory.mktemp("results")
    run_script(folder, *FEW, "--arms", "imbalanced")
    return run_script(folder, *FEW, "--arms", "imbalanced", "manual")


def test_prints_the_arms_and_writes_tables_and_pictures(went_on):
    folder, printed = went_on
    for text in ("[2/2] seed 0, manual", "macro F1", "0 recall", "9 precision"):
        assert text in printed
    cells = json.loads((folder / "results.json").read_text())["cells"]
    assert [cell["arm"] for cell in cells] == ["imbalanced", "manual"]
    assert [cell["synthetic_images"] for cell in cells] == [0, 18]
    written = {path.name for path in folder.iterdir()}
    assert {"table.md", "f1.png", "confusion_manual.png"} <= written


def test_an_interrupted_run_goes_on_where_it_stopped(went_on):
    assert "seed 0, imbalanced:" not in went_on[1]


def test_cells_of_other_options_are_not_taken_for_these(went_on):
    with pytest.raises(SystemExit, match="cells of the same options"):
        run_script(went_on[0], *FEW, "--minority", "3", "--arms", "imbalanced")


@pytest.mark.slow
def test_seeds_run_side_by_side_on_one_thread_each(run, monkeypatch):
    names = side_by_side(EXAMPLES)
    for name in names:
        monkeypatch.setenv(name, "")  # so that the environment is as before at the end
    folder, _ = run(*FEW, "--arms", "imbalanced", "--seeds", "2", "--jobs", "2")
    cells = json.loads((folder / "results.json").read_text())["cells"]
    assert [cell["seed"] for cell in cells] == [0, 1]
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "1"
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == str(folder / "compiled")


def test_a_long_tail_of_a_later_draw_and_a_small_test_set(run):
    draw = ("--tail", "5", "--first-seed", "2", "--test-per-class", "5")
    folder, printed = run(*FEW, *draw, "--epochs", "3", "--arms", "oversampling")
    results = json.loads((folder / "results.json").read_text())
    assert results["rare"] == [7, 8, 9]
    assert results["steps"] == 3 * 2
    (cell,) = results["cells"]
    assert cell["synthetic_images"] == 200 - 111
    assert cell["seed"] == 2
    assert cell["device"] in ("cpu", "gpu")
    assert [sum(row) for row in cell["confusion_matrix"]] == [5] * 10
    assert "9 recall" in printed


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--minority", "12"], "12"),
        (["--keep", "1.5"], "1.5"),
        (["--per-class", "100000"], "100000"),
        (["--dataset", "mnist", "--path", "no/such/folder"], "no/such/folder"),
        (["--arms", "magic"], "magic"),
        (["--seeds", "0"], "--seeds 0"),
        (["--epochs", "0"], "--epochs 0"),
        (["--tail", "0"], "--tail 0"),
        (["--first-seed", "-1"], "--first-seed -1"),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_it(run, capsys, arguments, text):
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    # argparse prints its line and stops with 2; the others are the exit's text.
    printed = capsys.readouterr().err + str(stop.value.code)
    assert text in printed
    assert "Traceback" not in printed
