"""Lines of finished cells."""

import pytest

from study.lines import Lines

pytestmark = pytest.mark.once


def test_a_line_that_was_cut_off_is_made_anew(tmp_path):
    path = tmp_path / "lines.jsonl"
    lines = Lines(path, ["arm"])
    for arm in ("plain", "repeat"):
        lines.add({"arm": arm, "f1": 0.5})
    path.write_text(path.read_text()[:-5])
    again = Lines(path, ["arm"])
    assert [cell["arm"] for cell in again.cells] == ["plain"]
    again.add({"arm": "repeat", "f1": 0.5})
    assert Lines(path, ["arm"]).cells == lines.cells
