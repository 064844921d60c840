"""A search small enough for a test: three digits, one of them rare, a Dense model.

As a script, in processes of their own: python small_search.py DIRECTORY TRIALS
"""

import sys
import warnings

import keras
import keras_tuner
import numpy as np

import keras_balance as kb
from small_models import EAGERLY

OBJECTIVE = keras_tuner.Objective("val_f1_macro", "max")
# A BAGAN of a few steps; all else as it is.
SPACE = {"bagan_steps": 4, "latent_dim": 4}


def three_digits():
    """Training and validation data: 8x8 digits: 30, 26 and 6 images."""
    (x, y), (x_val, y_val) = kb.datasets.digits.load_data()
    keep = np.concatenate([np.flatnonzero(y == c)[:30] for c in range(3)])
    keep_val = np.flatnonzero(y_val < 3)[:40]
    x, y = kb.datasets.make_imbalance(
        x[keep][..., None], y[keep], {1: 26, 2: 6}, seed=0
    )
    return (x, y), (x_val[keep_val][..., None], y_val[keep_val])


def build(hp):
    """Build a classifier that costs next to nothing: eager, not compiled."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.1, 0.9),  # a step takes half as long as Adam's
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        run_eagerly=EAGERLY,
    )
    return model


def search(hypermodel, directory, tuner=keras_tuner.RandomSearch, **options):
    """Make a tuner that can be killed, begin with the defaults, search the digits."""
    options = {"max_trials": 3, "seed": 1} | options
    if tuner is keras_tuner.Hyperband:
        del options["max_trials"]
    tuner = tuner(hypermodel, OBJECTIVE, directory=str(directory), **options)
    kb.tuners.resumable(kb.tuners.default_first(tuner))
    data, validation = three_digits()
    tuner.search(*data, validation_data=validation, epochs=1, verbose=0)
    return tuner


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    directory, trials = sys.argv[1], int(sys.argv[2])
    hypermodel = kb.tuners.BalancedHyperModel(
        build,
        {**SPACE, "synthesizer": ["repeat", "manual"]},
    )
    search(hypermodel, directory, max_trials=trials)
    print("done")
