"""Scores over the strength of an adjustment, and their picture."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score

from keras_balance import metrics
from keras_balance.metrics.adjustment import TAUS, AdjustedScores, read_log_shares

pytestmark = pytest.mark.once

COUNTS = np.array([80.0, 30.0, 6.0])


@pytest.fixture
def predictions():
    """Labels of two images a count, and probabilities that know something of them."""
    rng = np.random.default_rng(0)
    indices = np.repeat(np.arange(3), [40, 15, 3])
    shares = rng.dirichlet([4, 1.5, 0.3], len(indices)) + 0.4 * np.eye(3)[indices]
    return indices, shares / shares.sum(axis=1, keepdims=True)


def offsets(taus):
    return np.outer(taus, -np.log(COUNTS / COUNTS.sum()))


@pytest.mark.parametrize("target", [np.full(3, 1 / 3), COUNTS / COUNTS.sum()])
def test_scores_are_scikit_learns(predictions, target):
    indices, shares = predictions
    taus, times = np.array([0.0, 0.5, 1.5]), np.arange(len(indices)) % 3
    scores = AdjustedScores(indices, np.log(shares), offsets(taus), target)
    weights = (target / np.bincount(indices))[indices]
    for place, tau in enumerate(taus):
        adjusted = shares * (COUNTS / COUNTS.sum()) ** -tau
        adjusted /= adjusted.sum(axis=1, keepdims=True)
        guesses = adjusted.argmax(axis=1)
        loss = log_loss(indices, adjusted, sample_weight=weights)
        assert scores.log_loss[place] == pytest.approx(loss)
        options = {"average": None, "zero_division": 0}
        for name, score in {
            "f1": f1_score,
            "precision": precision_score,
            "recall": recall_score,
        }.items():
            expected = score(indices, guesses, sample_weight=weights, **options)
            found = scores.class_scores()[name][place]
            np.testing.assert_allclose(found, expected, atol=1e-12)
        weighted = f1_score(
            indices, guesses, sample_weight=weights * times, average="macro"
        )
        assert scores.macro_f1(times)[place] == pytest.approx(weighted)


def test_more_strength_finds_more_of_the_rare_class(predictions):
    indices, shares = predictions
    target = np.full(3, 1 / 3)
    scores = AdjustedScores(indices, np.log(shares), offsets(TAUS), target)
    recall = scores.class_scores()["recall"]
    assert (np.diff(recall[:, 2]) >= 0).all()
    assert recall[-1, 2] > recall[0, 2]


def test_picture(predictions, tmp_path):
    indices, shares = predictions
    path = tmp_path / "curves.png"
    metrics.save_adjustment_curves(
        path, indices, shares, COUNTS, tau=0.8, class_names=["a", "b$", "c_1$"]
    )
    assert path.read_bytes()[:4] == b"\x89PNG"
    both = tmp_path / "new" / "both.png"
    metrics.save_adjustment_curves(
        both, np.eye(3)[indices], shares, COUNTS, rare=[1, 2], target_prior="natural"
    )
    assert both.stat().st_size > path.stat().st_size


def test_rare_classes_are_class_indices(predictions, tmp_path):
    path = tmp_path / "curves.png"
    metrics.save_adjustment_curves(path, *predictions, COUNTS, rare=1)
    for rare, error in ((3, ValueError), ([], ValueError), ("a", TypeError)):
        with pytest.raises(error, match="Received: rare="):
            metrics.save_adjustment_curves(path, *predictions, COUNTS, rare=rare)
    with pytest.raises(TypeError, match="tau='1'"):
        metrics.save_adjustment_curves(path, *predictions, COUNTS, tau="1")


def test_one_sigmoid_output(tmp_path):
    path = tmp_path / "curves.png"
    metrics.save_adjustment_curves(path, [0, 0, 1], [[0.1], [0.4], [0.3]], [20, 10])
    assert path.exists()
    logs = read_log_shares([[0.25]], 1, 2)
    np.testing.assert_allclose(np.exp(logs), [[0.75, 0.25]])


@pytest.mark.parametrize("shares", [[[0.5, 0.6, -0.1]], [[1.0, 2.0, 3.0]], [[0.5] * 2]])
def test_what_are_no_probabilities(shares):
    with pytest.raises(ValueError, match="Received: y_pred"):
        read_log_shares(shares, 1, 3)
