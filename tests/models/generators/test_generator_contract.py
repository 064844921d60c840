"""What holds for every generator; one list of them."""

import inspect

import keras
import numpy as np
import pytest

from keras_balance.callbacks import ResumableBackup
from keras_balance.data import BalancedDataset, LabelledImages
from keras_balance.data import labelled_images as door
from keras_balance.models import BAGAN, CVAEGAN, DAGAN, VAE
from keras_balance.models.generators import image_format, networks
from keras_balance.models.training import feeding
from small_data import class_images
from small_models import EAGERLY, dense_networks

SHAPE = (8, 8, 1)
NAMES = ["cat", "dog", "emu"]
# Few and small parts, for each generator.
SMALL = {
    BAGAN: {"latent_dim": 3},
    VAE: {"latent_dim": 3},
    CVAEGAN: {"latent_dim": 3},
    DAGAN: {"noise_dim": 3, "examples": 4},
}
# Epochs of the phases before the last one.
AUTOENCODER = {"autoencoder_epochs": 1}
EARLIER = {BAGAN: AUTOENCODER, VAE: {}, CVAEGAN: AUTOENCODER, DAGAN: AUTOENCODER}

each = pytest.mark.parametrize("kind", SMALL, ids=lambda kind: kind.__name__)
# What `ClassGenerator` does for all of them, and takes long.
some = pytest.mark.parametrize(
    "kind",
    [
        VAE,
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in SMALL if kind != VAE),
    ],
    ids=lambda kind: kind.__name__,
)
# A step or two leave every image of a class alike.
pytestmark = pytest.mark.filterwarnings("ignore:Generated images of class")


def data(counts=(8, 6, 1), shape=SHAPE, seed=0):
    return class_images(counts, shape, seed)


def small(kind, shape=SHAPE, num_classes=3, **kwargs):
    options = {"seed": 1, "candidates": 1, **SMALL[kind], **kwargs}
    model = kind(shape, num_classes, **options)
    model.compile(run_eagerly=EAGERLY)
    return model


def fit(model, x, y=None, **kwargs):
    epochs = {"epochs": 1, **EARLIER[type(model)]}
    return model.fit(x, y, **{"verbose": 0, "batch_size": 24, **epochs, **kwargs})


@pytest.fixture(scope="module")
def fitted():
    """One fitted generator of each kind, to be read only.

    BAGAN's own networks, which take the longest to compile, are trained in its tests.
    """
    dense = {BAGAN: dense_networks(SHAPE, 3)}
    models = {
        kind: small(kind, class_names=NAMES, **dense.get(kind, {})) for kind in SMALL
    }
    for model in models.values():
        model.history_of_fit = fit(model, *data()).history
    return models


@each
def test_draws_an_image_for_each_label(kind, fitted):
    model = fitted[kind]
    images = model.generate([0, 1, 2, 2], seed=np.int64(3))
    assert images.dtype == "float32"
    assert images.shape == (4, *SHAPE)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    assert images.max() <= 255
    np.testing.assert_array_equal(images, model.generate([0, 1, 2, 2], seed=3))
    assert np.abs(images - model.generate([0, 1, 2, 2], seed=4)).max() > 0


@each
def test_labels_come_in_any_form(kind, fitted):
    model = fitted[kind]
    expected = model.generate([0, 2], seed=5)
    for labels in (["cat", "emu"], [[0], [2]], np.eye(3)[[0, 2]]):
        np.testing.assert_array_equal(model.generate(labels, seed=5), expected)
    with pytest.raises(ValueError, match="labels"):
        model.generate([3])


@each
@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_images_are_drawn_by_so_many_at_a_time(kind, fitted, size):
    with pytest.raises((TypeError, ValueError), match=r"`batch_size` must.*=-?\d"):
        fitted[kind].generate([0, 1], batch_size=size)


@each
def test_fills_a_balanced_dataset(kind, fitted):
    x, y = data()
    for labels in (y, np.eye(3)[y], np.array(NAMES)[y]):
        filled = BalancedDataset(x, labels, synthesizer=fitted[kind], seed=0)
        assert list(filled.class_counts.values()) == [8, 8, 8]
        assert filled[0][0].shape == (24, *SHAPE)


def test_images_are_varied(fitted):
    x, _ = data(seed=1)
    made = fitted[DAGAN].vary(x, seed=0)
    assert made.shape == x.shape
    assert np.isfinite(made).all()
    np.testing.assert_array_equal(made, fitted[DAGAN].vary(x, seed=0))
    drawn = fitted[DAGAN].generate(["new"], images=(x[:3], ["new"] * 3), seed=0)
    assert drawn.shape == (1, *SHAPE)


