"""README and results say the same."""

import json
import re

import numpy as np
import pytest

from keras_balance.layers.manual_augmentation import ELASTIC
from study import arms, readme, summary, tables
from study.readme import PAGES
from study.rows import RESULTS, ROWS

OF_SEVERAL = ("summary", "generators", "advice", "picture")
SECOND_TABLES = ("heads-recommended",)
WITH_BLOCKS = [
    page for page in PAGES if readme.BLOCK.search(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("path", WITH_BLOCKS)
def test_the_readme_holds_what_the_results_say(path):
    text = path.read_text(encoding="utf-8")
    assert readme.filled(path) == text


def test_every_row_has_its_table_and_every_picture_is_there():
    told = set()
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        told |= {row for _, row, _ in readme.BLOCK.findall(text)}
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
            assert (path.parent / picture).exists()
    assert told == {
        *readme.finished_rows(),
        *readme.line_rows(),
        *OF_SEVERAL,
        *SECOND_TABLES,
    }


def has_rows(page):
    names = {name for _, name, _ in readme.BLOCK.findall(page.read_text("utf-8"))}
    # Which test_line_tables.py has, and test_heads.py.
    return bool(names - {*readme.line_rows(), *SECOND_TABLES})


@pytest.mark.parametrize("path", [*filter(has_rows, WITH_BLOCKS)])
def test_another_figure_is_another_readme(monkeypatch, path):
    read_row = readme.read_row

    def changed(row):
        results = read_row(row)
        for cell in results["cells"]:
            cell["report"]["macro avg"]["f1-score"] -= 0.1
            cell["report"]["accuracy"] -= 0.1
        return results

    monkeypatch.setattr(readme, "read_row", changed)
    assert readme.filled(path) != path.read_text(encoding="utf-8")


def test_seconds_on_a_gpu_that_many_share_are_not_told():
    results = readme.read_row("rare-9")
    for device, told in (("cpu", True), ("gpu", False)):
        for cell in results["cells"]:
            cell["device"] = device
        assert ("CPU s" in tables.table(results)) is told
        assert ("on a GPU" in tables.caption(results)) is not told


def test_what_ran_beside_a_gpu_is_told():
    results = readme.read_row("rare-9")
    for cell in results["cells"]:
        cell["device"] = "cpu" if cell["arm"] == "manual" else "gpu"
    assert "on a GPU, `manual` on a CPU, Keras" in tables.caption(results)


def test_one_draw_stands_beside_the_paper_without_an_interval(monkeypatch):
    results = readme.read_row("rare-0")
    results["options"] |= {"seeds": 1, "test_per_class": 40}
    results["cells"] = [
        cell
        for cell in results["cells"]
        if cell["seed"] == 0 and cell["arm"] == "manual"
    ]
    zero = results["cells"][0]["report"]["0"]
    zero |= {"precision": 0.5, "recall": 0.25, "f1-score": 0.125}
    results["cells"][0]["report"]["accuracy"] = 0.75
    monkeypatch.setattr(readme, "read_row", lambda row: results)
    text = readme.block("paper", ".")
    assert "one draw" in text
    line = "| manual | 94.25 | 75 | 95 | 50 | 97 | 25 | 96 | 12.5 |"
    assert line in text


def test_what_was_chosen_is_counted():
    cells = [{"arm": "auto", "choice": name} for name in ("manual", "bagan", "manual")]
    others = [{"arm": "bagan", "choice": None}]
    again = [{"arm": "auto, no elastic", "choice": "bagan"}]
    text = tables.choices({"cells": cells + others + again})
    assert [line.partition("draws: ")[2] for line in text.split("\n\n")] == [
        "manual (2), bagan (1).",
        "bagan (1).",
    ]
    assert tables.choices({"cells": others}) is None


def test_no_two_rows_have_the_same_title():
    rows = [readme.read_row(row) for row in readme.finished_rows()]
    titles = [tables.title_of(row) for row in rows if not tables.is_as_paper(row)]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("arm", ["manual", "bagan+manual"])
def test_what_was_chosen_is_set_against_the_best_single_choice(arm):
    results = readme.read_row("rare-8")
    single = [c for c in results["cells"] if c["arm"] in ("imbalanced", "manual", arm)]
    auto = [cell | {"arm": "auto"} for cell in single if cell["arm"] == arm]
    _, mean, over, best, behind, error = summary.chosen(
        results | {"cells": single + auto}, "auto"
    )
    assert best == arm
    assert (behind, error) == ("+0.00", "0.00")
    assert float(over.split()[0]) > 0
    values = tables.macro_f1(results)[arm]
    assert mean == f"{100 * values.mean():.1f}"


def test_the_layer_of_the_arms_is_the_one_that_has_a_name():
    assert arms.ELASTIC == ELASTIC


def test_every_row_was_run_by_the_study():
    for path in sorted(RESULTS.glob("*.json")):
        if path.stem in readme.line_rows():
            continue  # which has a script of its own
        results = json.loads(path.read_text(encoding="utf-8"))
        dataset, known, _, _ = ROWS[path.stem]
        assert results["options"]["dataset"] == dataset or dataset is None
        assert set(results["options"]["arms"]) <= set(known)
        seeds, of = results["options"]["seeds"], results["options"]["arms"]
        assert len(results["cells"]) == seeds * len(of)


def test_a_gap_within_its_noise_is_not_shared_out():
    values = {
        "imbalanced": np.array([0.80, 0.82, 0.81]),
        "balanced": np.array([0.90, 0.91, 0.92]),
        "manual": np.array([0.85, 0.87, 0.86]),
    }
    assert tables.gap_closed(values, "manual") == "50%"
    for balanced in ([0.79, 0.83, 0.82], [0.70, 0.72, 0.71]):
        values["balanced"] = np.array(balanced)
        assert tables.gap_closed(values, "manual") == "no gap"
