"""Two devices in one process, which must be set up before Keras is: a new process."""

import keras
import pytest

COMMON = """
import keras
import numpy as np
from keras_balance.data import BalancedDataset

x = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1)).astype("uint8")
y = np.array([0] * 40 + [1] * 10)

def fit(**options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(2, activation="softmax"),
    ])
    model.compile("sgd", "sparse_categorical_crossentropy")
    dataset = BalancedDataset(x, y, seed=0, **options)
    model.evaluate(x[:2], y[:2], verbose=0)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()

def same(ones, others):
    for one, other in zip(ones, others):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)

flip = keras.layers.RandomFlip(seed=0)
"""

MIRRORED = """
# Whichever epoch it is: what a strategy reads ahead may count as one.
options = {"batch_size": 20, "synthesizer": flip, "shuffle": False, "refresh": False}
alone = fit(**options)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    same(fit(**options), alone)
    fit(batch_size=8, sampling_strategy={1: 41}, workers=2)
"""

DATA_PARALLEL = """
alone = fit(batch_size=32, synthesizer=flip)
keras.distribution.set_distribution(keras.distribution.DataParallel())
assert len(keras.distribution.list_devices()) == 2
same(fit(batch_size=32, synthesizer=flip), alone)
for options in ({"batch_size": 7}, {"sampling_strategy": {1: 11}}):
    try:
        fit(**options)
    except ValueError as error:
        assert "multiples of 2" in str(error), error
    else:
        raise AssertionError("no error")
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")
def test_mirrored_strategy(run_on_two_devices):
    run_on_two_devices(COMMON + MIRRORED)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's")
def test_data_parallel(run_on_two_devices):
    run_on_two_devices(COMMON + DATA_PARALLEL)
