"""Rates by class: what is accepted, and the table of them."""

import numpy as np
import pytest

from keras_balance.layers.rates import check_rates, rate_table

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({1: 0.5, np.int64(3): 1}, {1: 0.5, 3: 1.0}),
        ([0, 0.5], [0.0, 0.5]),
        ((0.25,), [0.25]),
        (np.array([0.5, 1.0]), [0.5, 1.0]),
        ({}, {}),
        ([], []),
    ],
)
def test_accepted(rates, expected):
    assert check_rates(rates) == expected


@pytest.mark.parametrize(
    "rates", [[1.1], [-0.1], [float("nan")], {0: 2}, {-1: 0.5}], ids=str
)
def test_wrong_value(rates):
    with pytest.raises(ValueError, match="Received: rates="):
        check_rates(rates)


@pytest.mark.parametrize(
    "rates", ["01", 0.5, None, ["a"], [True], {"1": 0.5}, {0.5: 0.5}, {True: 0.5}]
)
def test_wrong_type(rates):
    with pytest.raises(TypeError, match="Received: rates="):
        check_rates(rates)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({2: 0.5, 0: 1.0}, [0, 1, 0, 0.5, 0]),
        ([0.25, 0.5], [0, 0.25, 0.5, 0]),
        ({}, [0, 0]),
    ],
)
def test_table_has_zeros_at_both_ends(rates, expected):
    assert rate_table(rates).tolist() == expected
