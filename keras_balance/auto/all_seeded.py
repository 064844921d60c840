"""Every generator there is, started from a seed for a while."""

import contextlib

import keras

from keras_balance.models.training.gradients import keep_random_state
from keras_balance.utils.seeds import seeded


@contextlib.contextmanager
def all_seeded(seed):
    """Do what `keras.utils.set_random_seed` does, for a while.

    Python's, NumPy's and torch's generators then go on where they were. TensorFlow's
    seed and Keras' own generator do not: there is no public way to ask for their state.
    """
    with seeded(seed), keep_random_state():
        keras.utils.set_random_seed(seed)
        yield
