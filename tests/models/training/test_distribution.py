"""BAGAN on two devices in one process, which must be set up before Keras is."""

import keras
import pytest

COMMON = """
import keras
import numpy as np
from keras_balance.models import BAGAN

x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1)).astype("uint8")
y = np.arange(64) % 2

def networks():
    "Dense ones, which JAX compiles quickly."
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    encoder = [keras.Input((8, 8, 1)), keras.layers.Flatten(), dense(8), dense(4)]
    decoder = [keras.Input((4,)), dense(64, "tanh"), keras.layers.Reshape((8, 8, 1))]
    parts = {"encoder": encoder, "decoder": decoder}
    return {name: keras.Sequential(layers) for name, layers in parts.items()}

def change(**networks):
    "How the first weights move in both phases; without noise, all but the same."
    options = {"augmentation": None, "latent_dim": 4, "seed": 0, **networks}
    bagan = BAGAN((8, 8, 1), 2, **options)
    bagan.compile(*(keras.optimizers.SGD(0.1) for _ in range(3)), code_noise=0)
    weights = bagan.encoder.weights[0], bagan.discriminator.weights[-2]
    before = [np.array(keras.ops.convert_to_numpy(one)) for one in weights]
    bagan.fit(x, y, autoencoder_epochs=2, epochs=1, batch_size=16, verbose=0)
    assert bagan.generate([0, 1], seed=0).shape == (2, 8, 8, 1)
    return [keras.ops.convert_to_numpy(w) - b for w, b in zip(weights, before)]

def same(ones, others):
    for one, other in zip(ones, others):
        distance, size = np.linalg.norm(one - other), np.linalg.norm(other)
        assert size > 0 and distance < 0.1 * size, (distance, size)
"""

MIRRORED = """
alone = change()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    same(change(), alone)
"""

DATA_PARALLEL = """
alone = change(**networks())
keras.distribution.set_distribution(keras.distribution.DataParallel())
assert len(keras.distribution.list_devices()) == 2
same(change(**networks()), alone)
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")
def test_mirrored_strategy(run_on_two_devices):
    run_on_two_devices(COMMON + MIRRORED)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's")
def test_data_parallel(run_on_two_devices):
    run_on_two_devices(COMMON + DATA_PARALLEL)
