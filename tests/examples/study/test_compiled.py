"""What a compiled training takes: batches as indices, mixing, the loss."""

import numpy as np
import pytest

import keras_balance as kb

pytest.importorskip("jax")

from study.compiled import _mixed, adjusted_loss
from study.compiled_feed import Feed, Recipe, Schedule

pytestmark = pytest.mark.backend  # where TensorFlow's tests run, there need be no JAX

LABELS = np.repeat([0, 1, 2], [60, 30, 3])
INDICES = np.arange(100, 193)
SCHEDULE = Schedule(steps=40, rate=0.1, warmup=5, batch_size=31)


def feed(**recipe):
    return Feed(INDICES, LABELS, 3, Recipe(**recipe), SCHEDULE, seed=0)


@pytest.mark.parametrize("tau", [0, 0.5, 1])
def test_loss_is_that_of_the_package(tau):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(8, 3)).astype("f4"), rng.dirichlet([1] * 3, 8)
    recipe = feed(tau=tau).recipe
    package = kb.losses.LogitAdjustedCrossentropy([60, 30, 3], tau, from_logits=True)
    expected = package(labels.astype("f4"), logits)
    ours = adjusted_loss(logits, labels, recipe)
    np.testing.assert_allclose(ours, np.asarray(expected), rtol=1e-5)


def test_an_epoch_holds_every_image_once():
    first = feed().arrays["index"][:3].ravel()
    assert sorted(first) == sorted(INDICES)


@pytest.mark.parametrize(
    ("sampling", "counts"),
    [("real", [60, 30, 3]), ("sqrt", [60, 42, 13]), ("balanced", [60, 60, 60])],
)
def test_classes_come_as_often_as_the_sampling_says(sampling, counts):
    one = feed(sampling=sampling)
    assert one.class_counts.tolist() == counts
    fed = np.bincount(LABELS[one.arrays["index"].ravel() - 100]) / (40 * 31)
    np.testing.assert_allclose(fed, np.array(counts) / sum(counts), atol=0.02)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_labels_are_in_the_shares_of_the_pixels(kind):
    one = feed(mix=kb.data.Mix(kind, rate=0.7))
    taken = {name: array[0] for name, array in one.arrays.items()}
    # Every image has its own number as its only colour, and so has its label.
    number = np.arange(31, dtype="f4")
    images = np.broadcast_to(number[:, None, None, None], (31, 32, 32, 1))
    mixed, labels = _mixed(images, number[:, None], taken)
    np.testing.assert_allclose(np.mean(mixed, (1, 2)), labels, atol=1e-3)
    assert 0.4 < (np.asarray(labels)[:, 0] != number).mean() < 0.9


def test_rare_partners_are_counted():
    even = feed(tau=1.0).recipe["offset"]
    rare = feed(tau=1.0, mix=kb.data.Mix("mixup")).recipe["offset"]
    np.testing.assert_allclose(np.exp(even), np.array([60, 30, 3]) / 93, rtol=1e-5)
    assert np.exp(rare)[2] > 2 * np.exp(even)[2]


def test_the_learning_rate_warms_up_and_falls():
    rates = SCHEDULE.rates()
    assert rates[0] == pytest.approx(0.02)
    assert rates.argmax() == 4
    assert rates[-1] < 0.001
