import keras
import numpy as np
import pytest

from keras_balance.auto.model_digest import model_digest
from keras_balance.data import LabelledImages
from small_data import grey_images

IMAGES = LabelledImages(*grey_images((4, 4)))


class Subclassed(keras.Model):
    """Keras cannot tell what it is made of."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        return self.inner(keras.ops.reshape(inputs, (-1, 64)))


def networked(units=2, loss="mse", rate=0.1):
    inputs = keras.Input((8, 8, 1))
    row = keras.layers.Flatten()(keras.layers.RandomFlip()(inputs))
    row = keras.layers.Add()([keras.layers.Dense(units)(row) for _ in range(2)])
    model = keras.Model(inputs, row)
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


def subclassed(units=2):
    model = Subclassed(lambda row: row)
    model.inner = keras.layers.Dense(units)
    model.compile("sgd", lambda y, outputs: outputs)
    return model


def started_at(number):
    """A model that begins with weights from elsewhere."""
    model = networked()
    model.set_weights([np.full(w.shape, number) for w in model.get_weights()])
    return model


def drawn():
    return started_at(np.random.default_rng().random())


def digest(build, *args):
    return model_digest(lambda: build(*args), IMAGES, 0)


@pytest.mark.parametrize("build", [networked, subclassed, drawn])
def test_made_again_a_model_is_the_same(build):
    assert digest(build) == digest(build)


def test_other_layers_or_another_training_are_another_model():
    found = [
        digest(networked),
        digest(networked, 3),
        digest(networked, 2, "mae"),
        digest(networked, 2, "mse", 0.2),
        digest(subclassed),
        digest(subclassed, 3),
        digest(started_at, 0.1),
        digest(started_at, 0.2),
    ]
    assert len(set(found)) == len(found)


def test_the_last_digits_of_weights_are_those_of_a_machine():
    assert digest(started_at, 0.1) == digest(started_at, 0.1 + 1e-8)
