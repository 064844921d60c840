"""Noise that is drawn four pixels at a time is still gaussian noise."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_balance.layers.base import ImageLayer
from keras_balance.layers.noise import _quadruples, gaussian_noise


def noise(shape, stddev=1.0, dtype="float32", seed=3):
    seed = keras.random.SeedGenerator(seed)
    drawn = gaussian_noise(ImageLayer().backend, shape, stddev, dtype, seed)
    return keras.ops.convert_to_numpy(keras.ops.cast(drawn, "float32"))


@pytest.fixture
def quadruples():
    return _quadruples().astype("float64")


def test_every_quantile_once_in_each_column(quadruples):
    quantiles = stats.norm.ppf((np.arange(2**16) + 0.5) / 2**16)
    for column in np.sort(quadruples, axis=0).T:
        np.testing.assert_allclose(column, quantiles, atol=1e-4)
    np.testing.assert_allclose(quadruples.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose((quadruples**2).mean(axis=0), 1, atol=1e-6)


def test_columns_are_independent(quadruples):
    for power in (1, 2, 3):
        correlations = np.corrcoef(quadruples.T**power) - np.eye(4)
        assert np.abs(correlations).max() < 2e-3
    # Cut into 16 parts of equal probability, any two columns fill the 256 cells
    # of the plane evenly, and any three the 512 cells of half as many parts.
    parts = np.floor(stats.norm.cdf(quadruples) * 16).astype(int)
    for first, second in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]:
        cells = np.bincount(parts[:, first] * 16 + parts[:, second], minlength=256)
        np.testing.assert_allclose(cells, 256, atol=2)
    halves = parts // 2
    for a, b, c in [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]:
        cells = np.bincount(halves[:, a] * 64 + halves[:, b] * 8 + halves[:, c])
        np.testing.assert_allclose(cells, 128, atol=8)


def test_any_sum_of_four_pixels_is_gaussian(quadruples):
    directions = np.random.default_rng(0).normal(size=(4, 20))
    directions = np.concatenate([directions, np.ones((4, 1))], axis=1)
    sums = quadruples @ (directions / np.linalg.norm(directions, axis=0))
    assert max(stats.kstest(column, "norm").statistic for column in sums.T) < 0.004
    np.testing.assert_allclose(sums.std(axis=0), 1, atol=2e-4)
    np.testing.assert_allclose(stats.kurtosis(sums), 0, atol=0.02)
    np.testing.assert_allclose(stats.skew(sums), 0, atol=0.01)


def test_drawn_noise_is_gaussian():
    drawn = noise((40, 50, 50, 1))
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs(drawn.mean()) < 0.01


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_neighbours_do_not_depend_on_each_other(axis):
    drawn = noise((40, 40, 40, 2))
    for values in (drawn, drawn**2):
        centred = values - values.mean()
        product = np.mean(centred * np.roll(centred, 1, axis)) / values.var()
        assert abs(product) < 0.015


@pytest.mark.parametrize("shape", [(2, 3, 3, 1), (1, 1, 1, 1), (3, 2, 2, 1), (2, 5)])
def test_shapes_that_four_does_not_divide(shape):
    drawn = noise(shape)
    assert drawn.shape == shape
    assert len(np.unique(drawn)) == drawn.size


def test_a_pair_is_drawn_from_for_each_image():
    spreads = noise((200, 30, 30, 1), stddev=(1.0, 3.0)).std(axis=(1, 2, 3))
    assert 0.9 < spreads.min() < 1.2
    assert 2.8 < spreads.max() < 3.2
    assert abs(spreads.mean() - 2) < 0.15


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_has_the_same_draws(dtype):
    np.testing.assert_allclose(
        noise((2, 8, 8, 1), 10.0, dtype), noise((2, 8, 8, 1), 10.0), atol=0.2
    )
