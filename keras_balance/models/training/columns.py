"""Columns of all phases in the log files of a training."""

import contextlib

import keras


def with_columns(callbacks, names):
    """Callbacks in which each `CSVLogger` knows the keys of all phases.

    It takes its columns from its first epoch, and would leave out what a later phase
    logs. What a phase does not log is "NA" in its rows, as Keras writes it.

    Args:
        callbacks: Sequence of Keras callbacks.
        names: Keys of the logs of all phases.
    """
    behind = []
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.CSVLogger):
            behind.append(_Columns(callback, names))
        behind.append(callback)
    return behind


@contextlib.contextmanager
def appending(callbacks):
    """Have each `CSVLogger` go on in its file where training begins once more.

    Args:
        callbacks: As in `keras.Model.fit`.
    """
    csv = keras.callbacks.CSVLogger
    loggers = [one for one in keras.tree.flatten(callbacks) if isinstance(one, csv)]
    kept = [logger.append for logger in loggers]
    try:
        for logger in loggers:
            logger.append = True
        yield
    finally:
        for logger, append in zip(loggers, kept, strict=True):
            logger.append = append


class _Columns(keras.callbacks.Callback):
    """Gives the `CSVLogger` behind it its columns when its first epoch ends."""

    def __init__(self, logger, names):
        super().__init__()
        self._logger, self._names = logger, names

    def on_epoch_end(self, epoch, logs=None):
        if self._logger.keys is None:
            self._logger.keys = sorted({*self._names, *(logs or {})})
