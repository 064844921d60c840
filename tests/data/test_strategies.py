import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.data.strategies import split_by_shares, target_counts
from keras_balance.utils.labels import read_labels

pytestmark = pytest.mark.once

COUNTS = np.array([10, 3, 20, 3])
ENCODING = read_labels(np.repeat(np.array(["a", "b", "c", "d"]), COUNTS))[1]

CASES = [
    ("auto", [20, 20, 20, 20]),
    ("not majority", [20, 20, 20, 20]),
    ("all", [20, 20, 20, 20]),
    ("minority", [10, 20, 20, 3]),
    ("not minority", [20, 3, 20, 20]),
    ("sqrt", [14, 8, 20, 8]),
    ({"b": 7, "a": np.int64(10)}, [10, 7, 20, 3]),
    ({}, [10, 3, 20, 3]),
    (0.5, [10, 10, 20, 10]),
    (np.float32(0.25), [10, 5, 20, 5]),
    (1, [20, 20, 20, 20]),
]


def test_targets():
    for strategy, targets in CASES:
        assert target_counts(COUNTS, strategy, ENCODING).tolist() == targets


@pytest.mark.parametrize(
    "strategy", ["auto", "minority", "not minority", "all", "dict"]
)
@pytest.mark.parametrize("counts", [[10, 3, 20, 3], [5, 9], [4, 4, 1]])
def test_as_imbalanced_learn(strategy, counts):
    imblearn = pytest.importorskip("imblearn.utils")
    y = np.repeat(np.arange(len(counts)), counts)
    if strategy == "dict":
        strategy = {1: 30}
    missing = imblearn.check_sampling_strategy(strategy, y, "over-sampling")
    expected = [count + missing.get(i, 0) for i, count in enumerate(counts)]
    encoding = read_labels(y)[1]
    assert target_counts(counts, strategy, encoding).tolist() == expected


BAD = [
    ("majority", ValueError, "one of"),
    (0.0, ValueError, "0.0"),
    (1.5, ValueError, "1.5"),
    (float("nan"), ValueError, "nan"),
    (True, TypeError, "True"),
    (None, TypeError, "None"),
    ({"e": 3}, ValueError, "'e'"),
    ({"a": 3}, ValueError, r"'a' has 10.*sampling_strategy\['a'\]=3"),
    ({"a": 30.5}, TypeError, "30.5"),
]


def test_bad_strategies():
    for strategy, error, text in BAD:
        with pytest.raises(error, match=text):
            target_counts(COUNTS, strategy, ENCODING)


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(0, 1000), min_size=1, max_size=5),
    shares=st.lists(st.floats(0.01, 10), min_size=1, max_size=4),
)
def test_shares_add_up(counts, shares):
    parts = split_by_shares(counts, shares)
    assert parts.sum(axis=0).tolist() == counts
    assert (parts >= 0).all()
    exact = np.outer(np.array(shares) / sum(shares), counts)
    assert (abs(parts - exact) <= 1).all()


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(1, 100), min_size=2, max_size=6),
    name=st.sampled_from(["auto", "all", "minority", "not minority", {}]),
    low=st.floats(0.01, 1),
    high=st.floats(0.01, 1),
)
def test_targets_keep_real_images_and_reach_no_further_than_the_largest(
    counts, name, low, high
):
    encoding = read_labels(np.repeat(np.arange(len(counts)), counts))[1]
    low, high = sorted([low, high])
    targets = [target_counts(counts, one, encoding) for one in (name, low, high)]
    for target in targets:
        assert (target >= counts).all()
        assert target.max() == max(counts)
        # What is balanced already stays as it is.
        again = target_counts(target, {}, encoding)
        np.testing.assert_array_equal(again, target)
    assert (targets[1] <= targets[2]).all()
