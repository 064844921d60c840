"""Counts of classes, however they are given."""

import types

import numpy as np
import pandas as pd
import pytest

from keras_balance.utils.class_counts import (
    RealCounts,
    check_every_class,
    effective_number_weights,
    read_class_counts,
    shown_counts,
)


@pytest.mark.parametrize(
    "given",
    [
        [240, 12],
        (240.0, 12.0),
        np.array([240, 12], "uint8"),
        {1: 12, 0: 240},
        pd.Series([1] * 12 + [0] * 240).value_counts(),
        pd.Series({1: 12, 0: 240}),
        {"free": 12, "break": 240},
        types.SimpleNamespace(class_counts={0: 240, 1: 12}),
        types.SimpleNamespace(class_counts=[240, 12]),
    ],
)
def test_read(given):
    counts = read_class_counts(given)
    assert counts.dtype == "float64"
    assert counts.tolist() == [240, 12]


def test_the_order_of_a_feed_is_that_of_its_classes():
    feed = types.SimpleNamespace(class_counts={"no": 240, "maybe": 12})
    assert read_class_counts(feed).tolist() == [240, 12]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([240, 0], ValueError, "finite and positive"),
        ([240, np.nan], ValueError, "finite and positive"),
        ([240], ValueError, "two classes or more"),
        ([[240, 12]], ValueError, "shape \\(1, 2\\)"),
        ([], ValueError, "two classes or more"),
        (None, TypeError, "BalancedDataset"),
        (["many", "few"], TypeError, "BalancedDataset"),
        ([[1], [2, 3]], TypeError, "BalancedDataset"),
        ([True, False], TypeError, "BalancedDataset"),
        ({"a": 1, 2: 3}, TypeError, "of one type"),
    ],
)
def test_bad_counts(given, error, message):
    with pytest.raises(error, match=message):
        read_class_counts(given)


def test_real_counts_know_what_is_shown():
    counts = RealCounts({0: 240, 1: 12}, {0: 240, 1: 240})
    assert counts == {0: 240, 1: 12}
    assert shown_counts(counts).tolist() == [240, 240]
    assert shown_counts([240, 12]) is None


def test_effective_number_weights():
    counts = np.array([240.0, 12.0])
    np.testing.assert_allclose(effective_number_weights(counts, 0), [1, 1])
    nearly_inverse = effective_number_weights(counts, 1 - 1e-12)
    np.testing.assert_allclose(nearly_inverse[1] / nearly_inverse[0], 20, rtol=1e-6)
    assert nearly_inverse.mean() == pytest.approx(1)


def test_the_first_class_without_an_image_is_named():
    check_every_class(np.array([2, 1]))
    with pytest.raises(ValueError, match=r"one image\. Received: y without class 1$"):
        check_every_class(np.array([2, 0, 0]))
    with pytest.raises(ValueError, match="y without class 'bee'"):
        check_every_class([2, 0, 0], ["ant", "bee", "cat"])
