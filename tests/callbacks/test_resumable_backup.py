import os
import random
import signal
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_balance.callbacks import PerClassReport, ResumableBackup
from keras_balance.data import BalancedDataset
from keras_balance.layers import RandomGaussianNoise
from keras_balance.models import BAGAN
from keras_balance.utils.files import write_sealed
from keras_balance.utils.plain_data import to_bytes
from small_data import grey_images
from small_models import EAGERLY, dense_networks

# A few steps leave every image of a class alike.
pytestmark = pytest.mark.filterwarnings("ignore:Generated images of class")

CALLBACKS = keras.callbacks


def data():
    return grey_images([30, 20, 6])


def feed(batch_size=45, seed=5, **kwargs):
    return BalancedDataset(*data(), batch_size=batch_size, seed=seed, **kwargs)


def classifier(units=4):
    """A classifier that draws random numbers in two ways, compiled."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            RandomGaussianNoise(0.1, seed=1),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3, seed=2),
            keras.layers.Dense(units, kernel_initializer="zeros"),
            keras.layers.Dense(3, kernel_initializer=keras.initializers.Zeros()),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=EAGERLY)
    return model


class Scale(keras.layers.Layer):
    """Has a weight that is a single number."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return inputs * self.scale


class Killed(Exception):
    """Stands in for SIGKILL where the process is to live on."""


class Kill(keras.callbacks.Callback):
    """Ends the training after a number of batches."""

    def __init__(self, batches, how=None):
        super().__init__()
        self.batches = batches
        self.how = how

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            if self.how is not None:
                os.kill(os.getpid(), self.how)
            raise Killed


