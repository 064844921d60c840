"""What `draw` needs beside the weights fits to them, however a training ends."""

import keras
import numpy as np
import pytest

from keras_balance.callbacks import ResumableBackup
from keras_balance.models import BAGAN, CVAEGAN, DAGAN, VAE
from keras_balance.models.training.weights import snapshot
from small_data import class_images
from small_models import EAGERLY

pytestmark = [
    pytest.mark.usefixtures("small_networks"),
    # A step or two leave every image of a class alike.
    pytest.mark.filterwarnings("ignore:Generated images of class"),
]

SHAPE = (8, 8, 1)
each = pytest.mark.parametrize("kind", [BAGAN, CVAEGAN, DAGAN, VAE])


def small(kind, **kwargs):
    model = kind(SHAPE, 3, augmentation=None, **{"candidates": 0, "seed": 1, **kwargs})
    model.compile(run_eagerly=EAGERLY)
    return model


def fit(model, **kwargs):
    """Train the first phase alone, two epochs unless told otherwise."""
    x, y = class_images((8, 6, 2))
    options = {"verbose": 0, "batch_size": 24, **epochs_of(type(model), 2)}
    return model.fit(x, y, **{**options, **kwargs})


def epochs_of(kind, first):
    """Arguments of `fit`: epochs of the first phase alone."""
    if len(kind.phases) == 1:
        return {"epochs": first}
    return {"autoencoder_epochs": first, "epochs": 0}


def draw(model):
    return model.generate([0, 1, 2], seed=0)


class SavesAndDraws(keras.callbacks.Callback):
    """After an epoch it saves the model, and then draws from it."""

    def __init__(self, save):
        super().__init__()
        self.save = save

    def on_epoch_end(self, epoch, logs=None):
        self.load = self.save(self.model)
        self.images = draw(self.model)


def whole(model, folder):
    model.save(folder / "model.keras")
    return lambda: keras.saving.load_model(folder / "model.keras")


def by_keras(model, folder):
    keras.saving.save_model(model, folder / "model.keras")
    return lambda: keras.saving.load_model(folder / "model.keras")


def weights(model, folder):
    model.save_weights(folder / "a.weights.h5")

    def load():
        other = small(type(model), seed=2)
        other.load_weights(folder / "a.weights.h5")
        return other

    return load


@pytest.mark.parametrize(
    ("kind", "save"), [(BAGAN, whole), (DAGAN, whole), (VAE, by_keras), (VAE, weights)]
)
def test_what_is_saved_in_training_draws_as_the_model_did(kind, save, tmp_path):
    watch = SavesAndDraws(lambda model: save(model, tmp_path))
    fit(small(kind), callbacks=[watch])
    np.testing.assert_array_equal(draw(watch.load()), watch.images)


class PutsBack(keras.callbacks.Callback):
    """At the end it puts the weights of an epoch back, as `EarlyStopping` does."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            self.kept = snapshot(self.model)

    def on_train_end(self, logs=None):
        self.model.set_weights(self.kept)


@each
def test_weights_that_were_put_back_draw_what_their_epoch_did(kind):
    then, now = small(kind), small(kind)
    fit(then, **epochs_of(kind, 1))
    fit(now, callbacks=[PutsBack(0)])
    np.testing.assert_array_equal(draw(now), draw(then))


@each
def test_weights_of_an_earlier_phase_that_were_put_back(kind):
    then, now = small(kind), small(kind)
    fit(then)
    fit(now, epochs=3, callbacks=[PutsBack(1)])
    np.testing.assert_array_equal(draw(now), draw(then))


@each
def test_a_training_that_was_over_draws_what_it_did(kind, tmp_path):
    def train():
        model, backup = small(kind), ResumableBackup(tmp_path / "backup")
        fit(model, initial_epoch=backup.epoch, callbacks=[backup])
        return draw(model)

    np.testing.assert_array_equal(train(), train())


class Interrupts(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now:
            raise KeyboardInterrupt


@pytest.mark.once
@pytest.mark.parametrize("kind", [BAGAN, CVAEGAN, DAGAN])
def test_what_the_first_epoch_of_the_gan_averages_stays(kind):
    model = small(kind)
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=1, callbacks=[Interrupts(2)])
    before = snapshot(model.generator)
    draw(model)
    for kept, old in zip(model.generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)
