import keras
import numpy as np
import pytest
from scipy import stats

from keras_balance.layers import RandomGaussianNoise

# Far from both limits, so that nothing is clipped.
GREY = np.full((64, 28, 28, 1), 128.0, "float32")


def noise_of(layer, images=GREY):
    return keras.ops.convert_to_numpy(layer(images)) - images


@pytest.mark.parametrize("factor", [0.01, 0.1])
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_noise_has_the_stated_standard_deviation(factor, value_range):
    low, high = value_range
    grey = np.full_like(GREY, (low + high) / 2)
    noise = noise_of(RandomGaussianNoise(factor, value_range, seed=0), grey)
    stddev = factor * (high - low)
    assert abs(noise.std() / stddev - 1) < 0.01
    assert abs(noise.mean() / stddev) < 0.02
    assert stats.kstest(noise.ravel() / stddev, "norm").pvalue > 0.01


def test_a_pair_is_drawn_per_image():
    noise = noise_of(RandomGaussianNoise((0.02, 0.1), seed=0))
    spreads = noise.std(axis=(1, 2, 3)) / 255
    assert 0.018 < spreads.min() < 0.035
    assert 0.085 < spreads.max() < 0.105


def test_images_and_calls_get_noise_of_their_own():
    layer = RandomGaussianNoise(seed=0)
    first, second = noise_of(layer), noise_of(layer)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(first[0].ravel(), first[1].ravel())[0, 1]) < 0.12


def test_values_are_clipped():
    images = np.concatenate([np.zeros_like(GREY), np.full_like(GREY, 255)])
    noisy = keras.ops.convert_to_numpy(RandomGaussianNoise(0.5, seed=0)(images))
    assert noisy.min() == 0
    assert noisy.max() == 255


def test_no_noise_at_all():
    np.testing.assert_array_equal(noise_of(RandomGaussianNoise(0)), 0)


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"factor": -0.1}, ValueError, "factor"),
        ({"factor": 1.5}, ValueError, "factor"),
        ({"factor": float("nan")}, ValueError, "factor"),
        ({"factor": (0.2, 0.1)}, ValueError, "factor"),
        ({"factor": (0.1, 0.2, 0.3)}, ValueError, "factor"),
        ({"factor": "0.1"}, TypeError, "factor"),
        ({"factor": None}, TypeError, "factor"),
        ({"value_range": (255, 0)}, ValueError, "value_range"),
        ({"value_range": (0, float("inf"))}, ValueError, "value_range"),
        ({"seed": "1"}, TypeError, "seed"),
        ({"data_format": "channels"}, ValueError, ""),
    ],
)
def test_bad_arguments(arguments, error, name):
    with pytest.raises(error, match=f"Received: {name}"):
        RandomGaussianNoise(**arguments)
