"""A generator of one's own: networks, the steps of its phases, one registration."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_balance as kb
from keras_balance.models.generators.class_generator import ClassGenerator
from keras_balance.models.training import gradients
from keras_balance.models.training.phases import Phase
from small_data import grey_images
from small_models import EAGERLY


def step(means, data):
    """Move the mean image of each class towards its images."""
    images, labels = means.read_batch(data)

    def loss_function():
        return ops.mean(ops.square(means.network(labels) - images))

    optimizer, variables = means.optimizer["means"], means.trained_by["means"]
    return means.track(
        loss=gradients.minimize(means, loss_function, optimizer, variables)
    )


class MeanImages(ClassGenerator):
    phases = (Phase("means", step, ("means",), steps=30),)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, augmentation=None, **kwargs)
        embedding = keras.layers.Embedding(
            self.num_classes, int(np.prod(self.image_shape))
        )
        reshape = keras.layers.Reshape(self.image_shape)
        self.network = keras.Sequential(
            [keras.Input((), dtype="int32"), embedding, reshape]
        )
        self.finish_building("loss")

    @property
    def trained_by(self):
        return {"means": self.network.trainable_variables}

    @property
    def served(self):
        return self.network.weights

    def compile(self, **kwargs):
        self.compile_phases({"means": keras.optimizers.Adam(0.05)}, {}, **kwargs)

    def draw(self, indices, generator, batch_size):
        means = ops.convert_to_numpy(self.network(indices))
        return means + generator.normal(scale=0.05, size=means.shape)


def fit(images, seed):
    names = images.encoding.classes
    model = MeanImages(images.image_shape, len(names), class_names=names, seed=seed)
    model.compile(run_eagerly=EAGERLY)
    model.fit(images, verbose=0)
    return model


@pytest.fixture
def name():
    kb.data.registry.register("means", fit, rank=75)
    yield "means"
    kb.data.registry.unregister("means")


def test_a_generator_is_networks_steps_and_one_registration(name):
    x, y = grey_images((20, 6))
    names = np.array(["dark", "light"])[y]
    filled = kb.BalancedDataset(x, names, synthesizer=name, batch_size=40, seed=0)
    images, labels = filled[0]
    known = {image.tobytes() for image in x.astype("float32")}
    made = np.array([image.tobytes() not in known for image in images])
    assert made.sum() == 14
    assert set(labels[made]) == {"light"}
    level = x[y == 1].mean()
    assert images[made].mean((1, 2, 3)) == pytest.approx(level, abs=8)
    # Whoever reads the names has it: tests/data/synthesis/test_registry.py.
    assert name in kb.data.registry.names("auto")
