"""How often a class is there when it is said to be likely."""

import numpy as np
import pytest

from study.pictures import pooled_bins
from study.reliability import reliability

pytestmark = pytest.mark.once


def test_what_is_said_is_set_against_what_happened():
    told = reliability(np.array([0.05, 0.08, 0.95, 0.95]), np.array([0, 1, 1, 1]) > 0)
    assert told["images"] == [2, *[0] * 8, 2]
    assert told["happened"] == [1, *[0] * 8, 2]
    np.testing.assert_allclose([told["said"][0], told["said"][-1]], [0.13, 1.9])
    assert told["calibration_error"] == pytest.approx((0.87 + 0.1) / 4, abs=1e-4)
    assert told["brier"] == pytest.approx((0.05**2 + 0.92**2 + 0.005) / 4, abs=1e-4)


def test_a_certain_answer_is_in_the_last_bin():
    assert reliability(np.array([1.0]), np.array([True]))["images"][-1] == 1


def test_draws_are_pooled_by_images_and_small_bins_are_left_out():
    one = {"data": "world", "arm": "tau 1"}
    cells = [
        {**one, "images": [30, 5], "said": [3.0, 4.0], "happened": [3, 5]},
        {**one, "images": [10, 5], "said": [1.0, 4.0], "happened": [9, 5]},
        {
            **one,
            "arm": "as trained",
            "images": [99, 99],
            "said": [9, 9],
            "happened": [9],
        },
    ]
    said, happened = pooled_bins(cells, "world", "tau 1")
    np.testing.assert_allclose(said, [0.1])
    np.testing.assert_allclose(happened, [0.3])
