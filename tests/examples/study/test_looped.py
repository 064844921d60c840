"""A training by torch's steps: what it trains on, and going on after a stop."""

import keras
import numpy as np
import pytest

import keras_balance as kb

if keras.backend.backend() != "torch":
    pytest.skip("steps of torch", allow_module_level=True)

from study.feeds import Feed, OutOfTime, Recipe, Schedule
from study.looped import LoopedTraining
from study.networks import FusedBatchNormalization, resnet32

pytestmark = pytest.mark.backend

LABELS = np.repeat([0, 1], [12, 4])
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), "uint8")
SCHEDULE = Schedule(steps=4, rate=0.1, batch_size=8, weight_decay=5e-4)


def training(keep=None, dtype="mixed_bfloat16", width=2):
    return LoopedTraining(
        lambda dtype: resnet32(width, 2, dtype, blocks=1),
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        IMAGES,
        LABELS,
        [kb.layers.PhotoAugmentation(seed=0, dtype="float32")],
        steps=1,
        dtype=dtype,
        keep=keep,
    )


def feed(mix="mixup"):
    recipe = Recipe(tau=1.0, layers=(0.5,), mix=kb.data.Mix(mix))
    return Feed(np.arange(16), LABELS, 2, recipe, SCHEDULE, seed=0)


def weights(state):
    return np.concatenate([one.ravel() for one in state[0].get_weights()])


def test_goes_on_where_it_was_stopped(tmp_path):
    keep = tmp_path / "state" / "training.npz"
    whole, loss = training().train([feed()], [0])
    with pytest.raises(OutOfTime, match="at step 1"):
        training(keep).train([feed()], [0], deadline=0)
    # The second of these was over when it was stopped: before its line was written.
    for _ in range(2):
        resumed, again = training(keep).train([feed()], [0])
        np.testing.assert_array_equal(weights(resumed), weights(whole))
        assert again == loss


@pytest.mark.parametrize(("mix", "width"), [("cutmix", 2), ("mixup", 4)])
def test_does_not_go_on_from_another_training(tmp_path, mix, width):
    keep = tmp_path / "training.npz"
    whole, _ = training(width=width).train([feed(mix)], [0])
    with pytest.raises(OutOfTime):
        training(keep).train([feed("mixup")], [0], deadline=0)
    fresh, _ = training(keep, width=width).train([feed(mix)], [0])
    np.testing.assert_array_equal(weights(fresh), weights(whole))


def test_steps_are_those_of_keras():
    """Without augmentation and mixing: SGD on the adjusted loss, decay in the slope."""
    plain = feed()
    plain.arrays["opacity"] = np.zeros_like(plain.arrays["opacity"])
    plain.arrays["share"] = np.ones_like(plain.arrays["share"])
    plain.arrays["layer"] = np.ones_like(plain.arrays["layer"])
    state, _ = training(dtype="float32").train([plain], [3])

    keras.utils.set_random_seed(3)
    network = resnet32(2, 2, blocks=1)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    recipe = plain.recipe
    for n in range(plain.length):
        rows = plain.arrays["index"][n]
        logits = network(IMAGES[rows].astype("f4"), training=True)
        shifted = logits + keras.ops.convert_to_tensor(recipe["offset"])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
            LABELS[rows], shifted
        )
        variables = network.trainable_variables
        loss = loss + 5e-4 / 2 * sum(keras.ops.sum(v**2) for v in variables)
        network.zero_grad()
        loss.backward()
        optimizer.learning_rate = float(plain.arrays["rate"][n])
        optimizer.apply([v.value.grad for v in variables], variables)
    np.testing.assert_allclose(weights(state), weights([network]), atol=1e-4)


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


def test_logits_are_of_all_images_asked_for():
    one = training()
    state, _ = one.train([feed()], [0])
    (logits,) = one.predict(state, [np.arange(3, 16)])
    assert logits.shape == (13, 2)
    assert logits.dtype == "float32"
    assert "CPU" in one.device
