"""Tables of rows that keep a line a cell."""

import json

from study.line_tables import interval, tables_of


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


def test_columns_in_percent_are_the_same(tmp_path):
    path = tmp_path / "row.json"
    columns = ["data", "rare", "draw", "arm", "f1_macro", "recall_rare"]
    rows = [["tiles", "", 0, "plain", 50.0], ["cifar10", "cat", 0, "plain", 40.0, 7.0]]
    path.write_text(json.dumps({"columns": columns, "rows": rows}))
    text = tables_of(path)
    assert "| plain | 50.0 [50.0, 50.0] |" in text
    assert "| plain | 40.0 [40.0, 40.0] | 7.0 [7.0, 7.0] |" in text


def test_the_interval_is_that_of_the_mean():
    mean, low, high = interval([0.0, 1.0] * 50)
    assert mean == 0.5
    assert 0.35 < low < 0.45 < 0.55 < high < 0.65
