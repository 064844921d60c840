"""One training of a BAGAN for each distinct setting, whoever wants it."""

import zipfile

import keras
import keras_tuner
import numpy as np
import pytest

from keras_balance.data import LabelledImages
from keras_balance.models import ClassGaussians
from keras_balance.tuners import BalancedHyperModel, bagan_cache

# keras-tuner calls what `threading` has long deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(currentThread|getName):DeprecationWarning"
)

ARGUMENTS = {"latent_dim": 4, "seed": 0}


@pytest.fixture
def digits(small):
    return small.three_digits()[0]


def test_one_training_for_each_setting_of_a_search(small, hypermodel, fits, tmp_path):
    space = {
        "synthesizer": "bagan",
        "latent_dim": [2, 4],
        "balance": [0.5, 1.0],
    }
    fixed = {"synthetic_share": 1.0, "batch_size": 32}
    cache = tmp_path / "bagans"
    searched = hypermodel(search_space=space | fixed, cache_dir=cache)
    tuner = small.search(searched, tmp_path, keras_tuner.GridSearch, max_trials=9)
    assert len(tuner.oracle.trials) == 4
    assert {trial.status for trial in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert sorted(bagan.latent_dim for bagan in fits) == [2, 4]
    assert len(list(cache.glob("*.keras"))) == 2


def test_found_again_and_the_same(digits, fits, tmp_path):
    x, y = digits
    images = LabelledImages(x, y)
    first = bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS, verbose=0)
    again = bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS, verbose=0)
    assert len(fits) == 1
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.get_config() == first.get_config()
    # The same data in other words.
    for labels in (y[:, None], np.eye(3)[y], y.astype("int8")):
        bagan_cache.trained_bagan(
            tmp_path, LabelledImages(x, labels), 4, ARGUMENTS, verbose=0
        )
    weighed = images.weighed(np.arange(len(x)))
    bagan_cache.trained_bagan(tmp_path, weighed, 4, ARGUMENTS, verbose=0)
    assert len(fits) == 1


def test_whatever_differs_is_trained_apart(digits, tmp_path, monkeypatch):
    x, y = digits
    images = LabelledImages(x, y)
    names, other = [], x.copy()
    other[0, 0, 0, 0] += 1

    def load(path):
        names.append(path.name)
        raise InterruptedError

    monkeypatch.setattr(bagan_cache, "_load", load)
    for *data, steps, arguments in [
        (x, y, 4, ARGUMENTS),
        (other, y, 4, ARGUMENTS),
        (x.astype("float32"), y, 4, ARGUMENTS),
        (x, y[::-1], 4, ARGUMENTS),
        (x, np.array(["a", "b", "c"])[y], 4, ARGUMENTS),
        (x, y, 5, ARGUMENTS),
        (x, y, 4, ARGUMENTS | {"latent_dim": 5}),
        (x, y, 4, ARGUMENTS | {"seed": 1}),
    ]:
        with pytest.raises(InterruptedError):
            bagan_cache.trained_bagan(tmp_path, LabelledImages(*data), steps, arguments)
    wider = LabelledImages(x, y, value_range=(-9, 999))
    with pytest.raises(InterruptedError):
        bagan_cache.trained_bagan(tmp_path, wider, 4, ARGUMENTS)
    monkeypatch.setattr(bagan_cache, "__version__", "another")
    with pytest.raises(InterruptedError):
        bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS)
    assert len(set(names)) == len(names) == 10


@pytest.mark.parametrize("damage", ["truncated", "garbled", "foreign"])
def test_a_file_that_cannot_be_read_is_trained_anew(digits, fits, tmp_path, damage):
    x, y = digits
    images = LabelledImages(x, y)
    bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS, verbose=0)
    (path,) = tmp_path.glob("*.keras")
    whole = path.read_bytes()
    if damage == "foreign":
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.save(path)
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"x")
    bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS, verbose=0)
    assert len(fits) == 2
    bagan_cache.trained_bagan(tmp_path, images, 4, ARGUMENTS, verbose=0)
    assert len(fits) == 2


def test_nothing_is_left_of_a_training_that_fails(digits, tmp_path, monkeypatch):
    def save(self, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(bagan_cache.BAGAN, "fit", lambda *args, **kwargs: None)
    monkeypatch.setattr(bagan_cache.BAGAN, "save", save)
    with pytest.raises(OSError, match="disk full"):
        bagan_cache.trained_bagan(tmp_path, LabelledImages(*digits), 4, ARGUMENTS)
    assert list(tmp_path.iterdir()) == []


def test_steps_are_those_of_both_phases():
    # 3 classes of 320 are 15 batches of 64.
    epochs = bagan_cache._epochs(np.array([320, 50, 6]), 2000)
    assert epochs == {"autoencoder_epochs": 100, "epochs": 33}
    assert bagan_cache._epochs(np.array([30, 6]), 1) == {
        "autoencoder_epochs": 1,
        "epochs": 1,
    }


def test_folder_is_in_keras_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert bagan_cache.default_folder() == tmp_path / "keras_balance" / "bagan"


@pytest.mark.parametrize("part", [10, 8], ids=["method", "encrypted"])
def test_a_file_that_no_zip_reader_takes_is_no_model(tmp_path, part):
    path = tmp_path / "bagan.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", "{}")
        file.writestr("config.json", "{}")
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + part] = 99 if part == 10 else 1
    path.write_bytes(content)
    assert bagan_cache._load(path) is None


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"widening": 1.0}, ValueError, "bagan_arguments={'widening': 1.0}"),
        ({"latent_dim": 8}, ValueError, "bagan_arguments={'latent_dim': 8}"),
        ({"gaussians": ClassGaussians()}, TypeError, "gaussians=<"),
    ],
)
def test_arguments_are_read_before_any_trial(arguments, error, text):
    with pytest.raises(error, match=text):
        BalancedHyperModel(print, bagan_arguments=arguments)
    BalancedHyperModel(print, bagan_arguments={"tries": 2, "candidates": 0})
