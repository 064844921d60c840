"""Loss, mixing and decision: what is kept of a training, and what is told of it."""

import json

import numpy as np
import pytest

from study import decisions, experiment
from study.decision_tables import decision_tables
from study.files import write_arrays

pytestmark = pytest.mark.usefixtures("eager")


def predictions(counts, seed=0):
    """Probabilities of a classifier that favours the frequent class, and labels."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], counts)
    logits = np.stack([1 - y, y], axis=1) * 2 + rng.normal(size=(len(y), 2)) + (3, 0)
    shares = np.exp(logits)
    return (shares / shares.sum(axis=1, keepdims=True)).astype("float32"), y


def keep_draw(folder, seed):
    shares, y = predictions((200, 200), seed)
    counts = np.array([190, 10])
    write_arrays(
        folder / "imbalanced.npz", shares=shares, y=y, counts=counts, seconds=1
    )


@pytest.mark.once
def test_the_first_draws_folds_serve_the_others(tmp_path):
    folders = [tmp_path / f"clothes, shirt, {draw}" for draw in (0, 1)]
    for draw, folder in enumerate(folders):
        keep_draw(folder, draw)
    shares, y = predictions((190, 10), 2)
    kept = {"shares": shares, "y": y, "counts": np.bincount(y)}
    write_arrays(folders[0] / "folds" / "imbalanced.npz", **kept)
    path = tmp_path / "cells.jsonl"
    decisions.write_lines(tmp_path, path)
    cells = [json.loads(line) for line in path.read_text().splitlines()]
    plain, one, found, best = (
        [cell for cell in cells if cell["arm"] == f"imbalanced{name}"]
        for name in ("", ", tau 1", ", found tau", ", best tau of the test set")
    )
    assert [cell["tau"] for cell in one] == [1, 1]
    assert [cell["folds"] for cell in found] == ["own", "first draw's"]
    assert found[0]["tau"] == found[1]["tau"] > 0.5
    for before, after, most in zip(plain, found, best, strict=True):
        assert after["recall"] > before["recall"] + 0.2
        assert most["f1_macro"] >= after["f1_macro"] > before["f1_macro"]


@pytest.mark.once
def test_draws_of_two_digits_are_told(tmp_path):
    for draw in (0, 9, 10):
        keep_draw(tmp_path / f"clothes, shirt, {draw}", draw)
    path = tmp_path / "cells.jsonl"
    decisions.write_lines(tmp_path, path)
    cells = [json.loads(line) for line in path.read_text().splitlines()]
    drawn = [cell["draw"] for cell in cells if cell["arm"] == "imbalanced"]
    assert drawn == [0, 9, 10]


@pytest.mark.once
def test_a_draw_without_plain_training_is_not_told(tmp_path):
    keep_draw(tmp_path / "clothes, boot, 0", 0)
    path = tmp_path / "cells.jsonl"
    decisions.write_lines(tmp_path, path)
    assert path.read_text()
    (tmp_path / "clothes, boot, 0" / "imbalanced.npz").rename(tmp_path / "away")
    decisions.write_lines(tmp_path, path)
    assert not path.read_text()


@pytest.mark.once
def test_the_table_tells_what_is_closed_of_the_gap(tmp_path):
    scores = {"balanced": (0.9, 0.8), "imbalanced": (0.7, 0.0), "cutmix": (0.8, 0.6)}
    scores["oversampling"] = 0.75, 0.2
    cells = [
        {"data": "clothes", "draw": draw, "arm": arm, "f1_macro": macro, "f1": rare}
        | {"recall": 0.5, **({"tau": 1 + draw} if arm == "cutmix" else {})}
        for draw in (0, 1)
        for arm, (macro, rare) in scores.items()
    ]
    path = tmp_path / "row.jsonl"
    path.write_text("".join(json.dumps(cell) + "\n" for cell in cells))
    text = decision_tables(path)
    assert "clothes, 2 draws:" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| cutmix")]
    assert line.endswith("| +5.0 [+5.0, +5.0] | 50% | 75% | 1-2 |")


@pytest.mark.slow
def test_a_training_and_its_folds_are_done_once(tmp_path, monkeypatch):
    monkeypatch.setattr(decisions, "FOLDS", 3)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (24, 8, 8, 1), "uint8"), np.arange(24) % 3
    task = experiment.Task((x, y), (x[:15], y[:15]), (x, y), (2,), 0, 2, tmp_path)
    draw = decisions.Draw(task, tmp_path / "task, 0")
    draw.train("oversampling, mixup")
    draw.train_folds("root, loss 0.5")
    with np.load(draw.work / "oversampling, mixup.npz") as kept:
        np.testing.assert_allclose(kept["shares"].sum(axis=1), 1, rtol=1e-5)
        assert kept["counts"].tolist() == [5, 5, 5]
    with np.load(draw.work / "folds" / "root, loss 0.5.npz") as kept:
        assert kept["shares"].shape == (15, 3)
        assert kept["y"].tolist() == y[:15].tolist()
    monkeypatch.setattr(decisions.Draw, "_trained", None)
    draw.train("oversampling, mixup")
    draw.train_folds("root, loss 0.5")
