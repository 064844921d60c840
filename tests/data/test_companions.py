"""Several inputs and several outputs: what comes along with the images."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset

pytestmark = pytest.mark.usefixtures("eager")

N = 25
X = np.arange(N).astype("uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8")
Y = np.repeat([0, 1], [20, 5])
# What comes along tells its row, as the images do.
AGE = np.arange(N).astype("float32")[:, None]
DEPTH = np.arange(N).astype("float32") / 10
INPUTS = {"photo": X, "age": AGE}
OUTPUTS = {"defect": Y, "depth": DEPTH}
NAMED = {"images": "photo", "labels": "defect"}


class Shift(keras.layers.Layer):
    """Changes an image, and leaves its row to be seen."""

    def call(self, images, training=None):
        return images + 100.0


class Noise:
    def generate(self, labels, seed=None):
        return np.zeros((len(labels), 4, 4, 1))


def feed(synthesizer=None, x=INPUTS, y=OUTPUTS, **options):
    options = {"batch_size": 8, "seed": 0} | NAMED | options
    return BalancedDataset(x, y, synthesizer=synthesizer, **options)


def whole(dataset, epoch):
    batches = [dataset.batch(epoch, index) for index in range(len(dataset))]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)


@pytest.mark.parametrize(
    "synthesizer",
    [None, Shift(), lambda image: image + 100, {"repeat": 1, Shift(): 1}],
    ids=["repeat", "layer", "function", "mixture"],
)
@pytest.mark.parametrize("refresh", [True, 2])
def test_what_comes_along_is_of_the_image_that_one_was_made_from(synthesizer, refresh):
    dataset = feed(synthesizer, refresh=refresh)
    assert dataset.class_counts == {0: 20, 1: 20}
    for epoch in (0, 3):
        x, y = whole(dataset, epoch)
        assert list(x) == ["photo", "age"]
        rows = x["photo"][:, 0, 0, 0] % 100
        np.testing.assert_array_equal(x["age"][:, 0], rows)
        np.testing.assert_allclose(y["depth"], rows / 10, rtol=1e-6)
        np.testing.assert_array_equal(y["defect"], Y[rows.astype(int)])
        assert np.bincount(y["defect"]).tolist() == [20, 20]
        assert set(rows) == set(range(N))


def test_images_are_those_of_arrays_alone():
    ours, alone = feed(Shift()), BalancedDataset(X, Y, 8, Shift(), seed=0)
    for index in range(len(alone)):
        x, y = ours.batch(1, index)
        np.testing.assert_array_equal(x["photo"], alone.batch(1, index)[0])
        np.testing.assert_array_equal(y["defect"], alone.batch(1, index)[1])
    batch = ours.batch(2, 1)
    ours.epoch = 2
    keras.tree.map_structure(np.testing.assert_array_equal, ours[1], batch)


def test_lists_become_tuples():
    dataset = feed(x=[AGE, X], y=[Y.tolist()], images=1, labels=0)
    (age, photo), (defect,) = whole(dataset, 0)
    np.testing.assert_array_equal(age[:, 0], photo[:, 0, 0, 0])
    np.testing.assert_array_equal(defect, Y[age[:, 0].astype(int)])


def test_columns_of_tables_and_files(tmp_path):
    np.save(tmp_path / "age.npy", AGE)
    frame = pytest.importorskip("pandas").DataFrame({"depth": DEPTH}, index=Y)
    mapped = np.load(tmp_path / "age.npy", mmap_mode="r")
    dataset = feed(
        x={"photo": X, "age": mapped}, y={"defect": Y, "depth": frame["depth"]}
    )
    keras.tree.map_structure(
        np.testing.assert_array_equal, dataset.batch(0, 2), feed().batch(0, 2)
    )


def test_weights_go_along():
    x, y, weights = whole(feed(sample_weight=AGE[:, 0], synthetic_weight=0.5), 0)
    assert weights.shape == y["defect"].shape
    assert set(weights / np.maximum(x["age"][:, 0], 1e-9)) == {0.0, 0.5, 1.0}


def model():
    photo, age = keras.Input((4, 4, 1), name="photo"), keras.Input((1,), name="age")
    rows = keras.layers.Concatenate()([keras.layers.Flatten()(photo), age])
    outputs = {
        "defect": keras.layers.Dense(2, activation="softmax", name="defect")(rows),
        "depth": keras.layers.Dense(1, name="depth")(rows),
    }
    model = keras.Model({"photo": photo, "age": age}, outputs)
    losses = {"defect": "sparse_categorical_crossentropy", "depth": "mse"}
    model.compile(keras.optimizers.SGD(1e-5), losses)
    return model


def fitted(data, **options):
    keras.utils.set_random_seed(0)
    trained = model()
    trained.evaluate(*feed(Shift())[0], verbose=0)
    trained.fit(data, epochs=2, shuffle=False, verbose=0, **options)
    return trained.get_weights()


def test_two_inputs_and_two_outputs_in_fit():
    pytest.importorskip("torch")
    alone = fitted(feed(Shift()))
    feeds = [feed(Shift(), workers=3), feed(Shift()).to_torch_dataloader()]
    if keras.backend.backend() == "tensorflow":
        feeds.append(feed(Shift()).to_tf_dataset())
    for data in feeds:
        for one, other in zip(fitted(data), alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
    dataset = feed(Shift(), sample_weight=np.ones(N))
    images = kb.data.LabelledImages(INPUTS, OUTPUTS, **NAMED)
    report = kb.callbacks.PerClassReport(images, output="defect")
    history = model().fit(dataset, epochs=1, callbacks=[report], verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert report.report_dict["1"]["support"] == 5


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    def train(path, dies_at=None):
        data = feed(Shift())
        backup = kb.callbacks.ResumableBackup(path, data)

        def maybe_die(batch, logs):
            if (data.epoch, batch) == dies_at:
                raise Killed

        watch = keras.callbacks.LambdaCallback(on_train_batch_end=maybe_die)
        options = {"initial_epoch": backup.epoch, "callbacks": [watch, backup]}
        keras.utils.set_random_seed(0)
        trained = model()
        trained.fit(data, epochs=3, shuffle=False, verbose=0, **options)
        return trained.get_weights()

    whole = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", dies_at=(1, 2))
    for one, other in zip(train(tmp_path / "killed"), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_as_a_pipeline():
    pytest.importorskip("tensorflow")
    dataset, expected = feed(Shift()), feed(Shift())
    for epoch in range(2):
        for index, batch in enumerate(dataset.to_tf_dataset()):
            keras.tree.map_structure(
                lambda ours, wanted: np.testing.assert_allclose(ours.numpy(), wanted),
                batch,
                expected.batch(epoch, index),
            )
    assert dataset.epoch == 2


@pytest.mark.parametrize("synthesizer", [Noise(), "auto", {Noise(): 1, "repeat": 1}])
def test_what_nobody_can_know_is_refused(synthesizer):
    with pytest.raises(ValueError, match="nobody knows these"):
        feed(synthesizer)
    # An only entry has no companion.
    one = {"x": {"photo": X}, "y": Y, "labels": None}
    if synthesizer != "auto":  # which takes its time
        assert feed(synthesizer, **one)[0][0]["photo"].shape == (8, 4, 4, 1)


def test_smote_is_refused():
    pytest.importorskip("imblearn")
    with pytest.raises(ValueError, match="nobody knows these"):
        feed("smote")


def test_mixing_is_refused():
    with pytest.raises(ValueError, match="`mix` must be None"):
        feed(mix="mixup")
    x, _ = feed(mix="mixup", x={"photo": X}, y=Y, labels=None)[0]
    assert x["photo"].shape == (8, 4, 4, 1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"images": None}, r"`images` must name one of .*'photo', 'age'.*images=None"),
        ({"images": "picture"}, "images='picture'"),
        ({"labels": None}, "`labels` must name one of"),
        ({"x": X}, "`images` must be None where `x` is no dict"),
        ({"x": {"photo": X, "age": AGE[1:]}}, "25 of 'photo' and 24 of 'age'"),
        ({"x": [AGE, X], "images": 2}, "images=2"),
    ],
)
def test_entries_that_do_not_fit(options, text):
    with pytest.raises(ValueError, match=text):
        feed(**options)


def test_who_works_on_images_gets_them_alone():
    images = kb.data.LabelledImages(INPUTS, OUTPUTS, **NAMED)
    for alone in (images.alone(), images.part(np.arange(22)), images.as_indices()):
        assert not alone.has_companions
        assert BalancedDataset(alone, seed=0)[0][0].ndim == 4
    auto = kb.tuners.AutoAugmentation(["nothing", "shift"], folds=2, verbose=0)
    assert auto.fit(images).choice in ("nothing", "shift")


def test_a_search_balances_named_entries():
    keras_tuner = pytest.importorskip("keras_tuner")
    space = {"synthesizer": "manual"}
    hypermodel = kb.tuners.BalancedHyperModel(lambda hp: model(), search_space=space)
    parameters = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(parameters)
    images = kb.data.LabelledImages(INPUTS, OUTPUTS, **NAMED)
    x, y = hypermodel.balanced_dataset(parameters, images)[0]
    assert (set(x), set(y)) == ({"photo", "age"}, {"defect", "depth"})
