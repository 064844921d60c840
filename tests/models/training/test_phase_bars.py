"""What `fit` of a generator shows."""

import re

import keras
import numpy as np
import pytest

from keras_balance.models import BAGAN
from keras_balance.models.generators import image_format
from keras_balance.models.training import phase_bars
from keras_balance.models.training.phase_bars import PhaseBars, in_words
from small_models import EAGERLY, dense_networks

X = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1)).astype("uint8")
Y = np.repeat([0, 1], 6)

pytestmark = pytest.mark.filterwarnings("ignore:Generated images of class")


def train(verbose):
    bagan = BAGAN((8, 8, 1), 2, **dense_networks(), candidates=0, seed=0)
    bagan.compile(run_eagerly=EAGERLY)
    bagan.fit(X, Y, epochs=1, autoencoder_epochs=2, batch_size=6, verbose=verbose)


@pytest.mark.once
@pytest.mark.parametrize("verbose", ["auto", 0])
def test_a_line_before_and_a_bar_a_phase(verbose, capsys, monkeypatch):
    monkeypatch.setattr(phase_bars, "seconds_forward", lambda model, size: 10.0 * size)
    train(verbose)
    lines = capsys.readouterr().out.splitlines()
    if verbose == 0:
        assert lines == []
        return
    before, autoencoder, gan = lines
    assert before == "BAGAN: 6 steps of 6 images (8, 8, 1), about 11 min"
    assert re.match(
        r"autoencoder \[#{20}\] epoch 2/2, autoencoder_loss [\d.]+, .* left",
        autoencoder,
    )
    assert re.match(r"gan \[#{20}\] epoch 1/1, .*d_loss .*, about 0 s left", gan)


def test_the_bar_is_rewritten(capsys, monkeypatch):
    monkeypatch.setattr(phase_bars, "seconds_forward", lambda model, size: 1e-3)
    for module in ("models.training.phase_bars", "utils.progress_line"):
        monkeypatch.setattr(f"keras_balance.{module}.can_rewrite", lambda: True)
    bars = PhaseBars({"autoencoder": 2, "gan": 1}, batches=4, batch_size=6)
    bars.set_model(
        type("Model", (), {"image_shape": (8, 8, 1), "phases": BAGAN.phases})()
    )
    bars.on_train_begin()
    for epoch in range(3):
        bars.on_epoch_begin(epoch)
        for batch in range(4):
            bars._last -= 1  # as if a second went by
            bars.on_train_batch_end(batch, {"loss": 0.5})
        bars.on_epoch_end(epoch)
    bars.on_train_end()
    text = capsys.readouterr().out
    assert text.count("\n") == 3
    shown = re.findall(r"\r(\w+) \[(#*)\.*\] epoch (\d)/(\d)", text)
    assert len(shown) == 3 * 5
    assert shown[0] == ("autoencoder", "##", "1", "2")
    assert shown[-1] == ("gan", "#" * 20, "1", "1")


def test_the_estimate_runs_the_networks_and_changes_nothing():
    bagan = BAGAN((8, 8, 1), 2, latent_dim=3, seed=0)
    before = [keras.ops.convert_to_numpy(v) for v in bagan.variables]
    assert 0 < phase_bars.seconds_forward(bagan, 6) < 10
    for one, other in zip(bagan.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(one), other)


@pytest.mark.once
def test_large_pictures_are_warned_of(monkeypatch):
    with pytest.warns(UserWarning, match="224 by 224 take a quarter of an hour"):
        image_format.ImageFormat((3, 224, 224), (0, 1), "channels_first").warn_of_size()
    image_format.ImageFormat((128, 128, 3), (0, 1), None).warn_of_size()
    monkeypatch.setattr(image_format, "_LARGE", 60)
    with pytest.warns(UserWarning, match="8 by 8 pixels trains long"):
        train(0)


def test_seconds_in_words():
    assert [in_words(s) for s in (3.4, 99, 600, 7200)] == [
        "3 s",
        "99 s",
        "10 min",
        "2.0 h",
    ]
