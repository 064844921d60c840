import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_balance.utils.plain_data import from_bytes, is_plain, to_bytes

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.text(max_size=3) | st.integers() | st.tuples(st.integers())
plain = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=10,
)


@given(plain)
def test_comes_back_as_it_was(content):
    # By text, since NaN is not NaN.
    assert repr(from_bytes(to_bytes(content))) == repr(content)


@given(
    hnp.arrays(hnp.scalar_dtypes() | hnp.unicode_string_dtypes(), hnp.array_shapes())
)
def test_arrays_come_back_bit_for_bit(array):
    back = from_bytes(to_bytes({"nested": [array]}))["nested"][0]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


def test_numpy_numbers_stay_numpys():
    numbers = [np.float32(0.5), np.float64(0.5), np.int64(3), np.bool_(True)]
    back = from_bytes(to_bytes({"some": (numbers, {np.int64(1): np.str_("a")})}))
    assert repr(back) == repr({"some": (numbers, {np.int64(1): np.str_("a")})})


@pytest.mark.parametrize("content", [object(), {1: {2}}, [np.array([None])], print])
def test_nothing_that_could_hold_code(content):
    assert not is_plain(content)
    with pytest.raises(TypeError, match="Only plain data can be kept"):
        to_bytes(content)


def test_pickled_arrays_are_not_read(tmp_path):
    path = tmp_path / "content.npz"
    np.savez(path, json=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="Only what `to_bytes` wrote") as error:
        from_bytes(path.read_bytes())
    assert "allow_pickle" in str(error.value.__cause__)
