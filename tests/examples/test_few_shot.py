import few_shot
import pytest

pytestmark = [pytest.mark.once, pytest.mark.slow]


def test_digits_are_told_apart_and_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["few_shot.py", "--out", str(tmp_path)])
    few_shot.main()
    printed = capsys.readouterr().out
    assert [name for name in ("plain", "oversampled", "FewShotClassifier")
            if f"\n{name}\n" not in printed] == []  # fmt: skip
    assert (tmp_path / "few_shot.png").stat().st_size > 1000
    assert (tmp_path / "few_shot.keras").exists()