class Stop(keras.callbacks.Callback):
    """Stops the training behind an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.stop_training = True


def train(
    path,
    kill_after=0,
    model=None,
    dataset=None,
    others=(),
    epochs=4,
    how=None,
    validation_data=None,
    initial_epoch=None,
    **kwargs,
):
    """What a script would do, in a process of its own each time; returns the model."""
    # Another process begins anywhere.
    random.seed(kill_after)
    random.random()
    keras.utils.set_random_seed(0)
    model = model or classifier()
    dataset = dataset or feed()
    backup = ResumableBackup(path, dataset, callbacks=others, **kwargs)
    model.fit(
        dataset,
        epochs=epochs,
        initial_epoch=backup.epoch if initial_epoch is None else initial_epoch,
        callbacks=[*others, backup, Kill(kill_after, how)],
        validation_data=validation_data,
        verbose=0,
    )
    return model


def train_bagan(path, kill_after=0, x=None, others=(), **kwargs):
    keras.utils.set_random_seed(0)
    bagan = BAGAN((8, 8, 1), 3, **dense_networks(), candidates=1, seed=1)
    bagan.compile(run_eagerly=EAGERLY)
    backup = ResumableBackup(path, x)
    options = {"autoencoder_epochs": 2, "epochs": 2, "batch_size": 45}
    options |= {"initial_epoch": backup.epoch, **kwargs}
    bagan.fit(
        *(data() if x is None else (x,)),
        callbacks=[*others, backup, Kill(kill_after)],
        verbose=0,
        **options,
    )
    return bagan


def state(model):
    """All there is of a model, as arrays."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def assert_same(model, expected):
    for one, other in zip(state(model), state(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.history.epoch == expected.history.epoch
    assert model.history.history == expected.history.history


# Bit for bit


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole") / "backup")


# Two batches an epoch: in the first epoch, at an epoch's last batch, at its first.
@pytest.mark.parametrize("kills", [[1], [4], [3, 2, 3]])
def test_a_killed_training_ends_with_the_same_weights(tmp_path, uninterrupted, kills):
    for kill_after in kills:
        with pytest.raises(Killed):
            train(tmp_path / "backup", kill_after)
    assert_same(train(tmp_path / "backup"), uninterrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_a_training_that_is_over_is_not_repeated(tmp_path, uninterrupted):
    train(tmp_path / "backup")
    again = train(tmp_path / "backup", kill_after=1)  # no batch comes
    assert_same(again, uninterrupted)


def test_a_training_goes_on_for_more_epochs(tmp_path, uninterrupted):
    train(tmp_path / "backup", epochs=2)
    assert_same(train(tmp_path / "backup", epochs=4), uninterrupted)


def test_a_training_that_was_stopped_goes_on_for_more_epochs(tmp_path, uninterrupted):
    def run(kill_after=0, epochs=3, **options):
        path = tmp_path / "backup"
        return train(path, kill_after, others=[Stop(1)], epochs=epochs, **options)

    stopped = run()
    assert stopped.history.epoch == [0, 1]
    over = run(kill_after=1)  # no batch comes
    assert_same(over, stopped)
    with pytest.raises(ValueError, match=r"`initial_epoch=2`.*Received: .*=3"):
        run(epochs=4)
    assert_same(run(epochs=4, initial_epoch=2), uninterrupted)


def test_a_bagan_that_was_stopped_begins_each_phase(tmp_path):
    train_bagan(tmp_path / "backup", others=[Stop(0)])
    resumed = train_bagan(tmp_path / "backup", epochs=3, initial_epoch=1)
    assert_same(resumed, train_bagan(tmp_path / "whole", epochs=3))


def test_the_feed_for_validation_goes_on_too(tmp_path):
    def run(name, kill_after=0):
        held_out = feed(batch_size=15, seed=7, synthesizer="manual")
        return train(tmp_path / name, kill_after, validation_data=held_out)

    expected = run("whole")
    with pytest.raises(Killed):
        run("backup", 5)
    assert_same(run("backup"), expected)


def test_backups_every_few_epochs(tmp_path, uninterrupted):
    with pytest.raises(Killed):
        train(tmp_path / "backup", kill_after=7, every=2)
    dataset = feed()
    backup = ResumableBackup(tmp_path / "backup", dataset)
    assert backup.epoch == dataset.epoch == 2
    assert_same(train(tmp_path / "backup"), uninterrupted)


@pytest.mark.once
def test_the_sample_of_a_bagan_is_no_epoch_of_its_data():
    dataset = feed(batch_size=15)
    bagan = BAGAN((8, 8, 1), 3, **dense_networks(), seed=1)
    bagan.compile(run_eagerly=EAGERLY)
    bagan.fit(dataset, autoencoder_epochs=1, epochs=0, verbose=0)
    assert dataset.epoch == 1


# Two batches an epoch, two epochs a phase: kills in either phase.
@pytest.mark.parametrize(
    ("kind", "kills"),
    [pytest.param("arrays", [3], marks=pytest.mark.slow), ("feed", [7])],
)
def test_a_bagan_ends_with_the_same_weights(tmp_path, kind, kills):
    def x():
        return feed(synthesizer="manual") if kind == "feed" else None

    expected = train_bagan(tmp_path / "whole", x=x())
    for kill_after in kills:
        with pytest.raises(Killed):
            train_bagan(tmp_path / "backup", kill_after, x())
    bagan = train_bagan(tmp_path / "backup", x=x())
    assert_same(bagan, expected)
    assert bagan.candidate_scores == expected.candidate_scores
    images, images_expected = (
        bagan.generate([0, 2], seed=0),
        expected.generate([0, 2], 0),
    )
    np.testing.assert_array_equal(images, images_expected)
    if kind == "feed":
        # Nor is it trained again when it is there.
        assert_same(train_bagan(tmp_path / "backup", kill_after=1, x=x()), expected)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_process_that_was_killed(tmp_path, uninterrupted):
    script = (
        "import importlib.util, signal, sys\n"
        "spec = importlib.util.spec_from_file_location('tests', sys.argv[1])\n"
        "tests = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(tests)\n"
        "tests.train(sys.argv[2], 5, how=signal.SIGKILL)\n"
    )
    path = tmp_path / "backup"
    command = [sys.executable, "-c", script, __file__, str(path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=env).returncode == -signal.SIGKILL
    assert ResumableBackup(path, feed()).epoch == 2
    assert_same(train(path), uninterrupted)


def test_callbacks_go_on_with_their_state(tmp_path):
    def others():
        x, y = data()
        report = PerClassReport(x, y)
        stop = CALLBACKS.EarlyStopping(
            "val_f1_macro", mode="max", patience=2, restore_best_weights=True
        )
        slow = CALLBACKS.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=9)
        return [report, stop, slow]

    whole = others()
    expected = train(tmp_path / "whole", others=whole, epochs=9)
    assert len(expected.history.epoch) < 9  # stopped early
    with pytest.raises(Killed):
        train(tmp_path / "backup", 6, others=others(), epochs=9)
    resumed = others()
    assert_same(train(tmp_path / "backup", others=resumed, epochs=9), expected)
    assert resumed[0].history == whole[0].history
    # Nor does it go on where it had stopped.
    assert_same(train(tmp_path / "backup", 1, others=others(), epochs=9), expected)


def test_the_best_weights_come_back_where_one_is_a_single_number(tmp_path):
    def scaled():
        layers = [*classifier().layers[:-1], Scale(), keras.layers.Dense(3)]
        model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=EAGERLY)
        return model

    def run(name, kill_after=0):
        keras.utils.set_random_seed(0)
        # The first epoch is the best one.
        options = {"min_delta": 1e6, "patience": 2, "restore_best_weights": True}
        stop = CALLBACKS.EarlyStopping("loss", **options)
        path = tmp_path / name
        return train(path, kill_after, scaled(), others=[stop], epochs=9)

    expected = run("whole")
    assert expected.history.epoch == [0, 1, 2]
    with pytest.raises(Killed):
        run("backup", 4)
    assert_same(run("backup"), expected)


@pytest.mark.once
def test_what_decides_and_is_not_kept_is_warned_of(tmp_path):
    model, dataset = classifier(), feed()
    stop = CALLBACKS.EarlyStopping("loss")
    for kept, warned in (([], True), ([stop], False)):
        backup = ResumableBackup(tmp_path / f"{warned}", dataset, callbacks=kept)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            model.fit(dataset, epochs=1, verbose=0, callbacks=[stop, backup])
        told = [str(one.message) for one in found]
        assert any("EarlyStopping begins anew" in text for text in told) == warned
        dataset.epoch = 0


@pytest.mark.parametrize(
    ("place", "text"), [("missing", "missing there"), ("behind", "behind it")]
)
def test_callbacks_that_cannot_be_kept_are_refused(tmp_path, place, text):
    stop, dataset = CALLBACKS.EarlyStopping("loss"), feed()
    backup = ResumableBackup(tmp_path / "backup", dataset, [stop])
    given = [backup, stop] if place == "behind" else [backup]
    with pytest.raises(ValueError, match=rf"in front of .*EarlyStopping, {text}"):
        classifier().fit(dataset, callbacks=given, verbose=0)


class Wrapper(keras.callbacks.Callback):
    """Hands on what it hears, as one of a user's own may."""

    def __init__(self, inner):
        super().__init__()
        self.inner = CALLBACKS.CallbackList(inner)

    def set_model(self, model):
        self.inner.set_model(model)

    def set_params(self, params):
        self.inner.set_params(params)

    def on_train_begin(self, logs=None):
        self.inner.on_train_begin(logs)


@pytest.mark.once
@pytest.mark.parametrize("inner", [["stop"], ["backup"], ["stop", "backup"]])
def test_callbacks_within_another_one_are_found(tmp_path, inner):
    stop, dataset = CALLBACKS.EarlyStopping("loss"), feed()
    backup = ResumableBackup(tmp_path / "backup", dataset, [stop])
    named = {"stop": stop, "backup": backup}
    wrapper = Wrapper([named.pop(name) for name in inner])
    others = list(named.values())
    given = [wrapper, *others] if "stop" in inner else [*others, wrapper]
    classifier().fit(dataset, callbacks=given, verbose=0)


def test_bfloat16_weights(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("bfloat16")
    try:
        expected = train(tmp_path / "whole")
        with pytest.raises(Killed):
            train(tmp_path / "backup", 3)
        assert_same(train(tmp_path / "backup"), expected)
    finally:
        keras.config.set_dtype_policy(before)


# What is no backup of this training


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A backup after the first epoch."""
    path = tmp_path_factory.mktemp("content") / "backup"
    with pytest.raises(Killed):
        train(path, 3)
    return path.read_bytes()


@pytest.fixture
def backup(tmp_path, content):
    path = tmp_path / "backup"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [0, 5, 40, 500, -1])
def test_a_truncated_file_is_refused(backup, content, end):
    backup.write_bytes(content[:end])
    with pytest.raises(ValueError, match=r"backup .*Received"):
        ResumableBackup(backup, feed())


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_changed_byte_is_noticed(backup, content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[place] ^ data.draw(st.integers(1, 255))
    with open(backup, "r+b") as file:  # what is cut to nothing first waits for the disk
        file.write(content)
        file.seek(place)
        file.write(bytes([changed]))
    with pytest.raises(ValueError, match=r"backup .*Received"):
        ResumableBackup(backup, feed())


def test_foreign_files_and_folders_are_refused(tmp_path):
    path = tmp_path / "foreign.npz"
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ValueError, match=r"foreign.npz must start with"):
        ResumableBackup(path)
    write_sealed(path, b"not an npz")
    with pytest.raises(ValueError, match=r"foreign.npz is no backup"):
        ResumableBackup(path)
    write_sealed(path, to_bytes({"f1": 0.5}))
    with pytest.raises(ValueError, match=r"foreign.npz must hold the backup"):
        ResumableBackup(path)
    with pytest.raises(OSError, match=tmp_path.name):
        ResumableBackup(tmp_path)


def test_another_training_is_refused(backup):
    for name, dataset, callbacks in [
        ("seed", feed(seed=6), ()),
        ("num_batches", feed(batch_size=15), ()),
        ("class_counts", feed(sampling_strategy="minority"), ()),
        ("images", BalancedDataset(data()[0] + 1, data()[1], 45, seed=5), ()),
        ("batch_size", feed(batch_size=46), ()),
        ("shuffle", feed(shuffle=False), ()),
        ("synthesizer", feed(synthesizer="manual"), ()),
        ("synthetic_weight", feed(synthetic_weight=0.5), ()),
        ("refresh", feed(refresh=False), ()),
        ("mix", feed(mix="mixup"), ()),
        ("dtype", feed(dtype="uint8"), ()),
        ("callbacks", feed(), [CALLBACKS.EarlyStopping("loss")]),
    ]:
        with pytest.raises(ValueError, match=rf"backup of another .*{name}"):
            ResumableBackup(backup, dataset, callbacks)


def test_data_may_tell_its_classes_by_an_array(tmp_path):
    class Counted(keras.utils.PyDataset):
        epoch, class_counts = 0, np.array([15, 15, 15])

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return data()

    train(tmp_path / "backup", dataset=Counted(), epochs=1)
    model = train(tmp_path / "backup", dataset=Counted(), epochs=2)
    assert model.history.epoch == [0, 1]


def test_another_model_is_refused_and_nothing_is_loaded(backup):
    model = classifier(units=5)
    before = [np.array(weight) for weight in model.get_weights()]
    with pytest.raises(ValueError, match=r"backup of another .*variable"):
        train(backup, model=model)
    for kept, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_a_bagan_of_another_seed_is_refused():
    one, other = (BAGAN((8, 8, 1), 3, **dense_networks(), seed=n) for n in (1, 2))
    with pytest.raises(ValueError, match=r"the one it began with, 1.*seed=2"):
        other.set_training_state(one.get_training_state())


@pytest.mark.once
def test_a_bagan_of_another_plan_is_refused(tmp_path):
    with pytest.raises(Killed):
        train_bagan(tmp_path / "backup", kill_after=3)
    with pytest.raises(
        ValueError, match=r"began with, 2. Received: autoencoder_epochs=1"
    ):
        train_bagan(tmp_path / "backup", autoencoder_epochs=1)
    with pytest.raises(ValueError, match=r"began with, 2. Received: batches=1"):
        train_bagan(tmp_path / "backup", batch_size=90)
    assert len(train_bagan(tmp_path / "backup", epochs=3).history.epoch) == 5


def test_another_backend_is_refused(backup, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "another")
    with pytest.raises(ValueError, match="backup of another training"):
        ResumableBackup(backup, feed())


def test_a_beginning_elsewhere_is_refused(backup):
    dataset, resumed = feed(), ResumableBackup(backup, feed())
    with pytest.raises(ValueError, match=r"initial_epoch=backup.epoch`, 1, .*epoch=0"):
        classifier().fit(dataset, epochs=4, callbacks=[resumed], verbose=0)


@pytest.mark.parametrize("steps", [1, 4])
def test_an_epoch_that_is_no_whole_pass_is_refused(tmp_path, steps):
    dataset, path = feed(), tmp_path / "backup"
    resumable = ResumableBackup(path, dataset)
    with pytest.raises(ValueError, match=f"steps_per_epoch={steps} and .* 2 batches"):
        classifier().fit(dataset, steps_per_epoch=steps, callbacks=[resumable])
    assert not path.exists()
    classifier().fit(dataset, steps_per_epoch=2, callbacks=[resumable], verbose=0)
    assert path.exists()


def test_a_model_that_is_not_built_is_refused(backup):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    resumed = ResumableBackup(backup, feed())
    resumed.set_model(model)
    with pytest.raises(ValueError, match=r"must be built .* not built"):
        resumed.on_train_begin()


@pytest.mark.once
def test_data_that_is_not_known_is_told(tmp_path):
    with pytest.warns(UserWarning, match="give it the `BalancedDataset`"):
        classifier().fit(
            *data(),
            callbacks=[ResumableBackup(tmp_path / "backup")],
            verbose=0,
        )


# Whole or not at all


def test_a_kill_while_writing_leaves_the_last_backup(tmp_path, monkeypatch, backup):
    before = backup.read_bytes()

    def stop(*arguments):
        raise Killed

    monkeypatch.setattr("keras_balance.utils.files.os.replace", stop)
    with pytest.raises(Killed):
        train(backup)
    monkeypatch.undo()
    assert backup.read_bytes() == before
    # What SIGKILL leaves, there being nobody to tidy up; a neighbour's stays.
    (tmp_path / ".backup-keras_balance-abcd1234").write_bytes(b"half")
    (tmp_path / ".backup2-keras_balance-abcd1234").write_bytes(b"half")
    train(backup)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"backup", ".backup2-keras_balance-abcd1234"}


def test_a_diverged_epoch_is_not_backed_up(backup):
    before = backup.read_bytes()
    resumed = ResumableBackup(backup, feed())
    with pytest.raises(FloatingPointError, match=r"epoch 2\..*val_loss=nan"):
        resumed.on_epoch_end(1, {"loss": 1.0, "val_loss": np.nan})
    model = classifier()
    model.trainable_weights[-1].assign([np.nan] * 3)
    resumed.set_model(model)
    with pytest.raises(FloatingPointError, match=r"after epoch 2\..*nan"):
        resumed.on_epoch_end(1, {"loss": 1.0})
    assert backup.read_bytes() == before


@pytest.mark.once
def test_a_folder_that_cannot_be_made_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the place of a folder")
    backup = ResumableBackup(tmp_path / "file" / "backup", feed())
    with pytest.raises(OSError, match="file"):
        backup.on_train_begin()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"path": 7}, TypeError, "path=7"),
        ({"every": 0}, ValueError, "every=0"),
        ({"every": 1.5}, TypeError, "every=1.5"),
    ],
)
def test_bad_arguments(tmp_path, arguments, error, text):
    with pytest.raises(error, match=text):
        ResumableBackup(**{"path": tmp_path / "backup", **arguments})
