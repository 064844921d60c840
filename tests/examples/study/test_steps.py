"""What a training of the field's tables takes: batches as indices, mixing, the loss."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_balance as kb
from study.feeds import Feed, Recipe, Schedule
from study.steps import adjusted_loss, augmented, mixed

pytestmark = pytest.mark.backend

LABELS = np.repeat([0, 1, 2], [60, 30, 3])
INDICES = np.arange(100, 193)
SCHEDULE = Schedule(steps=40, rate=0.1, warmup=5, batch_size=31)


class Times(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs, training=None):
        return inputs * (self.factor if training else 1)


def feed(**recipe):
    return Feed(INDICES, LABELS, 3, Recipe(**recipe), SCHEDULE, seed=0)


@pytest.mark.parametrize("tau", [0, 0.5, 1])
def test_loss_is_that_of_the_package(tau):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(8, 3)).astype("f4"), rng.dirichlet([1] * 3, 8)
    recipe = {n: ops.convert_to_tensor(v) for n, v in feed(tau=tau).recipe.items()}
    logits, labels = map(ops.convert_to_tensor, (logits, labels.astype("f4")))
    package = kb.losses.LogitAdjustedCrossentropy([60, 30, 3], tau, from_logits=True)
    expected = ops.convert_to_numpy(package(labels, logits))
    ours = ops.convert_to_numpy(adjusted_loss(logits, labels, recipe))
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


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
    taken = {name: ops.convert_to_tensor(array) for name, array in taken.items()}
    images, labels = mixed(
        *map(ops.convert_to_tensor, (images, number[:, None])), taken
    )
    images, labels = map(ops.convert_to_numpy, (images, labels))
    np.testing.assert_allclose(np.mean(images, (1, 2)), labels, atol=1e-3)
    assert 0.4 < (labels[:, 0] != number).mean() < 0.9


def test_the_last_epochs_are_not_mixed():
    mix = {"kind": "mixup", "rate": 1}
    whole = feed(mix=kb.data.Mix(**mix)).arrays
    settled = feed(mix=kb.data.Mix(**mix, until_epoch=12)).arrays
    assert (whole["opacity"] > 0).mean() > 0.99
    for name in ("index", "partner", "opacity"):  # 3 steps an epoch
        np.testing.assert_array_equal(settled[name][:36], whole[name][:36])
    assert (settled["share"][36:] == 1).all()
    assert (settled["opacity"][36:] == 0).all()


def test_an_image_goes_through_the_layer_that_the_feed_has_drawn():
    one = feed(layers=(0.3, 0.5))
    drawn = np.bincount(one.arrays["layer"].ravel()) / (40 * 31)
    np.testing.assert_allclose(drawn, [0.3, 0.5, 0.2], atol=0.05)
    layers = [Times(2.0), Times(3.0)]
    for layer in layers:
        layer.build((31, 4, 4, 1))
    taken = {"layer": ops.convert_to_tensor(one.arrays["layer"][0])}
    batch = augmented(ops.ones((31, 4, 4, 1)), layers, taken)
    expected = np.array([2, 3, 1])[one.arrays["layer"][0]]
    np.testing.assert_array_equal(ops.convert_to_numpy(batch)[:, 0, 0, 0], expected)


def test_layers_behind_each_other_draw_each_their_own():
    noise = [keras.layers.GaussianNoise(1.0, seed=n) for n in (0, 1)]
    both = keras.Sequential([keras.Input((4, 4, 1)), *noise])
    alone = keras.Sequential([keras.Input((4, 4, 1)), noise[0]])
    taken = {"layer": ops.zeros((8,), "int8"), "seed": ops.array([3, 4], "int32")}
    images = ops.zeros((8, 4, 4, 1))
    one, two = (
        ops.convert_to_numpy(augmented(images, [layers], taken))
        for layers in (alone, both)
    )
    # The same numbers twice would be twice the first ones.
    assert np.abs(np.corrcoef(one.ravel(), (two - one).ravel())[0, 1]) < 0.5


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
