"""README and results say the same."""

import importlib
import json
import pathlib
import re

import numpy as np
import pytest

from keras_balance.layers.manual_augmentation import ELASTIC

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def write_readme(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    return importlib.import_module("write_readme")


READMES = [ROOT / "README.md", ROOT / "examples" / "results" / "README.md"]


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_holds_what_the_results_say(write_readme, readme):
    text = readme.read_text(encoding="utf-8")
    assert write_readme.BLOCK.search(text), "the README has no table of results"
    assert write_readme.filled(readme) == text


def test_every_row_has_its_table_and_every_picture_is_there(write_readme):
    told = set()
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        told |= {row for _, row, _ in write_readme.BLOCK.findall(text)}
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
            assert (readme.parent / picture).exists()
    assert told == {*write_readme.finished_rows(), "summary"}


@pytest.mark.parametrize("readme", READMES)
def test_another_figure_is_another_readme(write_readme, monkeypatch, readme):
    read_row = write_readme.read_row

    def changed(row):
        results = read_row(row)
        results["cells"][0]["report"]["macro avg"]["f1-score"] -= 0.1
        return results

    monkeypatch.setattr(write_readme, "read_row", changed)
    assert write_readme.filled(readme) != readme.read_text(encoding="utf-8")


def test_seconds_on_a_gpu_that_many_share_are_not_told(write_readme):
    results = write_readme.read_row("rare-9")
    for device, told in (("cpu", True), ("gpu", False)):
        for cell in results["cells"]:
            cell["device"] = device
        assert ("CPU s" in write_readme.table(results)) is told
        assert ("on a GPU" in write_readme.caption(results)) is not told


def test_what_ran_beside_a_gpu_is_told(write_readme):
    results = write_readme.read_row("rare-9")
    for cell in results["cells"]:
        cell["device"] = "cpu" if cell["arm"] == "manual" else "gpu"
    assert "on a GPU, `manual` on a CPU, Keras" in write_readme.caption(results)


def test_one_draw_stands_beside_the_paper_without_an_interval(
    write_readme, monkeypatch
):
    results = write_readme.read_row("rare-0")
    results["options"] |= {"seeds": 1, "test_per_class": 40}
    results["cells"] = [
        cell
        for cell in results["cells"]
        if cell["seed"] == 0 and cell["arm"] == "manual"
    ]
    zero = results["cells"][0]["report"]["0"]
    zero |= {"precision": 0.5, "recall": 0.25, "f1-score": 0.125}
    results["cells"][0]["report"]["accuracy"] = 0.75
    monkeypatch.setattr(write_readme, "read_row", lambda row: results)
    text = write_readme.block("paper", ".")
    assert "one draw" in text
    line = "| manual | 94.25 | 75 | 95 | 50 | 97 | 25 | 96 | 12.5 |"
    assert line in text


def test_what_was_chosen_is_counted(write_readme):
    cells = [{"arm": "auto", "choice": name} for name in ("manual", "bagan", "manual")]
    others = [{"arm": "bagan", "choice": None}]
    again = [{"arm": "auto, no elastic", "choice": "bagan"}]
    text = write_readme.choices({"cells": cells + others + again})
    assert [line.partition("draws: ")[2] for line in text.split("\n\n")] == [
        "manual (2), bagan (1).",
        "bagan (1).",
    ]
    assert write_readme.choices({"cells": others}) is None


def test_no_two_rows_have_the_same_title(write_readme):
    rows = [write_readme.read_row(row) for row in write_readme.finished_rows()]
    titles = [
        write_readme.title_of(row) for row in rows if not write_readme.is_as_paper(row)
    ]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("arm", ["manual", "bagan+manual"])
def test_what_was_chosen_is_set_against_the_best_single_choice(write_readme, arm):
    results = write_readme.read_row("rare-8")
    single = [c for c in results["cells"] if c["arm"] in ("imbalanced", "manual", arm)]
    auto = [cell | {"arm": "auto"} for cell in single if cell["arm"] == arm]
    _, mean, over, best, behind, error = write_readme.chosen(
        results | {"cells": single + auto}, "auto"
    )
    assert best == arm
    assert (behind, error) == ("+0.00", "0.00")
    assert float(over.split()[0]) > 0
    values = write_readme.macro_f1(results)[arm]
    assert mean == f"{100 * values.mean():.1f}"


def test_the_layer_of_the_arms_is_the_one_that_has_a_name(write_readme):
    arms = importlib.import_module("arms")
    assert arms.ELASTIC == ELASTIC


def test_every_row_was_run_by_the_study(write_readme, monkeypatch):
    study = importlib.import_module("study")
    for path in sorted((ROOT / "examples" / "results").glob("*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        dataset, arms, _, _ = study.ROWS[path.stem]
        assert results["options"]["dataset"] == dataset or dataset is None
        assert set(results["options"]["arms"]) <= set(arms)
        seeds, of = results["options"]["seeds"], results["options"]["arms"]
        assert len(results["cells"]) == seeds * len(of)


def test_a_gap_within_its_noise_is_not_shared_out(write_readme):
    values = {
        "imbalanced": np.array([0.80, 0.82, 0.81]),
        "balanced": np.array([0.90, 0.91, 0.92]),
        "manual": np.array([0.85, 0.87, 0.86]),
    }
    assert write_readme.gap_closed(values, "manual") == "50%"
    for balanced in ([0.79, 0.83, 0.82], [0.70, 0.72, 0.71]):
        values["balanced"] = np.array(balanced)
        assert write_readme.gap_closed(values, "manual") == "no gap"
