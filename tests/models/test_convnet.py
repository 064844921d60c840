import keras
import numpy as np
import pytest

from keras_balance.models import convnet


def test_is_the_papers_network():
    assert convnet().count_params() == 1_199_882  # as Keras' mnist_cnn example


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 12, 3)])
def test_learns_from_uint8_and_sparse_labels_as_it_is(shape):
    x = np.random.default_rng(0).integers(0, 256, (12, *shape), dtype="uint8")
    model = convnet(shape, num_classes=3)
    history = model.fit(x, np.arange(12) % 3, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert "accuracy" in history
    np.testing.assert_allclose(model.predict(x, verbose=0).sum(axis=1), 1, atol=1e-5)


def test_rescales_its_value_range():
    x = np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")
    keras.utils.set_random_seed(1)
    unit = convnet((8, 8, 1), 3, value_range=(0, 1)).predict(x, verbose=0)
    keras.utils.set_random_seed(1)
    signed = convnet((8, 8, 1), 3, value_range=(-1, 1)).predict(2 * x - 1, verbose=0)
    np.testing.assert_allclose(unit, signed, atol=1e-5)


def test_refuses_what_it_cannot_serve():
    with pytest.raises(ValueError, match=r"8x8 or larger.*input_shape=\(7, 8, 1\)"):
        convnet((7, 8, 1))
    with pytest.raises(ValueError, match="num_classes=1"):
        convnet(num_classes=1)
    for shape in (7, None, (8, 8), (8, 8.0, 1), (8, 8, -1), "8x8"):
        with pytest.raises(ValueError, match="`input_shape` must be one image's"):
            convnet(shape)
    with pytest.raises(TypeError, match="num_classes='3'"):
        convnet(num_classes="3")
