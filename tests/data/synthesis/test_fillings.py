"""The layers called by name, and what they bring in from beyond the borders."""

import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import LabelledImages, registry

NAMES = ["shift", "flip", "manual", "elastic"]


def pictures(low, size=24):
    """Noise, on a ground of one brightness that reaches the borders."""
    x = np.full((20, size, size, 3), low, "uint8")
    noise = np.random.default_rng(0).integers(0, 256, (20, size - 4, size - 4, 3))
    x[:, 2:-2, 2:-2] = np.maximum(noise, low)
    return x, np.repeat([0, 1], [15, 5])


def fill_mode(layer):
    return getattr(layer, "fill_mode", None) or layer.layers[-1].fill_mode


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("low", "mode"), [(0, "constant"), (4, "constant"), (90, "reflect")]
)
def test_no_black_frame_around_photographs(name, low, mode):
    images = LabelledImages(*pictures(low))
    layer = registry.fit(name, images, 0)
    assert fill_mode(layer) == mode
    first = LabelledImages(
        images.x.transpose(0, 3, 1, 2), images.labels, data_format="channels_first"
    )
    assert fill_mode(registry.fit(name, first, 0)) == mode


def test_colours_stay_as_bright_as_they_are():
    colour = np.array([200, 100, 30], "uint8")
    x = np.tile(colour, (20, 16, 16, 1))
    y = np.repeat([0, 1], [15, 5])
    dataset = kb.BalancedDataset(x, y, synthesizer="manual", shuffle=False, seed=0)
    made = np.concatenate([images for images, _ in dataset])[20:]
    np.testing.assert_allclose(made.mean(axis=(0, 1, 2)), colour, atol=2)
    # A grey photograph, and paper that is white.
    for brightness in (90, 255):
        x = np.full((20, 16, 16, 1), brightness, "uint8")
        x[:, 5:9, 5:9] = 0
        dataset = kb.BalancedDataset(x, y, synthesizer="shift", shuffle=False, seed=0)
        made = np.concatenate([images for images, _ in dataset])[20:]
        assert (made[:, [0, -1]] == brightness).all()


def test_handwriting_keeps_its_black():
    (x, y), _ = kb.datasets.digits.load_data()
    layer = registry.fit("elastic", LabelledImages(x[..., None], y), 0)
    assert layer.fill_mode == "constant"
