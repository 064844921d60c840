"""BAGAN on two devices in one process, which must be set up before Keras is."""

import os
import subprocess
import sys

import keras
import pytest

COMMON = """
import keras
import numpy as np
from keras_balance.models import BAGAN

x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1)).astype("uint8")
y = np.arange(64) % 2

def change():
    "How the first weights move in both phases; without noise, all but the same."
    options = {"code_noise": 0, "augmentation": None, "latent_dim": 4, "seed": 0}
    bagan = BAGAN((8, 8, 1), 2, **options)
    bagan.compile(*(keras.optimizers.SGD(0.1) for _ in range(3)))
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

MIRRORED = (
    """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
"""
    + COMMON
    + """
alone = change()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    same(change(), alone)
print("done")
"""
)

DATA_PARALLEL = (
    COMMON
    + """
alone = change()
keras.distribution.set_distribution(keras.distribution.DataParallel())
assert len(keras.distribution.list_devices()) == 2
same(change(), alone)
print("done")
"""
)


def run(script, **environment):
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.stdout.endswith("done\n"), finished.stderr[-2000:]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")
def test_mirrored_strategy():
    run(MIRRORED, KERAS_BACKEND="tensorflow")


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's")
def test_data_parallel():
    flag = "--xla_force_host_platform_device_count=2"
    run(DATA_PARALLEL, KERAS_BACKEND="jax", XLA_FLAGS=flag)
