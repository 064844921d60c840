"""Trainings whose epochs end when their last batch is seen."""

import contextlib
import contextvars
import functools

import keras

_UNTUNED = contextvars.ContextVar("untuned", default=False)


@contextlib.contextmanager
def untuned(*fed):
    """Within it, iterators of `tf.data` are not tuned; elsewhere nothing changes.

    On TensorFlow Keras makes a `tf.data` pipeline of all that `fit` and `predict` get.
    The thread that tunes it may miss that it has ended (TensorFlow 2.21): then the end
    waits for that thread's next round, by chance for as long as the epoch took. There
    is nothing to tune in a feed that is one generator: Keras itself switches it off
    where a `PyDataset` has workers. On JAX and torch it does nothing.

    Args:
        *fed: What `fit` gets that may be a pipeline of the user's, who wants it tuned:
            where one is, nothing changes.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    _listen()
    tuned = any(isinstance(pipeline, tf.data.Dataset) for pipeline in fed)
    token = _UNTUNED.set(not tuned)
    try:
        yield
    finally:
        _UNTUNED.reset(token)


@functools.cache
def _listen():
    """Let TensorFlow's datasets ask, once for all, whether they are to be tuned."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    iterate = tf.data.Dataset.__iter__

    @functools.wraps(iterate)
    def iterate_as_told(dataset):
        return iterate(dataset.with_options(options) if _UNTUNED.get() else dataset)

    tf.data.Dataset.__iter__ = iterate_as_told