@each
def test_a_file_holds_all_of_it(kind, fitted, tmp_path):
    model = fitted[kind]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate([0, 2], 1), model.generate([0, 2], 1))
    assert loaded.get_compile_config() == model.get_compile_config()
    for mine, theirs in zip(
        loaded.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@each
def test_logs_are_finite(kind, fitted):
    history = fitted[kind].history_of_fit
    assert any("loss" in key for key in history)
    assert np.isfinite([value for some in history.values() for value in some]).all()


@pytest.mark.usefixtures("small_networks")
@each
def test_the_config_holds_every_argument(kind):
    model = small(kind, class_names=[7, 2, 40], value_range=(-1, 1), augmentation=None)
    config = model.get_config()
    arguments = inspect.signature(kind.__init__).parameters
    assert {*arguments} - {"self", "arguments", "kwargs"} <= {*config}
    assert kind.from_config(config).get_config() == config
    seeds = [small(kind, seed=seed).get_config()["seed"] for seed in (None, np.int8(3))]
    assert seeds == [None, 3]
    assert type(seeds[1]) is int


@pytest.mark.usefixtures("small_networks")
@each
def test_nothing_is_drawn_before_training(kind):
    with pytest.raises(RuntimeError, match="run `fit`"):
        small(kind).generate([0])


@some
def test_training_follows_from_the_seed(kind):
    """And from nothing else, such as how labels are written."""
    x, y = data()
    before = x.copy()
    first, same = (small(kind, class_names=NAMES) for _ in range(2))
    other = small(kind, seed=2)
    fit(first, x, y)
    fit(same, x, np.array(NAMES)[y])
    fit(other, x, np.eye(3)[y])
    images = first.generate([0, 1, 2], seed=3)
    np.testing.assert_array_equal(same.generate([0, 1, 2], seed=3), images)
    assert np.abs(other.generate([0, 1, 2], seed=3) - images).max() > 0
    np.testing.assert_array_equal(x, before)


@some
@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
def test_any_shape(kind):
    shape = (13, 27, 3)
    model = small(kind, shape, 2, candidates=0)
    fit(model, *data([3, 1], shape))
    assert model.generate([0, 1], seed=0).shape == (2, *shape)


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("kind", [BAGAN, DAGAN])
@pytest.mark.once
def test_the_door_is_passed_once(kind, calls_at_the_door):
    """Labels are read and pixels are checked once, whatever comes behind."""
    x, y = data()
    fit(small(kind), keras.ops.convert_to_tensor(x), y)
    assert calls_at_the_door == {"read_labels": 1, "check_images": 1}


@pytest.mark.usefixtures("small_networks")
def test_labelled_images_are_through_the_door(calls_at_the_door):
    images = LabelledImages(*data())
    fit(small(VAE), images)
    assert calls_at_the_door == {"read_labels": 1, "check_images": 1}


@pytest.fixture
def calls_at_the_door(monkeypatch):
    calls = {"read_labels": 0, "check_images": 0}

    def counted(name, function):
        def count(*arguments, **kwargs):
            calls[name] += 1
            return function(*arguments, **kwargs)

        return count

    for name in calls:
        for module in (door, image_format, feeding):
            if hasattr(module, name):
                function = counted(name, getattr(module, name))
                monkeypatch.setattr(module, name, function)
    return calls


@some
@pytest.mark.once  # networks see channels_last on every backend
def test_channels_first_is_the_transpose(kind):
    x, y = data(shape=(8, 9, 2))
    last = small(kind, (8, 9, 2))
    first = small(kind, (2, 8, 9), data_format="channels_first")
    fit(last, x, y)
    fit(first, x.transpose(0, 3, 1, 2), y)
    np.testing.assert_allclose(
        first.generate([0, 2], seed=0).transpose(0, 2, 3, 1),
        last.generate([0, 2], seed=0),
        atol=0.05,
    )


@pytest.mark.usefixtures("small_networks")
@each
@pytest.mark.once
def test_balanced_is_a_flag(kind):
    with pytest.raises(TypeError, match="Received: balanced='no'"):
        small(kind, balanced="no")


@pytest.mark.usefixtures("small_networks")
@each
@pytest.mark.once
def test_what_does_not_augment_a_single_image_is_refused(kind):
    with pytest.raises(ValueError, match="`augmentation` must not mix images"):
        small(kind, augmentation=keras.layers.CutMix())
    with pytest.raises(TypeError, match=r"None or \"auto\"\. Received: .*='manual'"):
        small(kind, augmentation="manual")


@pytest.mark.once
@pytest.mark.parametrize("kind", [VAE, CVAEGAN])
def test_an_image_is_encoded_with_its_label(kind, fitted):
    x, y = data()
    for method in (fitted[kind].encode, fitted[kind].reconstruct):
        with pytest.raises(ValueError, match=r"len\(images\)=5, len\(labels\)=15"):
            method(x[:5], y)


class Sampled(keras.utils.PyDataset):
    """Batches that tell no size, as those of a `DataLoader(batch_sampler=...)`."""

    batch_size = None

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(part[8 * index : 8 * index + 8] for part in data())


@pytest.mark.usefixtures("small_networks")
@pytest.mark.once
def test_what_is_shown_knows_the_size_of_batches_that_tell_none(capsys):
    fit(small(VAE), Sampled(), verbose=1)
    assert "VAE: 2 steps of 8 images" in capsys.readouterr().out


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        return data()


@pytest.mark.usefixtures("small_networks")
@each
@pytest.mark.once
def test_data_without_end_and_data_read_once_are_refused(kind):
    model = small(kind)
    with pytest.raises(ValueError, match="`x` must end"):
        fit(model, Endless())
    with pytest.raises(TypeError, match="again and again"):
        fit(model, (data() for _ in range(3)))
    with pytest.raises(ValueError, match="without class 2"):
        fit(model, *data([8, 6, 0]))


@pytest.mark.usefixtures("small_networks")
@each
@pytest.mark.once
@pytest.mark.parametrize("name", ["last", "warm_up_epochs", "steps_per_epoch"])
def test_epochs_of_no_earlier_phase_are_refused(kind, name):
    model = small(kind)
    name = f"{model.phases[-1].name}_epochs" if name == "last" else name
    with pytest.raises(TypeError, match=rf"'epochs'\]. Received: {name}=3$"):
        fit(model, *data(), **{name: 3})


@pytest.mark.usefixtures("small_networks")
@pytest.mark.once
def test_arguments_of_fit_are_named_as_they_came():
    x, y = data((60, 60, 60))
    with pytest.raises(TypeError, match="Received: validation_data=") as caught:
        fit(small(BAGAN), x, y, validation_data=(x, y))
    assert len(str(caught.value)) < 250
    with pytest.raises(ValueError, match="Received: autoencoder_epochs=-1"):
        fit(small(BAGAN), x, y, autoencoder_epochs=-1)


@pytest.mark.once
@pytest.mark.parametrize("names", [NAMES[::-1], ["x", "y", "z"]])
def test_images_that_know_other_names_are_refused(names):
    x, y = data()
    images = LabelledImages(x, np.array(NAMES)[y])
    with pytest.raises(ValueError, match="`x` must have the classes of `class_names`"):
        fit(small(VAE, class_names=names), images)


@pytest.mark.once
def test_an_image_that_is_cropped_is_whole_floats_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        decoder = networks.build_decoder((9, 11, 1), 3, seed=0)
    finally:
        keras.config.set_dtype_policy(before)
    assert decoder.output.dtype == "float32"


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("kind", [VAE, DAGAN])
@pytest.mark.once  # JAX compiles each size of batch anew, for minutes
def test_names_that_are_numbers_in_batches(kind):
    """Labels in the batches of a data set are names, too, where names are numbers."""
    x, y = data()
    labels = np.array([7, 2, 40])[y]
    model = small(kind, class_names=[7, 2, 40])
    fit(model, BalancedDataset(x, labels, batch_size=24, seed=0))
    batch = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(labels)
    _, indices = model.read_batch(batch)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(indices), y)


