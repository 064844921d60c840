"""Shares of classes, however they are given."""

import numpy as np
import pandas as pd
import pytest

from keras_balance.utils.class_counts import ClassCounts
from keras_balance.utils.priors import check_prior, read_prior


@pytest.mark.parametrize(
    "given",
    [
        [3, 1],
        np.array([0.75, 0.25]),
        {1: 1, 0: 3},
        pd.Series([1] * 4 + [0] * 12).value_counts(ascending=True),
        ClassCounts({"b": 3, "a": 1}),  # of a data set, whose order is its own
        "natural",
    ],
)
def test_read(given):
    shares = read_prior(given, np.array([30.0, 10.0]))
    assert shares.tolist() == [0.75, 0.25]
    assert read_prior(check_prior(given), np.array([30.0, 10.0])).tolist() == [
        0.75,
        0.25,
    ]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({0: 1}, ValueError, r"a class, of 2. Received: target_prior=\[1\]"),
        ({0: 1, 1: 0}, ValueError, "one positive share a class"),
        ({0: 1, "b": 2}, TypeError, "`target_prior` must have classes of one type"),
        ({0: "much", 1: "little"}, TypeError, "or a dict .class: share.*much"),
        (None, TypeError, "target_prior=None"),
    ],
)
def test_bad_priors(given, error, message):
    with pytest.raises(error, match=message):
        read_prior(given, np.ones(2))
