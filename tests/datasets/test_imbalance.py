import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_balance as kb

make_imbalance = kb.datasets.make_imbalance
subsample = kb.datasets.subsample


def images_of(y):
    """One different image a label, so that the pairs can be told apart."""
    return np.arange(len(y), dtype="float32")[:, None, None] * np.ones(
        (1, 2, 2), "float32"
    )


@given(
    y=st.lists(st.sampled_from([-1, 2, 40]), min_size=1, max_size=60).map(np.array),
    amount=st.one_of(st.integers(1, 60), st.floats(0.01, 1)),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_counts_are_exact_and_pairs_and_order_stay(y, amount, seed):
    x, label = images_of(y), y[0]
    available = int(np.sum(y == label))
    if isinstance(amount, int):
        amount = min(amount, available)
        expected = amount
    else:
        expected = max(1, round(amount * available))
    new_x, new_y = make_imbalance(x, y, {label: amount}, seed)
    assert np.sum(new_y == label) == expected
    for other in {-1, 2, 40} - {label}:
        assert np.sum(new_y == other) == np.sum(y == other)
    kept = new_x[:, 0, 0].astype(int)
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(new_x, x[kept])
    np.testing.assert_array_equal(new_y, y[kept])
    assert new_x.dtype == x.dtype
    assert new_y.dtype == y.dtype


@given(seed=st.integers(0, 2**31), small=st.integers(1, 20), more=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_smaller_counts_are_among_larger_ones(seed, small, more):
    y = np.repeat([0, 1], 40)
    few = make_imbalance(images_of(y), y, {1: small}, seed)[0][:, 0, 0]
    many = make_imbalance(images_of(y), y, {1: small + more}, seed)[0][:, 0, 0]
    assert set(few) <= set(many)


def test_draw_of_a_class_does_not_depend_on_the_others():
    y = np.repeat([0, 1, 2], 30)
    alone = make_imbalance(images_of(y), y, {2: 5}, seed=3)
    both = make_imbalance(images_of(y), y, {0: 4, 2: 5}, seed=3)
    np.testing.assert_array_equal(alone[0][-5:], both[0][-5:])


def test_classes_of_one_size_draw_differently():
    y = np.repeat([0, 1], 30)
    kept = make_imbalance(images_of(y), y, {0: 5, 1: 5}, seed=3)[0][:, 0, 0]
    assert not np.array_equal(kept[:5], kept[5:] - 30)


def test_every_encoding_draws_the_same():
    y = np.random.default_rng(0).integers(0, 3, 90)
    x = images_of(y)
    sparse_x, sparse_y = make_imbalance(x, y, {1: 0.2}, seed=1)
    column_x, column_y = make_imbalance(x, y[:, None], {1: 0.2}, seed=1)
    hot_x, hot_y = make_imbalance(x, np.eye(3, dtype="float32")[y], {1: 0.2}, seed=1)
    name_x, name_y = make_imbalance(x, np.array(["a", "b", "c"])[y], {"b": 0.2}, seed=1)
    for other in (column_x, hot_x, name_x):
        np.testing.assert_array_equal(other, sparse_x)
    assert column_y.shape == (len(sparse_y), 1)
    assert hot_y.shape == (len(sparse_y), 3)
    assert hot_y.dtype == "float32"
    assert name_y.tolist() == np.array(["a", "b", "c"])[sparse_y].tolist()


def test_seed():
    y = np.repeat([0, 1], 100)
    x = images_of(y)
    first, again, other = (make_imbalance(x, y, {0: 9}, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    numpy_seed = make_imbalance(x, y, {0: 9}, np.int32(1))[0]
    np.testing.assert_array_equal(first, numpy_seed)
    assert len(make_imbalance(x, y, {0: 9})[0]) == 109


def test_inputs_stay_unchanged_and_whole_classes_pass():
    y = np.repeat([0, 1], 10)
    x = images_of(y)
    before = x.copy(), y.copy()
    new_x, new_y = make_imbalance(x, y, {})
    np.testing.assert_array_equal(new_x, x)
    np.testing.assert_array_equal(new_y, y)
    new_x[:] = -1
    new_y[:] = -1
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_memmap(tmp_path):
    y = np.repeat([0, 1], 10)
    x = np.memmap(tmp_path / "x", "uint8", "w+", shape=(20, 4, 4, 1))
    new_x, _ = make_imbalance(x, y, {0: 2}, seed=1)
    assert new_x.shape == (12, 4, 4, 1)
    assert new_x.dtype == "uint8"


@pytest.mark.parametrize(
    ("strategy", "error", "match"),
    [
        ({7: 3}, ValueError, r"\[0, 1\].*=7"),
        ({"0": 3}, ValueError, "'0'"),
        ({0: 11}, ValueError, r"10 images.*\[0\]=11"),
        ({0: 0}, ValueError, r"\[0\]=0"),
        ({0: -1}, ValueError, r"\[0\]=-1"),
        ({0: 0.0}, ValueError, r"\[0\]=0\.0"),
        ({0: 1.5}, ValueError, r"\[0\]=1\.5"),
        ({0: float("nan")}, ValueError, r"\[0\]=nan"),
        ({0: "half"}, TypeError, r"\[0\]='half'"),
        ({0: True}, TypeError, r"\[0\]=True"),
        (0.5, TypeError, "sampling_strategy=0.5"),
    ],
)
def test_bad_strategy(strategy, error, match):
    y = np.repeat([0, 1], 10)
    with pytest.raises(error, match=match):
        make_imbalance(images_of(y), y, strategy)


def test_lengths_differ():
    with pytest.raises(ValueError, match=r"len\(x\)=3, len\(y\)=4"):
        make_imbalance(np.zeros((3, 2, 2)), [0, 1, 0, 1], {0: 1})


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (["a", "b", float("nan")], r"y\[2\]=nan"),
        (["a", "b", 1], "labels of one type"),
        (np.ma.array([0, 1, 2], mask=[0, 0, 1]), r"y\[2\]=masked"),
    ],
)
def test_labels_that_are_missing_or_mixed(y, text):
    with pytest.raises(ValueError, match=text):
        make_imbalance(np.zeros((3, 2, 2)), y, {"a": 1})
    with pytest.raises(ValueError, match=text):
        subsample(np.zeros((3, 2, 2)), y, 0.5)


def test_int_is_a_count_and_float_a_fraction():
    y = np.repeat([0, 1], 10)
    assert np.sum(make_imbalance(images_of(y), y, {0: 1})[1] == 0) == 1
    assert np.sum(make_imbalance(images_of(y), y, {0: 1.0})[1] == 0) == 10
    assert np.sum(make_imbalance(images_of(y), y, {0: np.int64(3)})[1] == 0) == 3
    assert np.sum(make_imbalance(images_of(y), y, {0: np.float32(0.5)})[1] == 0) == 5


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    fraction=st.floats(0.001, 1),
)
@settings(max_examples=40, deadline=None)
def test_subsample_keeps_the_proportions_and_every_class(counts, fraction):
    y = np.repeat(np.arange(len(counts)), counts)
    new_x, new_y = subsample(images_of(y), y, fraction, seed=1)
    expected = [max(1, round(fraction * count)) for count in counts]
    assert np.bincount(new_y).tolist() == expected
    np.testing.assert_array_equal(y[new_x[:, 0, 0].astype(int)], new_y)


def test_subsample_of_one_hot_with_an_empty_column():
    y = np.eye(4, dtype="int8")[np.repeat([0, 2], 10)]
    new_x, new_y = subsample(images_of(y), y, 0.5, seed=1)
    assert new_y.sum(axis=0).tolist() == [5, 0, 5, 0]
    assert len(new_x) == 10


@pytest.mark.parametrize(
    ("fraction", "error"),
    [(0, ValueError), (1.1, ValueError), (float("nan"), ValueError), ("1", TypeError)],
)
def test_subsample_bad_fraction(fraction, error):
    with pytest.raises(error, match="fraction="):
        subsample(np.zeros((2, 2, 2)), [0, 1], fraction)


def test_tensors_and_tables_are_cut_as_arrays_are():
    pandas = pytest.importorskip("pandas")
    y = np.array([0, 0, 0, 1, 1])
    x = images_of(y)
    expected, labels = make_imbalance(x, y, {0: 1}, seed=0)
    tensors = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    found, found_labels = make_imbalance(*tensors, {0: 1}, seed=0)
    assert (found == expected).all()
    assert (found_labels == labels).all()
    table = pandas.DataFrame({"file": [*"abcde"]}, index=[5, 6, 7, 8, 9])
    rows, _ = make_imbalance(table, pandas.Series(y), {0: 1}, seed=0)
    assert [*rows.file] == ["abcde"[int(one[0, 0])] for one in expected]