class Killed(Exception):
    pass


@pytest.mark.usefixtures("small_networks")
@pytest.mark.once
@some
def test_a_killed_training_goes_on_to_the_same_weights(kind, tmp_path):
    x, y = data()

    def train(path, dies_at=None):
        def maybe_die(epoch, logs):
            if epoch == dies_at:
                raise Killed

        model, backup = small(kind), ResumableBackup(path)
        watch = keras.callbacks.LambdaCallback(on_epoch_begin=maybe_die)
        fit(
            model, x, y, epochs=2, initial_epoch=backup.epoch, callbacks=[watch, backup]
        )
        return model

    whole = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", dies_at=1)
    resumed = train(tmp_path / "killed")
    assert resumed.candidate_scores == whole.candidate_scores
    for mine, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@each
@pytest.mark.once
def test_doubles_in_keras_do_not_matter(kind):
    keras.config.set_floatx("float64")
    try:
        model = small(kind)
        fit(model, *data())
        assert model.generate([0, 1]).dtype == "float32"
    finally:
        keras.config.set_floatx("float32")


@each
@pytest.mark.parametrize("argument", ["optimizer", "loss", "metrics"])
def test_a_loss_and_a_metric_of_another_model_are_refused(kind, argument):
    model = kind(SHAPE, 3, **SMALL[kind])
    with pytest.raises(TypeError, match=f"autoencoder_optimizer`.*{argument}='mse'"):
        model.compile(**{argument: "mse"})
