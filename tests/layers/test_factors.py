"""Strengths: what is accepted, and what is drawn."""

import keras
import numpy as np
import pytest

from keras_balance.layers.base import ImageLayer
from keras_balance.layers.factors import around_zero, check_factor, draw, scaled


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.5, 0.5),
        (1, 1.0),
        (np.float32(0.5), 0.5),
        ((0.1, 0.2), (0.1, 0.2)),
        ([0.1, 0.1], (0.1, 0.1)),
        ((-1, 1), (-1.0, 1.0)),
    ],
)
def test_accepted(factor, expected):
    checked = check_factor(factor, "factor", -1, 1)
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(
    "factor",
    [float("nan"), float("inf"), 1.1, -1.1, (0.2, 0.1), (0.1, 2), (0.1,), (0, 0, 0)],
)
def test_wrong_value(factor):
    with pytest.raises(ValueError, match=r"`f` must be a number in \[-1, 1\].*d: f="):
        check_factor(factor, "f", -1, 1)


@pytest.mark.parametrize("factor", ["0.1", None, True, ("a", "b"), {0.1, 0.2}, 1j])
def test_wrong_type(factor):
    with pytest.raises(TypeError, match=r"`f` must be a number in \[-1, 1\].*d: f="):
        check_factor(factor, "f", -1, 1)


def test_a_number_reaches_both_ways():
    assert around_zero(0.2) == around_zero(-0.2) == (-0.2, 0.2)
    assert around_zero((0.1, 0.2)) == (0.1, 0.2)


def test_scaled():
    assert scaled(0.5, 255) == 127.5
    assert scaled((0.0, 1.0), 255) == (0, 255)


def test_draws_fill_their_bounds():
    bounds = [(-1.0, 1.0), (0.25, 0.5), (3.0, 3.0)]
    seed = keras.random.SeedGenerator(0)
    drawn = keras.ops.convert_to_numpy(draw(ImageLayer().backend, bounds, 2000, seed))
    assert drawn.shape == (3, 2000)
    np.testing.assert_allclose(drawn.min(axis=1), [-1, 0.25, 3], atol=0.01)
    np.testing.assert_allclose(drawn.max(axis=1), [1, 0.5, 3], atol=0.01)
    np.testing.assert_allclose(drawn.mean(axis=1), [0, 0.375, 3], atol=0.05)
