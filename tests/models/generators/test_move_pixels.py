"""DAGAN's layer that moves pixels: where they go, and that it can be learned."""

import keras
import numpy as np

from keras_balance.models.generators.dagan.move_pixels import MovePixels
from keras_balance.models.training import gradients


def moved(images, down, right):
    shifts = np.zeros((len(images), 2, 2, 2), "float32")
    shifts[..., 0], shifts[..., 1] = down, right
    return keras.ops.convert_to_numpy(MovePixels()([images, shifts]))


def test_pixels_come_from_so_far_down_and_right():
    images = np.arange(32, dtype="float32").reshape(1, 8, 4, 1)
    np.testing.assert_allclose(moved(images, 0, 0), images)
    down = moved(images, 1 / 4, 0)  # of 8 rows
    np.testing.assert_allclose(down[0, :6], images[0, 2:])
    np.testing.assert_allclose(down[0, 6:], np.stack([images[0, 7]] * 2))
    right = moved(images, 0, 1 / 8)  # half a pixel of four columns
    between = (images[0, :, :-1] + images[0, :, 1:]) / 2
    np.testing.assert_allclose(right[0, :, :-1], between)


def test_shifts_are_learned():
    """A ramp is brighter the further right it is looked up."""
    images = np.tile(np.arange(8, dtype="float32"), (1, 8, 1))[..., None]
    shifts = keras.Variable(np.full((1, 2, 2, 2), 0.01, "float32"))
    layer = MovePixels()

    def brightness(shifts):
        return keras.ops.mean(layer([images, shifts]))

    slopes = gradients.differentiate(brightness, shifts.value)
    slopes = keras.ops.convert_to_numpy(slopes)
    np.testing.assert_allclose(slopes[..., 0], 0, atol=1e-6)
    assert (slopes[..., 1] > 0.5).all()


def test_survives_a_file(tmp_path):
    inputs = [keras.Input((4, 4, 1)), keras.Input((2, 2, 2))]
    model = keras.Model(inputs, MovePixels()(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    given = [rng.random((3, 4, 4, 1)), 0.1 * rng.normal(size=(3, 2, 2, 2))]
    np.testing.assert_array_equal(
        *(one.predict(given, verbose=0) for one in (model, loaded))
    )
