import numpy as np
import pytest

from keras_balance.models import BAGAN
from keras_balance.models.training.phases import Course
from keras_balance.models.training.weights import snapshot
from small_models import EAGERLY, dense_networks


@pytest.fixture
def phases():
    """The watch over a BAGAN, in the second of its epochs."""
    y = np.array([0, 0, 1, 1])
    x = np.random.default_rng(0).uniform(0, 255, (4, 4, 4, 1)).astype("float32")
    bagan = BAGAN((4, 4, 1), 2, **dense_networks((4, 4, 1)), seed=0)
    bagan.compile(run_eagerly=EAGERLY)
    phases = Course({"autoencoder": 5, "gan": 5}, x, y)
    phases.set_model(bagan)
    phases.on_epoch_begin(1)
    return phases


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["autoencoder_loss", "d_loss", "g_loss"])
def test_any_loss_that_diverges_is_named_and_undone(phases, name, bad):
    bagan = phases.model
    before = snapshot(bagan)
    for part in (bagan.encoder, bagan.decoder, bagan.discriminator):
        part.weights[0].assign(np.full(part.weights[0].shape, np.nan))
    logs = {"autoencoder_loss": 0.1, "d_loss": 0.2, "g_loss": 0.3, name: bad}
    with pytest.raises(FloatingPointError, match=rf"epoch 2.*Received: {name}={bad}"):
        phases.on_epoch_end(1, logs)
    for kept, old in zip(bagan.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_weights_that_diverge_after_the_last_loss_are_undone(phases):
    bagan = phases.model
    before = snapshot(bagan)
    weight = bagan.decoder.trainable_weights[0]
    weight.assign(np.full(weight.shape, np.inf))
    with pytest.raises(FloatingPointError, match=r"after epoch 2.*Received: .* inf"):
        phases.on_epoch_end(1, {"autoencoder_loss": 0.1})
    for kept, old in zip(bagan.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_what_is_remembered_does_not_change_with_the_model(phases):
    bagan = phases.model
    before = [np.array(weight) for weight in bagan.get_weights()]
    for weight in bagan.weights:
        weight.assign(weight + 1)
    for kept, old in zip(phases._last_good, before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_a_resumed_first_phase_can_draw_images(phases):
    assert phases.model.generate([0, 1], seed=0).shape == (2, 4, 4, 1)
