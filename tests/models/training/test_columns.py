import csv

import keras
import numpy as np
import pytest

from keras_balance.models import BAGAN
from small_models import EAGERLY, dense_networks


class Added(keras.callbacks.Callback):
    """Logs a key of its own, as a report does."""

    def on_epoch_end(self, epoch, logs=None):
        logs["own"] = float(epoch)


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.once  # JAX compiles for a minute
@pytest.mark.filterwarnings("ignore:Generated images of class")
def test_a_log_file_has_the_columns_of_all_phases(tmp_path):
    y = np.repeat([0, 1], 4)
    x = np.random.default_rng(0).uniform(0, 255, (8, 4, 4, 1)).astype("float32")
    bagan = BAGAN((4, 4, 1), 2, **dense_networks((4, 4, 1)), candidates=0, seed=0)
    bagan.compile(run_eagerly=EAGERLY)
    path = tmp_path / "log.csv"
    callbacks = [Added(), keras.callbacks.CSVLogger(path)]
    options = {"autoencoder_epochs": 1, "epochs": 1, "callbacks": callbacks}
    history = bagan.fit(x, y, **options, verbose=0).history
    first, second = read(path)
    keys = {"epoch", "own", "autoencoder_loss", "d_loss", "g_loss", "diversity"}
    assert {*first} == keys == {"epoch", *history}
    assert [first["d_loss"], second["autoencoder_loss"]] == ["NA", "NA"]
    assert float(first["autoencoder_loss"]) == history["autoencoder_loss"][0]
    assert float(second["d_loss"]) == history["d_loss"][0]
    assert second["own"] == "1.0"
    # A second training writes the file anew, and as whole.
    bagan.fit(x, y, **options, verbose=0)
    assert {*read(path)[0]} == keys
