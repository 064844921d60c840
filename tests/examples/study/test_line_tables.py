"""Tables of rows that keep a line a cell."""

import json

from study.field_table import field_table
from study.line_tables import interval, tables_of
from study.regret_table import regret_table


def test_lines_become_a_table_for_each_rare_class(tmp_path):
    cells = [
        {"rare": rare, "draw": draw, "arm": arm, "f1_macro": 0.5 + draw / 10}
        for rare in ("ship", "cat")
        for draw in (0, 1)
        for arm in ("plain", "ours")
    ]
    path = tmp_path / "row.jsonl"
    path.write_text("".join(f"{json.dumps(cell)}\n" for cell in cells))
    text = tables_of(path)
    assert text.count("| plain | 55.0 [50.0, 60.0] |") == 2
    assert "ship, 2 draws:" in text
    assert "recall" not in text


def test_the_f1_of_every_class_is_told_where_it_is_known(tmp_path):
    path = tmp_path / "row.jsonl"
    cells = [
        {"data": "tiles", "draw": draw, "arm": "plain", "f1_macro": 0.5}
        | {"f1s": {"crack": 0.2 + draw / 100, "free": 0.8}}
        for draw in (0, 1)
    ]
    photograph = {"data": "cifar10", "rare": "cat", "draw": 0, "arm": "plain"}
    cells.append(photograph | {"f1_macro": 0.4, "recall": 0.07})
    path.write_text("".join(f"{json.dumps(cell)}\n" for cell in cells))
    tiles, photographs = tables_of(path).split("cifar10, cat, one draw:")
    assert "| arm | macro F1 | F1 of crack | F1 of free |" in tiles
    assert "| plain | 50.0 [50.0, 50.0] | 20.5 | 80.0 |" in tiles
    assert "| plain | 40.0 | 7.0 |" in photographs  # one draw has no interval


def test_the_interval_is_that_of_the_mean():
    mean, low, high = interval([0.0, 1.0] * 50)
    assert mean == 0.5
    assert 0.35 < low < 0.45 < 0.55 < high < 0.65


def test_regret_is_told_against_the_recipe_of_the_best_mean(tmp_path):
    scores = {
        "plain": (0.5, 0.6),
        "lucky once": (0.9, 0.5),
        "best": (0.8, 0.8),
        "balanced data": (0.9, 1.0),
        "AutoBalance": (0.8, 0.7),
    }
    cells = [
        {"data": "a task", "draw": draw, "arm": arm, "f1_macro": f1}
        | ({"choice": "best", "cost": 7.0 + draw} if arm == "AutoBalance" else {})
        for arm, values in scores.items()
        for draw, f1 in enumerate(values)
    ]
    cells[-1]["rules"] = "first"
    path = tmp_path / "regret.jsonl"
    path.write_text("".join(f"{json.dumps(cell)}\n" for cell in cells))
    row = regret_table(path).splitlines()[-1]
    assert row == (
        "| a task | 2 | 55.0 | 95.0 | 80.0 (best) | 75.0 | +5.0 | +10.0 | 50% "
        "| best (1), best* (1) | 7.5 |"
    )


def test_what_was_published_stands_above_ours(tmp_path):
    cells = [
        {"data": data, "draw": draw, "arm": "plain", "accuracy": 0.9, "f1_macro": f1}
        for draw, f1 in enumerate((0.8, 0.9))
        for data in ("MNIST", "CIFAR-10")
    ]
    cells.append(cells[0] | {"arm": "AutoBalance"})
    path = tmp_path / "deep_smote.jsonl"
    path.write_text("".join(f"{json.dumps(cell)}\n" for cell in cells))
    head, _, *rows = field_table(path).splitlines()
    assert head == "| accuracy / macro F1 | MNIST | CIFAR-10 |"
    assert rows == [
        "| SMOTE, published | 88.0 / 85.0 | 27.9 / 25.1 |",
        "| BAGAN, published | 93.1 / 92.8 | 43.4 / 40.3 |",
        "| DeepSMOTE, published | 96.1 / 96.0 | 45.4 / 43.4 |",
        "| plain | 90.0 [90.0, 90.0] / 85.0 (2 draws) "
        "| 90.0 [90.0, 90.0] / 85.0 (2 draws) |",
        "| AutoBalance | 90.0 / 80.0 (one draw) |  |",
    ]
