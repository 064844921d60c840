import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.utils.labels import (
    count_classes,
    read_class_labels,
    read_labels,
)

NAMES = st.one_of(
    st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=30).map(np.array),
    st.lists(st.sampled_from([2, 7, 40]), min_size=1, max_size=30).map(
        lambda y: np.array(y, "uint8")
    ),
    st.lists(st.sampled_from(["cat", "dog", "élan"]), min_size=1, max_size=30).map(
        np.array
    ),
    st.lists(st.integers(-5, 5), min_size=1, max_size=30).map(
        lambda y: np.array(y, "float32")
    ),
    st.lists(st.booleans(), min_size=1, max_size=30).map(np.array),
)


def one_hot(indices, num_classes, dtype="float32"):
    return np.eye(num_classes, dtype=dtype)[indices]


@given(y=NAMES, column=st.booleans())
@settings(max_examples=80, deadline=None)
def test_round_trip_of_sparse_labels_and_columns(y, column):
    y = y[:, None] if column else y
    indices, encoding = read_labels(y)
    again = encoding.encode(indices)
    np.testing.assert_array_equal(again, y)
    assert again.dtype == y.dtype
    assert again.shape == y.shape
    assert encoding.form == ("column" if column else "sparse")
    np.testing.assert_array_equal(encoding.decode(again), indices)


@given(
    indices=st.lists(st.integers(0, 3), min_size=1, max_size=30),
    dtype=st.sampled_from(["float32", "int64", "uint8", "bool"]),
)
@settings(max_examples=40, deadline=None)
def test_round_trip_of_one_hot(indices, dtype):
    y = one_hot(indices, 4, dtype)
    read, encoding = read_labels(y)
    assert read.tolist() == indices
    assert encoding.num_classes == 4
    again = encoding.encode(read)
    np.testing.assert_array_equal(again, y)
    assert again.dtype == dtype
    np.testing.assert_array_equal(encoding.decode(y), read)


@given(y=NAMES)
@settings(max_examples=40, deadline=None)
def test_classes_are_the_sorted_labels(y):
    indices, encoding = read_labels(y)
    assert encoding.classes.tolist() == sorted(set(encoding.names(indices).tolist()))
    assert indices.dtype == "int64"
    np.testing.assert_array_equal(encoding.names(indices), y)
    for index, name in enumerate(encoding.classes):
        assert encoding.index_of(name) == index


@given(indices=st.lists(st.integers(0, 4), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_every_form_gives_the_same_indices(indices):
    indices = np.array(indices)
    for y in (indices, indices[:, None], one_hot(indices, 5)):
        read, encoding = read_labels(y, num_classes=5)
        np.testing.assert_array_equal(read, indices)
        assert encoding.num_classes == 5
    counts = count_classes(indices, 5)
    assert counts.tolist() == [np.sum(indices == label) for label in range(5)]


def test_class_names_give_the_order():
    indices, encoding = read_labels(["b", "a", "c"], class_names=["c", "b", "a"])
    assert indices.tolist() == [1, 2, 0]
    assert encoding.encode([0, 2]).tolist() == ["c", "a"]


def test_labels_of_objects():
    indices, _ = read_labels(np.array(["b", "a"], dtype=object))
    assert indices.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", ["S", object])
def test_bytes_are_read_as_text(dtype):
    y = np.array([[b"b"], ["élan".encode()]], dtype)
    indices, encoding = read_labels(y)
    assert encoding.encode(indices).tolist() == [["b"], ["élan"]]
    assert encoding.decode(y).tolist() == encoding.decode([["b"], ["élan"]]).tolist()
    assert read_labels(["b"], class_names=[b"c", b"b"])[0].tolist() == [1]


def test_encoded_labels_may_be_other_rows_than_those_read():
    _, encoding = read_labels(np.array([[7], [2], [40]], "int16"))
    encoded = encoding.encode([2, 2, 0])
    assert encoded.tolist() == [[40], [40], [2]]
    assert encoded.dtype == "int16"


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([], "at least one label"),
        (3, "at least one label"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        ([0, 1.5, 2], r"y\[1\]=1\.5"),
        ([0, np.nan], r"y\[1\]=nan"),
        ([0, np.inf], r"y\[1\]=inf"),
        ([0, 1e300], r"y\[1\]=1e\+300"),
        ([[0, 1], [1, 1]], r"y\[1\]=\[1, 1\]"),
        ([[0, 1], [0, 0]], r"y\[1\]=\[0, 0\]"),
        ([[0.5, 0.5]], r"y\[0\]=\[0\.5, 0\.5\]"),
        ([[0, np.nan]], r"y\[0\]=\[0\.0, nan\]"),
        ([["a", "b"]], "one-hot"),
        ([[0, 1], [1]], "in each row"),
    ],
)
def test_bad_labels(y, match):
    with pytest.raises(ValueError, match=match):
        read_labels(y)


@pytest.mark.parametrize("y", [[1 + 2j], np.zeros(2, "datetime64[s]")])
def test_labels_of_another_type(y):
    with pytest.raises(TypeError, match="integers or strings"):
        read_labels(y)


@pytest.mark.parametrize(
    ("y", "classes", "match"),
    [
        ([0, 3], {"num_classes": 3}, r"num_classes=3.*y\[1\]=3"),
        ([0, -1], {"num_classes": 3}, r"num_classes=3.*y\[1\]=-1"),
        (["a"], {"num_classes": 3}, r"num_classes=3.*y\[0\]='a'"),
        (np.eye(4), {"num_classes": 3}, r"num_classes=3 columns.*\(4, 4\)"),
        ([0, 9], {"class_names": [0, 7]}, r"\[0, 7\].*y\[1\]=9"),
        (["b"], {"class_names": ["a"]}, r"\['a'\].*y\[0\]='b'"),
        ([1], {"class_names": ["1"]}, r"\['1'\].*y\[0\]=1"),
    ],
)
def test_label_outside_the_declared_classes(y, classes, match):
    with pytest.raises(ValueError, match=match):
        read_labels(y, **classes)


def test_decode_refuses_what_was_not_there():
    _, encoding = read_labels([2, 7])
    with pytest.raises(ValueError, match=r"\[2, 7\].*held\[1\]=3"):
        encoding.decode([2, 3], name="held")
    _, encoding = read_labels(np.eye(3))
    with pytest.raises(ValueError, match="num_classes=3 columns"):
        encoding.decode(np.eye(4))


@pytest.mark.parametrize("label", ["c", 3, None, [2, 7]])
def test_unknown_class(label):
    _, encoding = read_labels([2, 7])
    with pytest.raises(ValueError, match=r"`minority` must be .*\[2, 7\].*minority="):
        encoding.index_of(label, name="minority")


def test_classes_go_by_their_titles_first_and_no_label_is_taken_for_one():
    _, encoding = read_labels(np.eye(3))
    numbered = dataclasses.replace(encoding, titles=(1, 2, 3))
    assert [numbered.index_of(key) for key in numbered.keys] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"\[1, 2, 3\].*label=0"):
        numbered.index_of(0)
    named = dataclasses.replace(encoding, titles=("a", "b", "c"))
    assert [named.index_of(key) for key in ("a", 1, np.int64(2))] == [0, 1, 2]


