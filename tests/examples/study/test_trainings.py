"""Whole trainings of a network: by torch's steps, or as one program on JAX."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from study.feeds import Feed, OutOfTime, Recipe, Schedule
from study.networks import FusedBatchNormalization, resnet32

BACKEND = keras.backend.backend()
if BACKEND == "torch":
    from study.looped import LoopedTraining as Training
elif BACKEND == "jax":
    from study.compiled import CompiledTraining as Training
else:
    pytest.skip("trainings of JAX and torch", allow_module_level=True)

pytestmark = pytest.mark.backend
on_torch = pytest.mark.skipif(BACKEND != "torch", reason="torch's way")
on_jax = pytest.mark.skipif(BACKEND != "jax", reason="JAX's way")

LABELS = np.repeat([0, 1], [12, 4])
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), "uint8")
SCHEDULE = Schedule(steps=4, rate=0.1, batch_size=8, weight_decay=0.05)


def training(dtype="mixed_bfloat16", width=2, **options):
    return Training(
        lambda dtype: resnet32(width, 2, dtype, blocks=1),
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        IMAGES,
        LABELS,
        [kb.layers.PhotoAugmentation(seed=0, dtype="float32")],
        steps=1,
        dtype=dtype,
        **options,
    )


def feed(mix="mixup", seed=0):
    recipe = Recipe(tau=1.0, layers=(0.5,), mix=kb.data.Mix(mix))
    return Feed(np.arange(16), LABELS, 2, recipe, SCHEDULE, seed=seed)


def weights(state):
    return np.concatenate([one.ravel() for one in state[0].get_weights()])


def test_steps_are_those_of_keras():
    """Without augmentation and mixing: SGD on the adjusted loss, decay in the slope."""
    plain = feed()
    plain.arrays["opacity"] = np.zeros_like(plain.arrays["opacity"])
    plain.arrays["share"] = np.ones_like(plain.arrays["share"])
    plain.arrays["layer"] = np.ones_like(plain.arrays["layer"])
    one = training(dtype="float32")
    state, _ = one.train([plain], [3])
    (logits,) = one.predict(state, [np.arange(3, 16)])

    keras.utils.set_random_seed(3)
    network = resnet32(2, 2, blocks=1)
    for variable in network.trainable_variables:
        variable.regularizer = keras.regularizers.L2(SCHEDULE.weight_decay / 2)
    network.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        kb.losses.LogitAdjustedCrossentropy(plain.shown, from_logits=True),
    )
    for n in range(plain.length):
        rows = plain.arrays["index"][n]
        network.optimizer.learning_rate = float(plain.arrays["rate"][n])
        network.train_on_batch(IMAGES[rows].astype("f4"), LABELS[rows])
    expected = network.predict(IMAGES[3:].astype("f4"), verbose=0)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, expected, atol=1e-3)
    assert "CPU" in one.device.upper()


@on_torch
def test_goes_on_where_it_was_stopped(tmp_path):
    keep = tmp_path / "state" / "training.npz"
    whole, loss = training().train([feed()], [0])
    with pytest.raises(OutOfTime, match="at step 1"):
        training(keep=keep).train([feed()], [0], deadline=0)
    # The second of these was over when it was stopped: before its line was written.
    for _ in range(2):
        resumed, again = training(keep=keep).train([feed()], [0])
        np.testing.assert_array_equal(weights(resumed), weights(whole))
        assert again == loss


@on_torch
@pytest.mark.parametrize(("mix", "width"), [("cutmix", 2), ("mixup", 4)])
def test_does_not_go_on_from_another_training(tmp_path, mix, width):
    keep = tmp_path / "training.npz"
    whole, _ = training(width=width).train([feed(mix)], [0])
    with pytest.raises(OutOfTime):
        training(keep=keep).train([feed("mixup")], [0], deadline=0)
    fresh, _ = training(keep=keep, width=width).train([feed(mix)], [0])
    np.testing.assert_array_equal(weights(fresh), weights(whole))


@on_torch
def test_normalisation_is_that_of_keras():
    images = IMAGES.astype("f4")[..., :2] / 255
    ours, theirs = FusedBatchNormalization(), keras.layers.BatchNormalization()
    for training in (True, True, False):
        np.testing.assert_allclose(
            ours(images, training=training).detach(),
            theirs(images, training=training).detach(),
            atol=1e-4,
        )
    # torch's moving variance is the unbiased one.
    np.testing.assert_allclose(ours.get_weights(), theirs.get_weights(), rtol=1e-3)


@on_jax
def test_side_by_side_each_is_trained_as_it_is_alone():
    feeds, part = [feed(seed=0), feed("cutmix", seed=1)], np.arange(16)
    both = training("float32", replicas=2)
    state, losses = both.train(feeds, [4, 5])
    together = both.predict(state, [part, part])
    alone = training("float32")
    for place, one in enumerate(feeds):
        state, loss = alone.train([one], [4 + place])
        np.testing.assert_allclose(losses[place], loss, rtol=1e-3)
        (logits,) = alone.predict(state, [part])
        np.testing.assert_allclose(together[place], logits, atol=1e-2)
    with pytest.raises(OutOfTime, match="more were needed"):
        alone.train([feed()], [0], deadline=0)
