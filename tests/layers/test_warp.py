"""Resampling against scipy.ndimage, which knows what is right."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from keras_balance.layers import warp
from keras_balance.layers.base import ImageLayer

OPS = ImageLayer().backend
# The names scipy has for the fill modes.
MODES = {"constant": "grid-constant", "wrap": "grid-wrap"}


def pictures(n=2, height=9, width=13, channels=2, dtype="float32"):
    rng = np.random.default_rng(5)
    return rng.uniform(0, 255, (n, height, width, channels)).astype(dtype)


def tensor(values):
    return keras.ops.convert_to_tensor(np.asarray(values, "float32"))


def numpy(values):
    return keras.ops.convert_to_numpy(values)


def matrix_of(size, rotation=0.0, zoom=0.0, shear=0.0, shift_y=0.0, shift_x=0.0):
    """Affine matrix of two images: one that moves, and one that stays."""
    moves = [tensor([move, 0]) for move in (rotation, zoom, shear, shift_y, shift_x)]
    return warp.affine_matrix(OPS, size, *moves)


def moved(images, matrix, displacement=None, **how):
    how = {"interpolation": "bilinear", "fill_mode": "constant", "fill_value": 0} | how
    return numpy(warp.move(OPS, tensor(images), matrix, displacement, **how))


def reference(image, y, x, interpolation, fill_mode, fill_value):
    mode = MODES.get(fill_mode, fill_mode)
    how = {"order": int(interpolation == "bilinear"), "mode": mode, "cval": fill_value}
    channels = np.moveaxis(image, -1, 0)
    return np.stack(
        [ndimage.map_coordinates(c, [y, x], **how) for c in channels], axis=-1
    )


@pytest.mark.parametrize("interpolation", warp.INTERPOLATIONS)
@pytest.mark.parametrize("fill_mode", warp.FILL_MODES)
def test_resample_is_scipys(fill_mode, interpolation):
    images = pictures()
    # Half a turn of coordinates that reach far outside on all sides.
    y, x = np.random.default_rng(0).uniform(-30, 40, (2, 2, 9, 13)).astype("float32")
    resampled = warp.resample(
        OPS, tensor(images), tensor(y), tensor(x), interpolation, fill_mode, 7.0
    )
    for i in range(2):
        expected = reference(images[i], y[i], x[i], interpolation, fill_mode, 7.0)
        np.testing.assert_allclose(numpy(resampled)[i], expected, atol=0.02)


@pytest.mark.parametrize("interpolation", warp.INTERPOLATIONS)
@pytest.mark.parametrize("fill_mode", warp.FILL_MODES)
def test_affine_maps_are_scipys(fill_mode, interpolation):
    """Through Keras' kernel as through `resample`."""
    images = pictures()
    matrix = matrix_of((9, 13), 0.07, 0.3, 0.1, 0.15, -0.2)
    y, x = (numpy(c)[0] for c in warp.affine_coordinates(OPS, matrix, (9, 13)))
    how = {"interpolation": interpolation, "fill_mode": fill_mode, "fill_value": 7.0}
    result = moved(images, matrix, **how)
    np.testing.assert_allclose(result[0], reference(images[0], y, x, **how), atol=0.02)
    np.testing.assert_allclose(result[1], images[1], atol=1e-3)


