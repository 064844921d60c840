import numpy as np
import pytest

from keras_balance.metrics.manifold import manifold_scores

pytestmark = pytest.mark.once


def cloud(n, centre=0.0, spread=1.0, seed=0):
    return np.random.default_rng(seed).normal(centre, spread, (n, 4))


def test_samples_of_the_same_distribution_score_high():
    scores = manifold_scores(cloud(300), cloud(300, seed=1))
    assert scores["precision"] > 0.8
    assert scores["recall"] > 0.8
    assert scores["density"] == pytest.approx(1, abs=0.2)
    assert scores["coverage"] > 0.9


def test_what_lies_elsewhere_scores_zero():
    scores = manifold_scores(cloud(50, centre=100), cloud(50))
    assert scores == dict.fromkeys(scores, 0)


def test_a_collapsed_class_is_precise_and_recalls_nothing():
    scores = manifold_scores(cloud(200, spread=1e-3), cloud(200, seed=1))
    assert scores["precision"] == 1
    assert scores["recall"] < 0.05
    assert scores["coverage"] < 0.5


def test_an_outlier_raises_precision_but_hardly_density():
    real = np.concatenate([cloud(100), np.full((1, 4), 1000.0)])
    scores = manifold_scores(cloud(100, centre=500), real)
    assert scores["precision"] == 1
    assert scores["density"] < 0.3


def test_by_hand():
    real, rows = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [10.0]])
    # Balls of the real ones to their nearest: 1, 1 and 2; of the generated ones: 9.5.
    assert manifold_scores(rows, real, 1) == {
        "precision": 0.5,
        "recall": 1.0,
        "density": 1.0,
        "coverage": pytest.approx(2 / 3),
    }


def test_a_single_row_has_no_neighbour():
    scores = manifold_scores(cloud(1), cloud(5))
    assert np.isnan(list(scores.values())).all()
