"""The rule for a tuner that is to be prepared."""

import keras_tuner


def check_tuner(tuner):
    """Give a tuner of keras-tuner as it is; anything else is a `TypeError`."""
    if not isinstance(tuner, keras_tuner.Tuner):
        raise TypeError(
            f"`tuner` must be a tuner of keras-tuner. Received: tuner={tuner!r}"
        )
    return tuner