@given(degrees=st.floats(-180, 180))
@settings(max_examples=10, deadline=None)
def test_rotation_is_scipys(degrees):
    images = pictures(2, 15, 15, 1)
    result = moved(images, matrix_of((15, 15), rotation=degrees / 360))[0, ..., 0]
    expected = ndimage.rotate(
        images[0, ..., 0], degrees, reshape=False, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(result, expected, atol=0.1)


def test_quarter_turn_is_counter_clockwise():
    images = pictures(2, 8, 8)
    result = moved(images, matrix_of((8, 8), rotation=0.25))
    np.testing.assert_allclose(result[0], np.rot90(images[0]), atol=0.01)


@pytest.mark.parametrize("zoom", [-0.5, -0.2, 0.25, 1.0])
def test_zoom_has_the_stated_factor(zoom):
    """Positive zooms out: an object shrinks by 1 + zoom."""
    y, x = np.mgrid[:61, :61] - 30.0
    blob = np.exp(-(y**2 + x**2) / (2 * 5.0**2))[None, ..., None] * 255
    result = moved(np.repeat(blob, 2, 0), matrix_of((61, 61), zoom=zoom))[0, ..., 0]
    spread = np.sqrt((result * y**2).sum() / result.sum())
    assert abs(spread * (1 + zoom) / 5.0 - 1) < 0.02


def test_shift_is_down_and_right():
    images = pictures(2, 8, 10)
    result = moved(images, matrix_of((8, 10), shift_y=0.25, shift_x=0.1))[0]
    np.testing.assert_allclose(result[2:, 1:], images[0, :-2, :-1], atol=0.01)
    np.testing.assert_allclose(result[:2], 0, atol=1e-3)


def test_shear_leans_to_the_right():
    column = np.zeros((2, 9, 9, 1))
    column[:, :, 4] = 1
    result = moved(column, matrix_of((9, 9), shear=0.5))[0, ..., 0]
    assert result[0].argmax() == 6
    assert result[4].argmax() == 4
    assert result[8].argmax() == 2


def test_moves_are_rotation_then_shear_then_zoom_then_shift():
    images = ndimage.gaussian_filter(pictures(2, 41, 41, 1), (0, 4, 4, 0))
    moves = {"rotation": 0.05, "shear": 0.2, "zoom": -0.1}
    step = images
    for name, move in moves.items():
        step = moved(step, matrix_of((41, 41), **{name: move}), fill_mode="nearest")
    step = moved(step, matrix_of((41, 41), shift_x=0.1), fill_mode="nearest")
    once = moved(images, matrix_of((41, 41), **moves, shift_x=0.1), fill_mode="nearest")
    np.testing.assert_allclose(once[0, 8:-8, 8:-8], step[0, 8:-8, 8:-8], atol=3)


def test_boxes_go_where_pixels_go():
    image = np.zeros((2, 40, 50, 1))
    image[:, 10:20, 15:30] = 1
    matrix = matrix_of((40, 50), rotation=0.25, zoom=0.0, shift_x=0.1)
    box = tensor([[[15, 10, 30, 20]]] * 2)
    left, top, right, bottom = numpy(warp.affine_boxes(OPS, matrix, box))[0, 0]
    rows, columns = np.nonzero(moved(image, matrix)[0, ..., 0] > 0.5)
    np.testing.assert_allclose(
        [left, top, right, bottom],
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1],
        atol=0.01,
    )


def displacement(n=200, size=(28, 20), factor=0.05):
    seed = keras.random.SeedGenerator(0)
    return numpy(warp.elastic_displacement(OPS, n, size, factor, 4 / 29, seed))


def test_elastic_displacement_has_the_stated_spread_everywhere():
    fields = displacement()
    assert fields.shape == (2, 200, 28, 20)
    spread = fields.std(axis=1)
    np.testing.assert_allclose(spread[0], 0.05 * 28, rtol=0.25)
    np.testing.assert_allclose(spread[1], 0.05 * 20, rtol=0.25)
    # Rows and columns move on their own.
    assert abs(np.corrcoef(fields[0].ravel(), fields[1].ravel())[0, 1]) < 0.1


def test_elastic_displacement_is_smooth():
    fields = displacement()
    steps = np.diff(fields, axis=2).std() / fields.std()
    # Gaussian filter of width s: neighbours differ by 1 / (sqrt(2) s).
    assert abs(steps / (1 / (np.sqrt(2) * 28 * 4 / 29)) - 1) < 0.15


def test_elastic_pair_is_drawn_per_image():
    spreads = displacement(factor=(0.0, 0.1))[0].std(axis=(1, 2))
    assert spreads.min() < 0.2
    assert spreads.max() > 0.08 * 28 * 0.7


def test_displacement_and_affine_map_are_one_resampling():
    images = pictures()
    field = displacement(2, (9, 13))
    matrix = matrix_of((9, 13), 0.05)
    y, x = (numpy(c) for c in warp.affine_coordinates(OPS, matrix, (9, 13)))
    how = {"interpolation": "bilinear", "fill_mode": "reflect", "fill_value": 0.0}
    result = moved(images, matrix, tensor(field), **how)
    expected = reference(images[0], y[0] + field[0, 0], x[0] + field[1, 0], **how)
    np.testing.assert_allclose(result[0], expected, atol=0.02)
