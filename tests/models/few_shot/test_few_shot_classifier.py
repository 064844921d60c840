import functools
import itertools
import random

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.metrics.features import Features
from keras_balance.models import FewShotClassifier
from keras_balance.models.few_shot import feed as feeds
from keras_balance.models.few_shot.epochs import ArrayEpochs, BatchEpochs

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = (30, 20, 3)
COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]])


def images(counts=COUNTS, seed=0):
    """Noisy squares whose colour is their class."""
    y = np.repeat(np.arange(len(counts)), counts)
    noise = np.random.default_rng(seed).normal(0, 40, (len(y), 8, 8, 3))
    pixels = COLOURS[y][:, None, None] + noise
    return np.clip(pixels, 0, 255).astype("uint8"), y


def backbone(width=16):
    """A network that nobody trained: it sees colours all the same."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 3, activation="relu", name="first"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Conv2D(width, 3, activation="relu", name="second"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def classifier(**kwargs):
    return FewShotClassifier(backbone(), 3, seed=0, **kwargs)


def recalls(model, seed=1):
    x, y = images((20, 20, 20), seed)
    right = model.predict(x, verbose=0).argmax(axis=1) == y
    return right.reshape(3, 20).mean(axis=1)


def weights(model):
    return [keras.ops.convert_to_numpy(v) for v in model.variables]


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", -1), ("epochs", "a"), ("fine_tuning_rate", -1.0), ("batch_size", 0)],
)
def test_numbers_out_of_bounds_are_refused(option, value):
    with pytest.raises((TypeError, ValueError), match=f"`{option}` must.*Received: "):
        classifier().fit(*images(), **{option: value})


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_a_crash_while_saving_leaves_the_old_file(tmp_path, monkeypatch, name):
    save = "save" if name == "a.keras" else "save_weights"
    getattr(classifier(), save)(tmp_path / name)
    before = (tmp_path / name).read_bytes()

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("h5py.Group.create_dataset", stop)
    with pytest.raises(KeyboardInterrupt):
        getattr(classifier(), save)(tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_of_another_models_weights_nothing_is_loaded(tmp_path):
    other = FewShotClassifier(backbone(), 2, seed=0)
    other.backbone.set_weights([weight + 1 for weight in other.backbone.get_weights()])
    other.save_weights(tmp_path / "a.weights.h5")
    model = classifier()
    before = weights(model)
    with pytest.raises(ValueError, match="nothing was loaded"):
        model.load_weights(tmp_path / "a.weights.h5")
    for value, expected in zip(weights(model), before, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_without_any_argument_a_rare_class_is_found():
    model = classifier()
    model.compile = functools.partial(model.compile, run_eagerly=False)
    before = weights(model.backbone)
    history = model.fit(*images(), verbose=0)
    assert (recalls(model) > 0.8).all()
    assert history.history["loss"][-1] < 0.01
    assert np.abs(keras.ops.convert_to_numpy(model.head.shift)).max() > 0
    assert set(history.history) == {"loss", "accuracy"}
    for value, was in zip(weights(model.backbone), before, strict=True):
        np.testing.assert_array_equal(value, was)


@pytest.mark.parametrize("as_batches", [True, False])
def test_images_that_weigh_nothing_are_left_out(as_batches):
    x, y = images((12, 12, 12))
    wrong = np.arange(len(y)) % 3 == 0
    noisy = np.where(wrong, (y + 1) % 3, y)
    data, weights = kb.data.LabelledImages(x, noisy), 1.0 - wrong
    if as_batches:
        options = {"sampling_strategy": {}, "sample_weight": weights}
        data = kb.BalancedDataset(data, seed=0, **options)
    else:
        data.sample_weight = weights  # as those of a pipeline
    model = classifier()
    model.fit(data, epochs=2, verbose=0)
    assert (recalls(model) > 0.8).all()


def test_data_without_end_and_data_read_once_are_refused():
    x, y = images()

    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return x, y

    with pytest.raises(ValueError, match="`x` must end"):
        classifier().fit(Endless())
    with pytest.raises(TypeError, match="again and again"):
        classifier().fit(batch for batch in [(x, y)])


def test_the_seed_settles_it():
    x, y = images((30, 30, 30))
    y = np.roll(y, 10)  # wrong labels, so that there is something to move for
    trained = []
    for number in range(2):
        model = classifier()
        random.seed(number)  # what others draw is no matter
        model.fit(x, y, epochs=2, batch_size=15, verbose=0)
        trained.append(keras.ops.convert_to_numpy(model.head.shift))
    assert np.abs(trained[0]).max() > 1e-3
    np.testing.assert_allclose(*trained, atol=1e-6)


def test_saved_and_loaded_it_predicts_the_same_and_trains_on(tmp_path):
    model = classifier(augmentation=keras.layers.RandomFlip(seed=0))
    model.fit(*images(), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x, y = images(seed=2)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-6)
    # A backbone's own config gains what building it has settled.
    configs = [m.get_config() | {"backbone": None} for m in (loaded, model)]
    assert configs[0] == configs[1]
    loaded.fit(x, y, epochs=3, verbose=0)
    assert (recalls(loaded) > 0.8).all()


@pytest.mark.once
@pytest.mark.parametrize("form", ["column", "one_hot"])
def test_labels_as_the_user_writes_them(form):
    x, y = images()
    labels = np.eye(3)[y] if form == "one_hot" else y[:, None]
    model = classifier()
    model.fit(x, labels, epochs=2, verbose=0)
    assert model.evaluate(x, labels, verbose=0, return_dict=True)["accuracy"] > 0.8


def test_features_take_the_place_of_images():
    x, y = images()
    model = classifier()
    rows = model.features(x)
    assert rows.shape == (53, 16)
    model.fit(rows, y, epochs=2, verbose=0)
    of_rows = model.predict(rows, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), of_rows, atol=1e-5)
    same = classifier()
    same.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_allclose(same.predict(rows, verbose=0), of_rows, atol=1e-5)


def looks(model):
    """How many images the backbone of a model has looked at."""
    counted = []
    compute = model._features.compute
    model._features.compute = lambda x: (counted.append(len(x)), compute(x))[1]
    return counted


@pytest.mark.once
def test_the_backbone_looks_at_each_image_once():
    x, y = images()
    model = classifier()
    seen = looks(model)
    dataset = kb.BalancedDataset(x, y, seed=0)
    model.fit(dataset, epochs=3, verbose=0)
    model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0)
    assert sum(seen) == len(x)


@pytest.mark.parametrize("feed", ["array", "dataset"])
def test_augmented_images_are_looked_at_anew_in_each_epoch(feed):
    x, y = images()
    layer = keras.layers.RandomBrightness(0.2, seed=0)
    model = classifier(augmentation=layer if feed == "array" else None)
    seen = looks(model)
    if feed == "array":
        model.fit(x, y, epochs=3, verbose=0)
        assert sum(seen) == 3 * len(x)
    else:
        dataset = kb.BalancedDataset(x, y, synthesizer=layer, seed=0)
        model.fit(dataset, epochs=3, verbose=0)
        # Real images are there already, and few made ones agree.
        made = dataset.num_synthetic
        assert len(x) + 2 * made < sum(seen) <= len(x) + 3 * made
    assert (recalls(model) > 0.8).all()


@pytest.mark.parametrize("form", ["array", "feed", "unfrozen"])
def test_images_are_augmented_in_their_own_layout(form):
    rows, y = np.arange(8.0)[:, None] * np.ones((8, 8)), np.arange(12) % 3
    x = np.broadcast_to(rows, (12, 3, 8, 8)).astype("float32")
    data = kb.data.LabelledImages(x, y, data_format="channels_first")
    feed = kb.BalancedDataset(data, sampling_strategy={}, seed=0)
    flip = keras.layers.RandomFlip("horizontal", data_format="channels_last", seed=0)
    seen = []

    def look(images):
        seen.append(images)
        return images.mean(axis=(2, 3))

    features = Features(look)
    if form == "array":
        ArrayEpochs(data, features, flip, 0).read(1)
    elif form == "feed":
        BatchEpochs(feed, features, flip, 0).read(1)
    else:
        batches = ArrayEpochs(data, features, flip, 0).as_images(12)
        seen.append(batches[0][0])
    # Each row of pixels is of one colour: left and right are alike, up and down not.
    for image in np.concatenate(seen):
        np.testing.assert_array_equal(image, x[0])


@pytest.mark.once
def test_the_epoch_of_a_feed_stays_the_users():
    feed = kb.BalancedDataset(*images(), synthesizer="manual", seed=0)
    feed.epoch = 5
    classifier().fit(feed, epochs=2, verbose=0)
    assert feed.epoch == 5


@pytest.mark.once
def test_rows_are_shuffled_once_an_epoch(monkeypatch):
    shuffled, generator = [], feeds.random_generator

    def counted(*place):
        shuffled.append(place)
        return generator(*place)

    monkeypatch.setattr(feeds, "random_generator", counted)
    classifier().fit(*images(), epochs=3, batch_size=4, verbose=0)
    assert shuffled == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_validation_data_and_callbacks():
    x, y = images(seed=3)
    report = kb.callbacks.PerClassReport(x, y)
    history = classifier().fit(
        *images(), epochs=2, validation_data=(x, y), callbacks=[report], verbose=0
    )
    assert {"val_loss", "val_accuracy", "val_f1_macro"} <= set(history.history)


def test_the_last_layers_learn_when_they_are_unfrozen(tmp_path):
    x, y = images()
    model = classifier(augmentation=keras.layers.RandomFlip(seed=0))
    model.fit(x, y, epochs=2, verbose=0)
    before = {v.path: keras.ops.convert_to_numpy(v) for v in model.backbone.variables}
    history = model.fit(
        x, y, epochs=2, unfreeze=1, fine_tuning_epochs=3, validation_data=(x, y),
        verbose=0,
    )  # fmt: skip
    assert len(history.history["loss"]) == len(history.history["val_loss"]) == 5
    assert history.epoch == [0, 1, 2, 3, 4]
    changed = {
        v.path.split("/")[-2]
        for v in model.backbone.variables
        if np.any(keras.ops.convert_to_numpy(v) != before[v.path])
    }
    assert changed == {"second"}
    assert not model.backbone.trainable_variables
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )


@pytest.mark.once
def test_a_single_image_of_a_class_is_enough():
    model = classifier()
    model.fit(*images((20, 20, 1)), epochs=3, verbose=0)
    assert np.isfinite(model.predict(images()[0], verbose=0)).all()
    assert recalls(model)[2] > 0.5


def save(x, y, folder, names="abc"):
    """Write images as files into one folder a class."""
    for place, (image, label) in enumerate(zip(x, y, strict=True)):
        of_class = folder / f"class {names[label]}"
        of_class.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(of_class / f"{place}.png", image, scale=False)
    return folder


def test_a_folder_of_images(tmp_path):
    model = classifier()
    model.fit(save(*images(), tmp_path), epochs=3, verbose=0)
    assert (recalls(model) > 0.8).all()


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_folder_of_images_for_validation(tmp_path, is_folder):
    x, y = images()
    held_out = images((5, 5, 5), seed=1)
    save(*held_out, tmp_path / "held out")
    train = (str(save(x, y, tmp_path / "train")),) if is_folder else (x, y)
    options = {"epochs": 2, "unfreeze": 1, "fine_tuning_epochs": 1, "verbose": 0}
    histories = [
        classifier().fit(*train, validation_data=validation, **options).history
        for validation in (str(tmp_path / "held out"), held_out)
    ]
    for name in ("val_loss", "val_accuracy"):
        assert histories[0][name] == pytest.approx(histories[1][name], rel=1e-3)


@pytest.mark.once
def test_a_folder_for_validation_has_the_classes_of_the_training(tmp_path, monkeypatch):
    x, y = images()
    train, held_out = save(x, y, tmp_path / "train"), images((3, 3, 3), seed=1)
    two = save(x[y > 0], y[y > 0], tmp_path / "two")
    with monkeypatch.context() as patch:
        patch.setattr(Features, "__call__", None)  # before the backbone sees an image
        with pytest.raises(ValueError, match="must be among the folders"):
            classifier().fit(train, validation_data=two)
        with pytest.raises(ValueError, match=r"one folder for each of 3 .* 2 folders"):
            classifier().fit(x, y, validation_data=two)
    more = save(*held_out, tmp_path / "more")
    save(x[:9], [0] * 9, more, names="0")  # would be the first, if it counted
    options = {"epochs": 2, "verbose": 0}
    found, expected = (
        classifier().fit(train, validation_data=validation, **options).history
        for validation in (more, held_out)
    )
    assert found["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-3)


def test_what_the_user_compiled_stays():
    model = classifier()
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    model.fit(*images(), epochs=1, verbose=0)
    assert model.loss is loss
    assert isinstance(model.optimizer, keras.optimizers.SGD)


@pytest.mark.once
def test_what_the_user_compiled_stays_where_layers_are_unfrozen():
    model = classifier()

    def loss(y, shares):  # which no file could name
        return keras.losses.sparse_categorical_crossentropy(y, shares)

    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, loss)
    options = {"unfreeze": 1, "fine_tuning_epochs": 2, "verbose": 0}
    model.fit(*images(), epochs=1, **options)
    assert model.loss is loss
    assert model.optimizer is optimizer
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    model.fit(*images(), epochs=1, verbose=0)  # and trains the head


@pytest.mark.once
def test_the_cache_outlives_the_run(tmp_path):
    x, y = images()
    options = {"validation_data": images(seed=3), "epochs": 1, "verbose": 0}
    first = classifier(cache=tmp_path / "features")
    first.fit(x, y, **options)
    second = classifier(cache=tmp_path / "features")
    seen = looks(second)
    second.fit(x, y, **options)
    assert seen == [1]  # whether it is the same network
    other = FewShotClassifier(backbone(12), 3, cache=tmp_path / "features")
    seen = looks(other)
    other.fit(x, y, epochs=1, verbose=0)
    assert sum(seen) == len(x)


@pytest.mark.once
def test_an_interruption_leaves_what_was_computed_in_the_cache(tmp_path):
    x, y = images()

    class Broken(keras.utils.PyDataset):
        def __init__(self, stops):
            super().__init__()
            self.stops = stops

        def __len__(self):
            return 5

        def __getitem__(self, index):
            if self.stops and index == 3:
                raise KeyboardInterrupt
            return x[index::5], y[index::5]

    first = classifier(cache=tmp_path / "features")
    with pytest.raises(KeyboardInterrupt):
        first.fit(Broken(stops=True), epochs=1, verbose=0)
    second = classifier(cache=tmp_path / "features")
    seen = looks(second)
    second.fit(Broken(stops=False), epochs=1, verbose=0)
    assert sum(seen[1:]) == len(x[3::5]) + len(x[4::5])  # the first is a check


@pytest.mark.once
def test_long_looking_is_told_and_saved_as_it_goes(tmp_path, capsys, monkeypatch):
    seconds = itertools.count(0, 40)
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    x, y = images((200, 200, 200))
    model = classifier(cache=tmp_path / "features")
    saved = []
    monkeypatch.setattr(model._features, "save", lambda: saved.append(1))
    model.fit(x, y, epochs=1, verbose=0)
    assert len(saved) > 2
    assert capsys.readouterr().out == ""
    model.fit(x, y, epochs=1, verbose=1)
    assert "Computing features: 2 of 3 batches" in capsys.readouterr().out


def test_the_cache_is_not_that_of_another_network_of_the_same_weights(tmp_path):
    x, y = images()
    classifier(cache=tmp_path / "features").fit(x, y, epochs=1, verbose=0)
    layers = [*backbone().layers[:-1], keras.layers.GlobalMaxPooling2D()]
    other = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model = FewShotClassifier(other, 3, cache=tmp_path / "features")
    model.fit(x, y, epochs=1, verbose=0)
    expected = other.predict(x, verbose=0)
    np.testing.assert_allclose(model.features(x), expected, rtol=1e-4, atol=1e-5)


def other_scale(scale):
    layers = [keras.layers.Rescaling(scale), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


@pytest.mark.once
def test_a_black_image_does_not_speak_for_a_cache(tmp_path):
    x, y = images()
    x[0] = 0
    path = tmp_path / "features"
    FewShotClassifier(other_scale(1), 3, cache=path).fit(x, y, epochs=1, verbose=0)
    model = FewShotClassifier(other_scale(-1), 3, cache=path)
    np.testing.assert_allclose(model.features(x), -x.mean(axis=(1, 2)), rtol=1e-4)


def test_the_states_of_seeds_are_no_other_weights(tmp_path):
    x, _ = images()
    models = []
    for seed in (1, 2):
        network = keras.Sequential([backbone(), keras.layers.Dropout(0.5, seed=seed)])
        network.build((None, 8, 8, 3))
        models.append(FewShotClassifier(network, 3, cache=tmp_path / "features"))
        seen = looks(models[-1])
        models[-1].features(x)  # which writes the file
    assert seen == [1]


@pytest.mark.once
def test_a_broken_cache_begins_anew(tmp_path):
    x, y = images()
    path = tmp_path / "features"
    classifier(cache=path).fit(x, y, epochs=1, verbose=0)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="cache of features begins anew: .*features"):
        model = classifier(cache=path)
    model.features(x)
    assert len(classifier(cache=path)._features._kept) == len(x)
    for wrong, error in ((tmp_path, ValueError), (7, TypeError)):
        with pytest.raises(error, match="`cache` must be the path of a file"):
            classifier(cache=wrong)


def test_features_are_those_of_the_weights_that_there_are():
    x, y = images()
    model = classifier()

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    options = {"unfreeze": 2, "fine_tuning_rate": 0.1, "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=1, callbacks=[Stop()], **options)
    expected = model.backbone.predict(x, verbose=0)
    np.testing.assert_allclose(model.features(x), expected, rtol=1e-4, atol=1e-5)
    model.backbone.set_weights([2 * one for one in model.backbone.get_weights()])
    model.fit(x, y, epochs=1, verbose=0)
    expected = model.backbone.predict(x, verbose=0)
    np.testing.assert_allclose(model.features(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.once
def test_what_cannot_be_unfrozen_is_said_before_any_training():
    x, y = images()
    model = classifier(augmentation=keras.layers.RandomFlip(seed=0))
    batches = [(x[n : n + 20], y[n : n + 20]) for n in range(0, len(x), 20)]
    seen = looks(model)
    with pytest.raises(ValueError, match="`x` must be arrays, a BalancedDataset or"):
        model.fit(batches, epochs=1, unfreeze=1, verbose=0)
    with pytest.raises(ValueError, match="`unfreeze` must be"):
        model.fit(x, y, epochs=1, unfreeze="conv2d_99", verbose=0)
    assert seen == []


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # as Keras always does
def test_a_stream_of_unknown_length_may_be_unfrozen_for():
    tf = pytest.importorskip("tensorflow")
    x, y = images()
    rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(20)
    stream = rows.filter(lambda images, labels: True)  # says nothing of its length
    options = {"unfreeze": 1, "fine_tuning_epochs": 1, "verbose": 0}
    history = classifier().fit(stream, epochs=1, **options)
    assert len(history.epoch) == 2


@pytest.mark.once
def test_metrics_stay_where_layers_are_unfrozen():
    x, y = images()
    model = classifier()
    metric = kb.metrics.PerClassMetrics(3, keys="macro")
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=[metric], run_eagerly=True)
    options = {"unfreeze": 1, "fine_tuning_epochs": 2, "verbose": 0}
    history = model.fit(x, y, epochs=1, **options).history
    assert {len(values) for values in history.values()} == {3}
    assert "f1_macro" in history
    assert model.run_eagerly
    assert "f1_macro" in model.evaluate(x, y, return_dict=True, verbose=0)


@pytest.mark.once
def test_an_interruption_leaves_what_the_user_compiled():
    x, y = images()
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy")
    stop = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, _: 1 // (2 - epoch)
    )
    with pytest.raises(ZeroDivisionError):
        model.fit(x, y, epochs=1, unfreeze=1, callbacks=[stop], verbose=0)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert not model.backbone.trainable_variables
    model.fit(x, y, epochs=1, verbose=0)


@pytest.mark.once
def test_a_log_file_holds_all_epochs(tmp_path):
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    options = {"unfreeze": 1, "fine_tuning_epochs": 2, "verbose": 0}
    classifier().fit(*images(), epochs=2, callbacks=[log], **options)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1", "2", "3"]
    assert not log.append


@pytest.mark.once
@pytest.mark.parametrize("form", ["lists", "labelled"])
def test_validation_data_as_users_have_them(form):
    x, y = images(seed=3)
    held_out = [x, list(y)] if form == "lists" else kb.data.LabelledImages(x, y)
    options = {"validation_data": held_out, "verbose": 0}
    if form == "labelled":
        options |= {"unfreeze": 1, "fine_tuning_epochs": 1}
    history = classifier().fit(*images(), epochs=1, **options).history
    assert len(history["val_loss"]) == len(history["loss"])


def test_features_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 16\).*\(53, 7\)"):
        classifier().fit(np.zeros((53, 7)), images()[1], verbose=0)


@pytest.mark.once
def test_any_feed_is_looked_at_once():
    x, y = images()
    model = classifier()
    seen = looks(model)
    batches = [(x[n : n + 20], y[n : n + 20]) for n in range(0, len(x), 20)]
    model.fit(batches, epochs=3, verbose=0)
    assert sum(seen) == len(x)


def test_a_backbone_may_give_its_vectors_in_a_list():
    alone = backbone()
    model = FewShotClassifier(keras.Model(alone.inputs[0], alone.outputs), 3, seed=0)
    model.fit(*images(), epochs=3, verbose=0)
    assert (recalls(model) > 0.8).all()


def test_a_backbone_that_gives_no_vectors():
    feature_map = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match=r"vectors \(n, d\).*\(None, 6, 6, 4\)"):
        FewShotClassifier(feature_map, 3)
    with pytest.raises(TypeError, match="Received: backbone='resnet'"):
        FewShotClassifier("resnet", 3)


@pytest.mark.once
def test_what_does_not_augment_a_single_image_is_refused():
    with pytest.raises(ValueError, match="`augmentation` must not mix images"):
        classifier(augmentation=keras.layers.MixUp())
    with pytest.raises(TypeError, match=r"or None\. Received: augmentation='auto'"):
        classifier(augmentation="auto")


@pytest.mark.once  # compiled by JAX, a relu turns NaN into 0
def test_features_that_are_not_finite():
    model = classifier()
    model.backbone.get_layer("norm").gamma.assign([np.nan] * 8)
    with pytest.raises(ValueError, match="`backbone` must give finite numbers"):
        model.fit(*images(), verbose=0)


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (images()[0], images()[1] + 1, r"in \[0, num_classes=3\)"),
        (images()[0][:50], images()[1][:50], "without class 2"),
        (images()[0], images()[1][:9], "must have the same length"),
        (np.full((3, 16), np.nan), np.arange(3), r"x\[0, 0\]=nan"),
        (np.ones((3, 16)), np.arange(2), "one label for each row"),
        (images()[0], None, "`y` must be given"),
    ],
)
def test_wrong_data(x, y, match):
    with pytest.raises(ValueError, match=match):
        classifier().fit(x, y, verbose=0)


def test_a_batch_without_an_image_is_refused():
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        classifier().fit(*images(), batch_size=0)


@pytest.mark.parametrize("unfreeze", [0.5, "no such layer"])
def test_wrong_layers_to_unfreeze(unfreeze):
    with pytest.raises((TypeError, ValueError), match="`unfreeze` must be"):
        classifier().fit(*images(), epochs=1, unfreeze=unfreeze, verbose=0)


def test_labels_of_validation_data_may_have_another_form(tmp_path):
    """A table gives one-hot labels, a folder class indices."""
    (x, y), one_hot = images(), np.eye(3)[images()[1]]
    found = []
    for labels, held_out in ((y, y), (one_hot, y), (y, one_hot), (y[:, None], one_hot)):
        model = classifier()
        options = {"validation_data": (x, held_out), "epochs": 2, "verbose": 0}
        history = model.fit(x, labels, **options).history
        found.append(history["val_accuracy"])
        assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(found[-1][-1])
    assert found == [pytest.approx(found[0])] * 4
    assert found[0][-1] == np.mean(model.predict(x, verbose=0).argmax(axis=1) == y)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(x, one_hot, verbose=0)[1] == pytest.approx(found[0][-1])


def test_half_precision_keeps_what_is_unlikely():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = classifier()
        model.fit(*images(), epochs=1, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.backbone.compute_dtype == "float16"
    probabilities = model.predict(images()[0], verbose=0)
    assert probabilities.dtype == "float32"
    assert (probabilities > 0).all()
