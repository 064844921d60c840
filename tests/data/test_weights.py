"""The user's own weights beside those of synthetic images."""

import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset

X = np.arange(12.0)[:, None, None, None] * np.ones((1, 2, 2, 1))
Y = np.repeat([0, 1], [8, 4])
OWN = np.linspace(0.5, 6, 12)


def weights_of(**options):
    dataset = BalancedDataset(X, Y, 32, shuffle=False, seed=0, **options)
    images, _, weights = dataset[0]
    assert weights.dtype == np.float32
    return images[:, 0, 0, 0].astype(int), weights


def test_a_repeated_image_has_its_own_weight():
    images, weights = weights_of(sample_weight=OWN)
    np.testing.assert_allclose(weights, OWN[images], rtol=1e-6)
    _, halved = weights_of(sample_weight=OWN, synthetic_weight=0.5)
    np.testing.assert_allclose(halved[:12], weights[:12])
    np.testing.assert_allclose(halved[12:], weights[12:] / 2)


def test_a_made_image_has_the_mean_of_its_class():
    tensor = keras.ops.convert_to_tensor(OWN)
    _, weights = weights_of(sample_weight=tensor, synthesizer=lambda image: image)
    np.testing.assert_allclose(weights[12:], OWN[8:].mean(), rtol=1e-6)


@pytest.mark.parametrize("weights", [[1, 2], -OWN, np.full(12, np.nan)])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="`sample_weight` must"):
        BalancedDataset(X, Y, sample_weight=weights)
