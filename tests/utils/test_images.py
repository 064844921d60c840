import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.utils.images import (
    check_finite,
    check_images,
    check_same_length,
    check_value_range,
    rescale,
)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int32", "bool", "float16", "float32", "float64"]
)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 8, 8, 5), (2, 3, 27, 31)])
def test_images_of_any_size_and_number(shape, dtype):
    check_images(np.zeros(shape, dtype))


@pytest.mark.backend
@pytest.mark.parametrize("dtype", ["uint8", "float32", "bfloat16"])
def test_tensors_of_the_backend(dtype):
    x = keras.ops.zeros((2, 4, 4, 1), dtype)
    if dtype == "bfloat16":
        with pytest.raises(TypeError, match=r"numbers.*bfloat16"):
            check_images(x)
    else:
        check_images(x)


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4), (1, 2, 4, 4, 1), ()])
def test_wrong_rank(shape):
    with pytest.raises(ValueError, match=r"rank 4.*Received: images of shape"):
        check_images(np.zeros(shape), name="images")


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (2, 0, 4, 1), (2, 4, 4, 0)])
def test_nothing_there(shape):
    with pytest.raises(ValueError, match="at least one image"):
        check_images(np.zeros(shape))


@pytest.mark.parametrize("x", [[[[[1.0]]]], None, "images"])
def test_no_array(x):
    with pytest.raises(TypeError, match="must be an array"):
        check_images(x)


@pytest.mark.parametrize("dtype", ["complex64", "U1", "object", "datetime64[s]"])
def test_no_numbers(dtype):
    with pytest.raises(TypeError, match=r"must hold numbers. Received: x of dtype"):
        check_images(np.zeros((1, 2, 2, 1), dtype))


@given(
    place=st.tuples(*[st.integers(0, size - 1) for size in (5, 3, 4, 2)]),
    value=st.sampled_from([np.nan, np.inf, -np.inf]),
)
@settings(max_examples=30, deadline=None)
def test_first_bad_pixel_is_named(place, value):
    x = np.zeros((5, 3, 4, 2), "float32")
    x[place] = value
    x[4, 2, 3, 1] = np.nan
    first = min(place, (4, 2, 3, 1))
    index = ", ".join(map(str, first))
    with pytest.raises(ValueError, match=rf"Received: x\[{index}\]={x[first]}"):
        check_images(x)


def test_bad_pixel_far_behind():
    x = np.zeros((9000, 1, 1, 1), "float32")
    x[8888] = np.nan
    with pytest.raises(ValueError, match=r"x\[8888, 0, 0, 0\]=nan"):
        check_images(x)


@pytest.mark.parametrize("size", [(10_000, 1, 1, 1), (20, 1000, 1000, 1)])
def test_images_on_disk_are_read_in_slices(size):
    """What is too large for memory is never asked for as a whole."""

    class OnDisk:
        shape, dtype = size, np.dtype("float32")
        largest = 0

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, key):
            part = np.broadcast_to(self.dtype.type(0), self.shape)[key]
            self.largest = max(self.largest, len(part))
            return part

        def __array__(self, *args, **kwargs):
            raise AssertionError("read as a whole")

    images = OnDisk()
    check_images(images)
    assert 0 < images.largest <= min(4096, size[0] // 2)


def test_whole_numbers_are_not_read_at_all():
    class Unread:
        shape, dtype = (10, 4, 4, 1), np.dtype("uint8")

    check_images(Unread())


def test_check_finite_of_any_rank():
    check_finite(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"weights\[1, 0\]=inf"):
        check_finite(np.array([[0.0], [np.inf]]), name="weights")


def test_lengths():
    check_same_length(np.zeros(3), [1, 2, 3])
    with pytest.raises(ValueError, match=r"len\(x\)=3, len\(y\)=2"):
        check_same_length(np.zeros(3), [1, 2])
    with pytest.raises(ValueError, match=r"`rows` and .* len\(labels\)=2"):
        check_same_length(np.zeros(3), [1, 2], ("rows", "labels"))


@pytest.mark.parametrize("value_range", [(0, 255), [-1, 1], np.array([0.0, 1.0])])
def test_value_range(value_range):
    low, high = check_value_range(value_range)
    assert (low, high) == tuple(value_range)
    assert type(low) is type(high) is float


@pytest.mark.parametrize(
    "value_range",
    [(1, 0), (1, 1), (0, np.nan), (0, np.inf), (0,), (0, 1, 2), 5, None, "01", "ab"],
)
def test_bad_value_range(value_range):
    with pytest.raises(ValueError, match=r"low < high. Received: value_range="):
        check_value_range(value_range)


RANGES = st.tuples(st.floats(-300, 300), st.floats(1, 300)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)


@given(
    pixels=st.lists(st.floats(0, 1), min_size=1, max_size=5).map(np.array),
    one=RANGES,
    other=RANGES,
)
@settings(max_examples=50, deadline=None)
def test_rescale_keeps_limits_and_comes_back(pixels, one, other):
    np.testing.assert_allclose(rescale(np.array(one), one, other), other, atol=1e-9)
    images = rescale(pixels, (0, 1), one)
    again = rescale(rescale(images, one, other), other, one)
    np.testing.assert_allclose(again, images, atol=1e-6)


def test_images_without_channels_are_told_how_to_gain_them():
    with pytest.raises(ValueError, match=r"Give x\[\.\.\., None\]"):
        check_images(np.zeros((3, 8, 8)))
    with pytest.raises(ValueError, match=r"channels\)\. Received"):
        check_images(np.zeros((3, 8)))
