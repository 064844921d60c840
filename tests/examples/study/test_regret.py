"""The measurement of regret, on a task that takes seconds, and on real digits."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from study import regret
from study.experiment import Task
from study.lines import Lines


def digits(keep, seed=0):
    """Draw two 8x8 digits: balanced, imbalanced and test images."""
    (x, y), (x_test, y_test) = kb.datasets.digits.load_data()
    rows, test = np.flatnonzero(y < 2)[:60], np.flatnonzero(y_test < 2)[:40]
    x, y = x[rows][..., None], y[rows]
    few = kb.datasets.make_imbalance(x, y, {1: keep}, seed=seed)
    return Task((x, y), few, (x_test[test][..., None], y_test[test]), (1,), seed, 0, "")


def small_convnet(shape, num_classes):
    model = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(num_classes)]
    )
    model.add(keras.layers.Softmax())
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


@pytest.mark.slow
def test_every_arm_of_a_draw_is_a_cell_and_none_is_run_twice(tmp_path, monkeypatch):
    recipes = {name: kb.tuners.RECIPES[name] for name in ("plain", "repeat")}
    monkeypatch.setattr(kb.tuners, "RECIPES", recipes)
    monkeypatch.setattr(kb.models, "convnet", small_convnet)
    monkeypatch.setattr(
        "keras_balance.auto.auto_balance.default_build",
        lambda images: lambda: small_convnet(images.image_shape, images.num_classes),
    )
    task = regret.Pictures(digits(8), tmp_path / "work", batch_size=32, epochs=1)
    cells = Lines(tmp_path / "regret.jsonl", ["data", "draw", "arm"])
    regret.measure(cells, "two digits", 0, task, None)
    found = [cell["arm"] for cell in cells.cells]
    assert found == ["plain", "repeat", "balanced data", "AutoBalance"]
    assert cells.cells[-1]["choice"] in recipes
    with np.load(tmp_path / "work" / "plain.npz") as kept:
        assert kept["log_shares"].shape == (len(task.test[1]), 2)
    # As would be called by any other cell.
    monkeypatch.setattr(regret, "write_arrays", None)
    regret.measure(cells, "two digits", 0, task, None)


def test_features_have_their_arms(tmp_path):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [20, 20, 6])
    x = rng.normal(2 * np.eye(3, 8)[y]).astype("float32")
    test = rng.normal(2 * np.eye(3, 8)[[0, 1, 2]]).astype("float32"), np.arange(3)
    draw = regret.Features((x, y), (x, y), test, 2, "uniform", 0, tmp_path)
    arms = draw.arms()
    assert list(arms)[-2:] == ["AutoBalance", "balanced data"]
    plain, tau_one = arms["plain"]()[0], arms["tau 1"]()[0]
    added = (tau_one - plain)[0]
    np.testing.assert_allclose(added, -np.log(np.bincount(y) / len(y)), rtol=1e-5)


@pytest.mark.slow
def test_on_real_digits_what_it_takes_is_near_the_best_recipe(tmp_path, monkeypatch):
    """Of four, against two; `docs/results/regret.md` has all of them."""
    four = ("plain", "repeat", "shift", "elastic")
    recipes = {name: kb.tuners.RECIPES[name] for name in four}
    monkeypatch.setattr(kb.tuners, "RECIPES", recipes)
    data, arms = kb.datasets.digits.load_data(), ["plain", "repeat", regret.AUTO]
    draw = regret.pictures(data, 128, minority=3)(0, tmp_path / "work")
    cells = Lines(tmp_path / "regret.jsonl", ["data", "draw", "arm"])
    regret.measure(cells, "8x8 digits, 3", 0, draw, arms)
    found = {cell["arm"]: cell["f1_macro"] for cell in cells.cells}
    assert found[regret.AUTO] > max(found["plain"] - 0.01, found["repeat"] - 0.03), (
        found
    )
