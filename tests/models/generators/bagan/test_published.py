import numpy as np
import pytest

from keras_balance.models import published_bagan
from keras_balance.models.generators.bagan import networks
from small_models import EAGERLY, dense_decoder, dense_encoder


@pytest.fixture
def _small_networks(monkeypatch):
    monkeypatch.setattr(networks, "build_published_encoder", dense_encoder)
    monkeypatch.setattr(networks, "build_published_decoder", dense_decoder)


@pytest.mark.once
def test_has_the_published_networks():
    bagan = published_bagan((28, 28, 1), 10)
    assert bagan.decoder.count_params() == pytest.approx(8.2e6, rel=0.05)
    assert bagan.latent_dim == 100
    assert bagan.discriminator.output_shape == (None, 11)
    filters = [v.shape[-1] for v in bagan.encoder.weights if len(v.shape) == 4]
    assert filters == [32, 64, 128, 256]


@pytest.mark.usefixtures("_small_networks")
def test_has_the_published_training():
    bagan = published_bagan((8, 8, 1), 4)
    assert not bagan.balanced
    assert bagan.fake_share == pytest.approx(1 / 5)
    assert bagan.gaussians.shrinkage == bagan.gaussians.widening == 0
    assert bagan.gaussians.truncation is None
    assert bagan.anchor_weight == 0
    assert bagan.augmentation is None
    for optimizer in (bagan.optimizer["discriminator"], bagan.optimizer["generator"]):
        assert float(optimizer.learning_rate) == pytest.approx(5e-5)
        assert optimizer.beta_1 == 0.5


@pytest.mark.filterwarnings("ignore:Generated images of class")
@pytest.mark.parametrize(
    "kind", ["small", pytest.param("published", marks=pytest.mark.once)]
)
def test_trains_and_keeps_the_last_weights(kind, request):
    if kind == "small":
        request.getfixturevalue("_small_networks")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (12, 4, 4, 1), dtype="uint8")
    bagan = published_bagan((4, 4, 1), 2, seed=0)
    bagan.run_eagerly = EAGERLY
    bagan.fit(x, np.arange(12) % 2, epochs=1, autoencoder_epochs=1, verbose=0)
    for kept, last in zip(
        bagan.generator.get_weights(), bagan.decoder.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(kept, last)
    assert np.isfinite(bagan.generate([0, 1], seed=0)).all()
