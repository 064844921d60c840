import os
import shutil
import warnings

import h5py
import keras
import numpy as np
import pytest

from keras_balance.models import BAGAN
from small_models import dense_networks


def small(seed=0, **kwargs):
    options = {"num_classes": 2, "seed": seed, **dense_networks((4, 4, 1), 2)}
    bagan = BAGAN((4, 4, 1), **{**options, **kwargs})
    bagan.compile()
    return bagan


def state(bagan):
    variables = [*bagan.variables, *bagan.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("method", "name"), [("save", "a.keras"), ("save_weights", "a.weights.h5")]
)
def test_a_crash_while_saving_leaves_the_old_file(tmp_path, monkeypatch, method, name):
    path = tmp_path / name
    getattr(small(seed=1), method)(path)
    before = path.read_bytes()

    def stop(*arguments):
        raise Killed

    # All is written by then, but not in place.
    monkeypatch.setattr(os, "replace", stop)
    monkeypatch.setattr(shutil, "move", stop)
    with pytest.raises(Killed):
        getattr(small(seed=2), method)(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_keras_asks_before_it_overwrites(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "n")
    for method, name in [("save", "a.keras"), ("save_weights", "a.weights.h5")]:
        path = tmp_path / name
        getattr(small(seed=1), method)(path, overwrite=False)
        before = path.read_bytes()
        getattr(small(seed=2), method)(path, overwrite=False)
        assert path.read_bytes() == before


@pytest.mark.parametrize("method", ["save", "save_weights"])
def test_a_file_of_another_kind_is_refused_by_the_name_that_was_given(tmp_path, method):
    with pytest.raises(ValueError, match=r"filepath=\S*[/\\]bagan\.txt"):
        getattr(small(), method)(tmp_path / "bagan.txt")
    assert not list(tmp_path.iterdir())


def test_weights_come_back(tmp_path):
    one, other = small(seed=1), small(seed=2)
    one.save_weights(tmp_path / "a.weights.h5")
    other.load_weights(tmp_path / "a.weights.h5")
    for mine, theirs in zip(other.decoder.weights, one.decoder.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def foreign(path):
    """Weights that agree in the encoder, which is loaded first, but no further."""
    small(num_classes=3, seed=3).save_weights(path)


def no_weights(path):
    path.write_text("hello")


@pytest.mark.parametrize("damage", [truncated, foreign, no_weights, os.remove])
def test_bad_weights_are_refused_and_nothing_is_loaded(tmp_path, damage):
    path = tmp_path / "a.weights.h5"
    small(seed=1).save_weights(path)
    damage(path)
    bagan = small(seed=2)
    before = state(bagan)
    with pytest.raises((OSError, ValueError), match=r"nothing was loaded.*a\.weights"):
        bagan.load_weights(path)
    for kept, old in zip(state(bagan), before, strict=True):
        np.testing.assert_array_equal(kept, old)


class Nested(keras.layers.Layer):
    """A layer that keeps another in a list of lists."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [[keras.layers.Dense(3)]]

    def call(self, inputs):
        return self.parts[0][0](inputs)


def test_what_keras_only_warns_of_is_refused(tmp_path):
    layers = [keras.layers.Flatten(), Nested(), keras.layers.Dense(2)]
    bagan = small(encoder=keras.Sequential([keras.Input((4, 4, 1)), *layers]))
    path = tmp_path / "a.weights.h5"
    bagan.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["encoder/layers/nested/parts/container"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"nothing was loaded.*nested container"):
            bagan.load_weights(path)