def test_name_of_the_argument_is_told():
    with pytest.raises(ValueError, match=r"`labels`.*labels\[0\]=0\.5"):
        read_labels([0.5], name="labels")


def missing():
    nan = float("nan")
    return {
        "NaN in a table": np.array(["cat", "dog", nan], dtype=object),
        "NaN in a list": ["cat", "dog", nan],
        "None": np.array(["cat", "dog", None], dtype=object),
        "None among numbers": [1, 2, None],
        "an empty cell": np.array(["cat", "dog", ""]),
        "NaT": np.array([1, 2, np.datetime64("NaT")], dtype=object),
        "a mask": np.ma.array([1, 2, 3], mask=[0, 0, 1]),
    }


@pytest.mark.parametrize("case", list(missing()))
def test_missing_labels_are_refused_and_named(case):
    with pytest.raises(ValueError, match=r"a label for every image.*y\[2\]="):
        read_labels(missing()[case])


def test_missing_labels_of_pandas():
    pandas = pytest.importorskip("pandas")
    for y in (
        pandas.Series(["cat", "dog", None]),
        pandas.Series(["cat", "dog", pandas.NA], dtype="string"),
        pandas.Series([1, 2, None], dtype="Int64"),
        pandas.Categorical(["cat", "dog", None]),
    ):
        with pytest.raises(ValueError, match=r"`y` must hold.*y\[2\]="):
            read_labels(y)


@pytest.mark.parametrize(
    "y", [["1", 1], [1, "1"], np.array([1, "1"], dtype=object), ["a", b"a"]]
)
def test_mixed_types_are_refused(y):
    with pytest.raises(ValueError, match="labels of one type"):
        read_labels(y)


def test_class_names_are_read_by_the_same_rule():
    with pytest.raises(ValueError, match="`class_names` must hold labels of one type"):
        read_labels([1], class_names=[1, "1"])
    with pytest.raises(ValueError, match=r"class_names\[1\]=None"):
        read_labels(["a"], class_names=["a", None])
    with pytest.raises(ValueError, match=r"3 distinct names.*class_names=\[0, 1, 1\]"):
        read_labels([0, 1], class_names=[0, 1, 1])


@pytest.mark.parametrize(
    "y", [["dog", "cat"], [1, 0], [[1], [0]], [1.0, 0.0], [[0, 1], [1, 0]]]
)
def test_named_classes_come_by_name_by_index_and_one_hot(y):
    indices, _ = read_class_labels(np.array(y), 2, ["cat", "dog"])
    assert indices.tolist() == [1, 0]


def test_numbers_as_names_are_names():
    indices, encoding = read_class_labels([40, 7], 3, [7, 2, 40])
    assert indices.tolist() == [2, 0]
    assert encoding.classes.tolist() == [7, 2, 40]
    with pytest.raises(ValueError, match=r"among \[7, 2, 40\]"):
        read_class_labels([0], 3, [7, 2, 40])


@pytest.mark.parametrize("y", [["emu"], [2], [[1, 0, 0]]])
def test_a_label_of_no_class_is_refused(y):
    with pytest.raises(ValueError, match="Received: y"):
        read_class_labels(y, 2, ["cat", "dog"])


def test_whole_numbers_in_half_precision():
    indices, encoding = read_labels(np.array([0, 2048, 0], "float16"))
    assert indices.tolist() == [0, 1, 0]
    assert encoding.classes.tolist() == [0, 2048]
