import copy

import numpy as np
import pytest
from matplotlib.image import imread

import keras_balance as kb
from keras_balance.callbacks import generated_images
from small_models import dense_networks

pytestmark = pytest.mark.once


class Generator:
    """What the callback asks of a model: squares brighter with class and epoch."""

    num_classes = 3
    value_range = (-1, 1)

    def __init__(self):
        self.epoch = 0
        self.calls = []

    def generate(self, labels, seed=None):
        self.calls.append((list(labels), seed))
        levels = -1 + 0.4 * np.asarray(labels) + 0.1 * self.epoch
        return np.ones((len(labels), 5, 4, 1), "float32") * levels[:, None, None, None]


def train(callback, model, epochs):
    callback.set_model(model)
    callback.set_params({"epochs": epochs})
    callback.on_train_begin()
    for epoch in range(epochs):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"g_loss": 1.0})
    callback.on_train_end()
    return model


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("blank_pictures")
def test_a_grid_every_few_epochs_and_one_after_training(tmp_path):
    pictures = kb.callbacks.GeneratedImages(tmp_path / "new", every=2)
    train(pictures, Generator(), 5)
    assert files(tmp_path / "new") == [
        "epoch_0002.png",
        "epoch_0004.png",
        "final.png",
        "strip.png",
    ]


@pytest.mark.usefixtures("blank_pictures")
@pytest.mark.parametrize(
    ("epochs", "drawn"), [(3, [1, 2, 3]), (20, [4, 8, 12, 16, 20])]
)
def test_about_five_grids_by_default(tmp_path, epochs, drawn):
    train(kb.callbacks.GeneratedImages(tmp_path), Generator(), epochs)
    grids = [f"epoch_{epoch:04d}.png" for epoch in drawn]
    assert files(tmp_path) == [*grids, "final.png", "strip.png"]


@pytest.mark.usefixtures("blank_pictures")
def test_grids_at_chosen_epochs(tmp_path):
    train(kb.callbacks.GeneratedImages(tmp_path, every=[1, 3]), Generator(), 4)
    assert files(tmp_path) == [
        "epoch_0001.png",
        "epoch_0003.png",
        "final.png",
        "strip.png",
    ]


@pytest.mark.usefixtures("blank_pictures")
def test_every_picture_follows_the_same_samples(tmp_path):
    pictures = kb.callbacks.GeneratedImages(tmp_path, every=1, per_class=2, seed=7)
    model = train(pictures, Generator(), 2)
    assert model.calls == [([0, 0, 1, 1, 2, 2], 7)] * 3


def test_a_grid_shows_each_class_in_its_scale(tmp_path):
    pictures = kb.callbacks.GeneratedImages(tmp_path, every=1, per_class=2)
    train(pictures, Generator(), 1)
    found = np.unique(imread(tmp_path / "epoch_0001.png")[..., 0])
    # -1, -0.6 and -0.2 of (-1, 1), as colours of (0, 1).
    for level in (0, 0.2, 0.4):
        assert np.abs(found - level).min() < 0.01


@pytest.fixture
def strips(monkeypatch):
    """What each strip was drawn from."""
    drawn, plots = [], generated_images.image_plots
    draw = plots.image_strip
    monkeypatch.setattr(
        plots,
        "image_strip",
        lambda grids, *rest: drawn.append(grids) or draw(grids, *rest),
    )
    return drawn


@pytest.mark.usefixtures("blank_pictures")
def test_the_strip_keeps_both_ends_of_a_long_training(tmp_path, strips):
    train(kb.callbacks.GeneratedImages(tmp_path, every=1), Generator(), 9)
    titles = list(strips[-1])
    assert len(titles) == 5
    assert titles[0] == "epoch 1"
    assert titles[-1] == "after training"


@pytest.mark.usefixtures("blank_pictures")
def test_a_model_with_class_names_is_asked_by_them(tmp_path):
    model = Generator()
    model.class_names = [7, 2, 40]
    model.generate = lambda labels, seed=None: Generator.generate(model, labels / 40)
    pictures = kb.callbacks.GeneratedImages(tmp_path, every=1, per_class=1)
    train(pictures, model, 1)
    assert model.calls[0][0] == [7 / 40, 2 / 40, 1]


@pytest.mark.usefixtures("blank_pictures")
def test_channels_first_is_drawn_too(tmp_path, strips):
    model = Generator()
    model.data_format = "channels_first"
    model.generate = lambda labels, seed=None: np.zeros((len(labels), 3, 5, 4))
    train(kb.callbacks.GeneratedImages(tmp_path, every=1, per_class=2), model, 1)
    assert strips[0]["epoch 1"].shape == (3, 2, 5, 4, 3)


def test_another_training_begins_a_new_strip(tmp_path):
    pictures = kb.callbacks.GeneratedImages(tmp_path, every=1)
    train(pictures, Generator(), 2)
    wide = imread(tmp_path / "strip.png").shape[1]
    train(copy.deepcopy(pictures), Generator(), 1)
    assert imread(tmp_path / "strip.png").shape[1] < wide


def test_a_failing_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        train(kb.callbacks.GeneratedImages(tmp_path, every=1), Generator(), 1)
    assert files(tmp_path) == []


@pytest.mark.filterwarnings("ignore:Generated images of class:UserWarning")
def test_pictures_of_a_bagan(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (24, 8, 8, 1)).astype("uint8")
    y = np.arange(24) % 3
    networks = dense_networks()
    bagan = kb.models.BAGAN((8, 8, 1), 3, **networks, candidates=0, seed=0)
    pictures = kb.callbacks.GeneratedImages(tmp_path, every=1, per_class=3)
    bagan.fit(x, y, autoencoder_epochs=2, epochs=0, callbacks=[pictures], verbose=0)
    assert files(tmp_path) == [
        "epoch_0001.png",
        "epoch_0002.png",
        "final.png",
        "strip.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"every": 0}, ValueError, "every=0"),
        ({"every": 1.5}, TypeError, "every=1.5"),
        ({"every": [1, 0]}, ValueError, "every=0"),
        ({"every": []}, ValueError, r"every=\[\]"),
        ({"every": "all"}, TypeError, "every='all'"),
        ({"per_class": 0}, ValueError, "per_class=0"),
        ({"seed": "now"}, TypeError, "seed='now'"),
        ({"directory": 3}, TypeError, "directory=3"),
        ({"directory": None}, TypeError, "directory=None"),
        ({"class_names": 3}, TypeError, "class_names=3"),
        ({"class_names": "cat"}, TypeError, "class_names='cat'"),
    ],
)
def test_bad_arguments(tmp_path, arguments, error, text):
    with pytest.raises(error, match=text):
        kb.callbacks.GeneratedImages(**{"directory": tmp_path, **arguments})


def test_what_cannot_be_drawn_is_said_before_any_training(tmp_path):
    (tmp_path / "file").touch()
    for directory, options, model, error, text in (
        (tmp_path, {"class_names": ["a"]}, Generator(), ValueError, "3 distinct names"),
        (tmp_path, {}, object(), ValueError, "without .*'generate'"),
        (tmp_path / "file", {}, Generator(), OSError, "file"),
    ):
        pictures = kb.callbacks.GeneratedImages(directory, **options)
        pictures.set_model(model)
        with pytest.raises(error, match=text):
            pictures.on_train_begin()
