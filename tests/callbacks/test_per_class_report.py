import copy
import csv
import json
import math

import keras
import numpy as np
import pytest
from matplotlib.image import imread
from sklearn import metrics as sk

import keras_balance as kb

pytestmark = pytest.mark.usefixtures("eager")

NUM_CLASSES = 3


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    return x, x[:, :NUM_CLASSES].argmax(axis=1)


@pytest.fixture
def model():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy")
    return model


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, weights=None):
        super().__init__()
        self.arrays = [part for part in (x, y, weights) if part is not None]

    def __len__(self):
        return math.ceil(len(self.arrays[0]) / 16)

    def __getitem__(self, index):
        return tuple(part[16 * index : 16 * (index + 1)] for part in self.arrays)


def test_logs_hold_scikit_learns_scores_of_the_held_out_data(model, data):
    x, y = data
    model.compile(model.optimizer, model.loss, run_eagerly=False)
    report = kb.callbacks.PerClassReport(x, y, batch_size=16)
    history = model.fit(x, y, epochs=3, callbacks=[report], verbose=0).history
    guesses = model.predict(x, verbose=0).argmax(axis=1)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(y, guesses)
    for c in range(NUM_CLASSES):
        assert history[f"val_precision_{c}"][-1] == pytest.approx(precision[c])
        assert history[f"val_recall_{c}"][-1] == pytest.approx(recall[c])
        assert history[f"val_f1_{c}"][-1] == pytest.approx(f1[c])
    assert history["val_f1_macro"][-1] == pytest.approx(f1.mean())
    assert history["val_balanced_accuracy"][-1] == pytest.approx(recall.mean())
    assert report.report == sk.classification_report(y, guesses)
    assert report.report_dict["1"]["recall"] == pytest.approx(recall[1])
    np.testing.assert_array_equal(
        report.confusion_matrix, sk.confusion_matrix(y, guesses)
    )
    assert report.epochs == [1, 2, 3]
    assert report.history == {key: history[key] for key in report.history}


@pytest.mark.once
def test_keys_are_those_of_the_metric(model, data):
    report = kb.callbacks.PerClassReport(*data)
    model.fit(*data, callbacks=[report], verbose=0)
    metric = kb.metrics.PerClassMetrics(NUM_CLASSES)
    assert {f"val_{key}" for key in metric.result()} <= set(report.history)


def with_tf_data(x, y):
    import tensorflow as tf

    # Shuffled anew each time it is read: labels must come with their images.
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(60).batch(16)


def with_data_loader(x, y):
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(tensors, batch_size=16, shuffle=True)


@pytest.mark.parametrize("source", [Batches, with_tf_data, with_data_loader])
def test_sources_of_batches_score_as_the_array_does(model, data, source):
    x, y = data
    reports = [
        kb.callbacks.PerClassReport(x, y, prefix="array_"),
        kb.callbacks.PerClassReport(source(x, y), prefix="batches_"),
    ]
    history = model.fit(x, y, epochs=2, callbacks=reports, verbose=0).history
    for key, values in reports[0].history.items():
        batches = history[key.replace("array_", "batches_")]
        assert batches == pytest.approx(values, abs=1e-6)


def test_weights_of_batches_count(model, data):
    x, y = data
    weights = np.random.default_rng(1).uniform(0.1, 3, len(x)).astype("float32")
    report = kb.callbacks.PerClassReport(Batches(x, y, weights))
    model.fit(x, y, callbacks=[report], verbose=0)
    guesses = model.predict(x, verbose=0).argmax(axis=1)
    assert report.report_dict["macro avg"]["recall"] == pytest.approx(
        sk.recall_score(y, guesses, average="macro", sample_weight=weights)
    )


def test_a_missing_class_is_nan_under_the_same_keys(model, data):
    x, y = data
    whole = kb.callbacks.PerClassReport(x, y)
    part = kb.callbacks.PerClassReport(x[y != 1], y[y != 1])
    logs, part_logs = (
        model.fit(x, y, callbacks=[report], verbose=0).history
        for report in (whole, part)
    )
    assert list(part_logs) == list(logs)
    assert list(part.history) == list(whole.history)
    assert np.isnan(part.history["val_recall_1"]).all()
    assert np.isfinite(part.history["val_f1_macro"]).all()


@pytest.mark.once
def test_string_labels_are_reported_by_name(data):
    x, y = data
    names = np.array(["ant", "bee", "cow"])[y]
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    report = kb.callbacks.PerClassReport(x, names)
    history = model.fit(x, y, callbacks=[report], verbose=0).history
    assert "val_recall_bee" in history
    assert "cow" in report.report


def of_logits(y, outputs):
    return keras.losses.binary_crossentropy(y, outputs, from_logits=True)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("as_function", [False, True])
def test_one_sigmoid_output_is_two_classes(data, from_logits, as_function):
    x, y = data[0], (data[1] == 2).astype("float32")[:, None]
    activation = None if from_logits else "sigmoid"
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation)])
    loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
    if as_function:
        loss = of_logits if from_logits else keras.losses.binary_crossentropy
    model.compile(keras.optimizers.Adam(0.1), loss)
    threshold = 1.5 if from_logits else 0.8
    reports = [
        kb.callbacks.PerClassReport(x, y),
        kb.callbacks.PerClassReport(x, y, prefix="sure_", threshold=threshold),
    ]
    history = model.fit(x, y, epochs=3, callbacks=reports, verbose=0).history
    outputs = model.predict(x, verbose=0)
    for prefix, limit in [("val_", 0 if from_logits else 0.5), ("sure_", threshold)]:
        expected = sk.f1_score(y[:, 0], outputs[:, 0] > limit)
        assert history[f"{prefix}f1_1"][-1] == pytest.approx(expected)


def test_two_reports_of_one_prefix_are_refused(model, data):
    x, y = data
    reports = [kb.callbacks.PerClassReport(x, y), kb.callbacks.PerClassReport(x, y)]
    with pytest.raises(ValueError, match="two with prefix='val_'"):
        model.fit(x, y, callbacks=reports, verbose=0)
    # The same one twice says the same twice.
    model.fit(x, y, callbacks=[reports[0], reports[0]], verbose=0)


def test_one_predict_pass_and_no_more(model, data):
    x, y = data
    seen = []

    class Counted(Batches):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    report = kb.callbacks.PerClassReport(Counted(x, y))
    model.fit(x, y, epochs=2, callbacks=[report], verbose=0)
    assert seen == [0, 1, 2, 3] * 2


def test_a_target_prior_weighs_the_classes(model, data):
    x, y = data
    report = kb.callbacks.PerClassReport(x, y, target_prior=[8, 1, 1])
    history = model.fit(x, y, callbacks=[report], verbose=0).history
    guesses = model.predict(x, verbose=0)
    expected = kb.metrics.class_report(y, guesses, target_prior=[8, 1, 1]).scores
    assert history["val_f1_macro"] == [pytest.approx(expected["f1_macro"])]


class Named(Batches):
    """Batches with labels for each output of a model."""

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x, {"kind": y, "large": (y == 2)[:, None].astype("float32")}


@pytest.mark.parametrize("form", [dict, list])
def test_each_output_has_a_report_of_its_own(data, form):
    x, y = data
    inputs = keras.Input((4,))
    outputs = {
        "kind": keras.layers.Dense(3, "softmax", name="kind")(inputs),
        "large": keras.layers.Dense(1, "sigmoid", name="large")(inputs),
    }
    model = keras.Model(inputs, outputs if form is dict else [*outputs.values()])
    losses = {"kind": "sparse_categorical_crossentropy", "large": "binary_crossentropy"}
    model.compile("sgd", losses if form is dict else [*losses.values()])
    batches = Named(x, y)
    reports = [
        kb.callbacks.PerClassReport(batches, output=name, prefix=f"val_{name}_")
        for name in outputs
    ]
    labels = {"kind": y, "large": (y == 2)[:, None].astype("float32")}
    labels = labels if form is dict else [*labels.values()]
    history = model.fit(x, labels, callbacks=reports, verbose=0).history
    found = model.predict(x, verbose=0)
    kind, large = found.values() if form is dict else found
    expected = sk.recall_score(y, kind.argmax(axis=1), average="macro")
    assert history["val_kind_recall_macro"] == [pytest.approx(expected)]
    expected = sk.recall_score(y == 2, large[:, 0] > 0.5)
    assert history["val_large_recall_1"] == [pytest.approx(expected)]
    lost = kb.callbacks.PerClassReport(x, y)
    with pytest.raises(ValueError, match=r"outputs \['kind', 'large'\].*output=None"):
        model.fit(x, labels, callbacks=[lost], verbose=0)


# Tools that read the logs.


def scripted_report(model, data, values):
    """A report whose macro F1 is as given, to drive the tools."""

    class Scripted(kb.callbacks.PerClassReport):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            logs["val_f1_macro"] = values[epoch]

    return Scripted(*data)


@pytest.mark.once
def test_early_stopping_by_macro_f1(model, data):
    report = scripted_report(model, data, [0.5, 0.6, 0.4, 0.3, 0.9])
    stop = keras.callbacks.EarlyStopping("val_f1_macro", mode="max", patience=2)
    history = model.fit(*data, epochs=5, callbacks=[report, stop], verbose=0).history
    assert history["val_f1_macro"] == [0.5, 0.6, 0.4, 0.3]


@pytest.mark.once
def test_model_checkpoint_by_macro_f1(model, data, tmp_path):
    report = scripted_report(model, data, [0.5, 0.9, 0.4])
    path = tmp_path / "best.weights.h5"
    weights = []
    checkpoint = keras.callbacks.ModelCheckpoint(
        path,
        monitor="val_f1_macro",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
    )
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    )
    model.fit(*data, epochs=3, callbacks=[report, checkpoint, keep], verbose=0)
    model.load_weights(path)
    for found, expected in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.once
def test_csv_logger_has_a_column_a_key(model, data, tmp_path):
    x, y = data
    report = kb.callbacks.PerClassReport(x[y != 1], y[y != 1])
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    model.fit(x, y, epochs=2, callbacks=[report, logger], verbose=0)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for key, values in report.history.items():
        found = [float(row[key]) for row in rows]
        assert found == pytest.approx(values, nan_ok=True)


@pytest.mark.once
def test_tensorboard_draws_macro_f1(model, data, tmp_path):
    pytest.importorskip("tensorflow")
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    report = kb.callbacks.PerClassReport(*data)
    board = keras.callbacks.TensorBoard(tmp_path)
    model.fit(*data, epochs=2, callbacks=[report, board], verbose=0)
    events = accumulator.EventAccumulator(str(tmp_path / "validation"))
    events.Reload()
    steps = events.Tensors("epoch_f1_macro")
    found = [
        float(np.frombuffer(s.tensor_proto.tensor_content, "f4")[0]) for s in steps
    ]
    assert found == pytest.approx(report.history["val_f1_macro"])


# Files.


@pytest.mark.once
def test_the_folder_holds_report_and_pictures(model, data, tmp_path):
    x, y = data
    report = kb.callbacks.PerClassReport(
        x[y != 1],
        y[y != 1],
        ["ant", "bee", "cow"],
        directory=tmp_path / "new" / "report",
    )
    model.fit(x, y, epochs=2, callbacks=[report], verbose=0)
    folder = tmp_path / "new" / "report"
    assert sorted(path.name for path in folder.iterdir()) == [
        "confusion_matrix.png",
        "per_class_curves.png",
        "report.html",
        "report.json",
        "report.md",
    ]
    content = json.loads(
        (folder / "report.json").read_text(), parse_constant=pytest.fail
    )
    assert content["report"]["bee"]["recall"] is None
    assert content["report"]["ant"] == report.report_dict["ant"]
    assert content["confusion_matrix"] == report.confusion_matrix.tolist()
    assert content["history"]["val_f1_macro"] == report.history["val_f1_macro"]
    assert "| ant | " in (folder / "report.md").read_text()
    for picture in ("confusion_matrix.png", "per_class_curves.png"):
        assert imread(folder / picture).std() > 0.05
    # The file compares as the report itself does.
    arms = {"file": content["report"], "memory": report.report_dict}
    rows = kb.metrics.compare_reports(arms).text(arms_down=True).splitlines()
    assert rows[2].split()[1:] == rows[3].split()[1:]


@pytest.mark.once
def test_a_failing_write_leaves_the_old_file(model, data, tmp_path, monkeypatch):
    report = kb.callbacks.PerClassReport(*data, directory=tmp_path)
    model.fit(*data, callbacks=[report], verbose=0)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        model.fit(*data, callbacks=[report], verbose=0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# Life cycle.


@pytest.mark.once
def test_a_copy_shares_the_data_and_nothing_else(model, data):
    x, y = data
    report = kb.callbacks.PerClassReport(x, y)
    model.fit(x, y, callbacks=[report], verbose=0)
    twin = copy.deepcopy(report)
    assert twin.x is x
    assert twin.y is y
    model.fit(x, y, epochs=2, callbacks=[twin], verbose=0)
    assert len(twin.history["val_f1_macro"]) == 2
    assert len(report.history["val_f1_macro"]) == 1


def test_a_copy_shares_a_source_that_cannot_be_copied(data):
    class Uncopied(Batches):
        def __deepcopy__(self, memo):
            raise TypeError("cannot be copied")

    source = Uncopied(*data)
    assert copy.deepcopy(kb.callbacks.PerClassReport(source)).x is source


@pytest.mark.once
def test_another_training_begins_a_new_history(model, data):
    report = kb.callbacks.PerClassReport(*data)
    for _ in range(2):
        model.fit(*data, epochs=2, callbacks=[report], verbose=0)
    assert report.epochs == [1, 2]
    assert len(report.history["val_f1_macro"]) == 2


def test_terminate_on_nan_still_ends_the_training_well(data):
    x, y = data
    model = keras.Sequential([keras.layers.Dense(NUM_CLASSES, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    report = kb.callbacks.PerClassReport(x, y)
    bad = np.where(np.arange(len(x))[:, None] < 40, x, np.nan)
    stop = keras.callbacks.TerminateOnNaN()
    history = model.fit(bad, y, epochs=3, callbacks=[report, stop], verbose=0).history
    assert history["val_f1_macro"] == [0]


# Bad input.


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda x, y: (x, y[:-1]), ValueError, r"len\(x\)=60, len\(y\)=59"),
        (lambda x, y: (x, None), ValueError, r"labels of an array.*\(60, 4\), y=None"),
        (lambda x, y: (x, y + 0.5), ValueError, "whole numbers"),
        (lambda x, y: (iter([(x, y)]), None), TypeError, "again and again"),
        (lambda x, y: (7, None), TypeError, "type <class 'int'>"),
    ],
)
def test_bad_data_is_refused_at_once(data, change, error, text):
    with pytest.raises(error, match=text):
        kb.callbacks.PerClassReport(*change(*data))


def test_a_batch_without_an_image_is_refused(data):
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        kb.callbacks.PerClassReport(*data, batch_size=0)


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"target_prior": "foo"}, ValueError),
        ({"target_prior": [1, -1]}, ValueError),
        ({"target_prior": 3}, ValueError),
        ({"directory": 3}, TypeError),
        ({"class_names": 3}, TypeError),
        ({"class_names": "cat"}, TypeError),
        ({"threshold": "a"}, TypeError),
        ({"prefix": None}, TypeError),
    ],
)
def test_bad_options_are_refused_at_once(data, options, error):
    with pytest.raises(error, match=f"Received: {next(iter(options))}="):
        kb.callbacks.PerClassReport(*data, **options)


@pytest.mark.once
def test_what_does_not_fit_the_model_is_said_before_any_training(model, data, tmp_path):
    (tmp_path / "file").touch()
    for options, error, text in (
        ({"class_names": ["a", "b"]}, ValueError, "3 distinct names"),
        ({"target_prior": [1, 2]}, ValueError, "of 3"),
        ({"threshold": 0.4}, ValueError, "3 classes"),
        ({"directory": tmp_path / "file" / "new"}, OSError, "file"),
    ):
        report = kb.callbacks.PerClassReport(*data, **options)
        begun = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: pytest.fail("trained")
        )
        with pytest.raises(error, match=text):
            model.fit(*data, callbacks=[report, begun], verbose=0)


@pytest.mark.once
def test_several_inputs_are_given_as_batches(data):
    x, y = data
    for pair in (({"image": x}, y), (x, {"class": y})):
        with pytest.raises(ValueError, match="as batches"):
            kb.callbacks.PerClassReport(*pair)


def test_endless_data_is_refused(data):
    tf = pytest.importorskip("tensorflow")
    endless = tf.data.Dataset.from_tensor_slices(data).batch(16).repeat()
    with pytest.raises(ValueError, match="`x` must end"):
        kb.callbacks.PerClassReport(endless)


def test_data_without_a_batch_is_refused(model, data):
    report = kb.callbacks.PerClassReport([])
    with pytest.raises(ValueError, match="at least one batch"):
        model.fit(*data, callbacks=[report], verbose=0)


@pytest.mark.once
def test_labels_the_model_does_not_know_are_refused(model, data):
    x, y = data
    report = kb.callbacks.PerClassReport(
        x, np.where(y == 2, 3, y) % 4 + 5 * (x[:, 0] > 0)
    )
    with pytest.raises(ValueError, match="num_classes=3"):
        model.fit(x, y, callbacks=[report], verbose=0)


@pytest.mark.once
# keras-tuner's own calls of old names.
@pytest.mark.filterwarnings(r"ignore:(currentThread|getName)\(\):DeprecationWarning")
def test_keras_tuner_maximises_macro_f1(data, tmp_path):
    tuner = pytest.importorskip("keras_tuner")
    x, y = data

    def build(hp):
        model = keras.Sequential(
            [keras.layers.Dense(NUM_CLASSES, activation="softmax")]
        )
        rate = hp.Choice("learning_rate", [1e-6, 0.1])
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return model

    class Uncopied(Batches):
        def __deepcopy__(self, memo):
            raise TypeError("cannot be copied")

    search = tuner.GridSearch(
        build,
        tuner.Objective("val_f1_macro", "max"),
        directory=tmp_path,
        project_name="search",
    )
    report = kb.callbacks.PerClassReport(Uncopied(x, y))
    search.search(x, y, epochs=3, callbacks=[report], verbose=0)
    trials = {
        trial.hyperparameters.get("learning_rate"): trial.score
        for trial in search.oracle.trials.values()
    }
    assert trials[0.1] > trials[1e-6]


@pytest.mark.once
def test_the_folders_of_a_data_set_of_keras_name_the_classes(tmp_path):
    for name, color in [("newt", 20), ("toad", 200)]:
        (tmp_path / name).mkdir()
        image = np.full((4, 4, 3), color)
        keras.utils.save_img(tmp_path / name / "0.png", image, scale=False)
    held_out = keras.utils.image_dataset_from_directory(
        tmp_path, image_size=(4, 4), shuffle=False, verbose=False
    )
    model = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(2, kernel_initializer="zeros")]
    )
    report = kb.callbacks.PerClassReport(held_out)
    report.set_model(model)
    report.on_epoch_end(0, {})
    assert report.history["val_recall_newt"] == [1.0]


@pytest.mark.parametrize(
    "names", [["crack", "dent", "good"], ["good", "dent"], ("crack",)]
)
def test_names_of_other_classes_than_the_data_have_are_refused(names):
    x, y = np.zeros((4, 2, 2, 1), "uint8"), np.array([0, 1, 1, 1])
    images = kb.data.LabelledImages(x, y, titles=["dent", "good"])
    batches = Batches(x, y)
    batches.class_names = ["dent", "good"]
    for held_out in (images, batches):
        kb.callbacks.PerClassReport(held_out, class_names=["rare", "frequent"])
        with pytest.raises(ValueError, match="`class_names` must be the classes of"):
            kb.callbacks.PerClassReport(held_out, class_names=names)


def test_labelled_images_are_reported_by_the_names_of_their_classes():
    x = np.zeros((9, 2, 2, 1), "uint8")
    x[np.arange(9), np.arange(9) % 3 // 2, np.arange(9) % 2] = 255
    y = np.repeat([2, 7, 40], 3)
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.compile("sgd", "mse")
    titles = ["cat", "dog", "newt"]
    images = kb.data.LabelledImages(x, y, titles=titles)
    report = kb.callbacks.PerClassReport(images, batch_size=4)
    plain = kb.callbacks.PerClassReport(x, y, class_names=titles, batch_size=4)
    for one in (report, plain):
        one.set_model(model)
        one.on_epoch_end(0, {})
    assert "val_recall_newt" in report.history
    assert report.report == plain.report
    dataset = kb.BalancedDataset(images, sampling_strategy={}, shuffle=False)
    outputs = model.predict(x, verbose=0)
    for y_true in (images, dataset):
        assert kb.metrics.class_report(y_true, outputs).report == report.report
    with pytest.raises(ValueError, match="order of its images"):
        kb.metrics.class_report(kb.BalancedDataset(images), outputs)
    with pytest.raises(ValueError, match="`y` must be None"):
        kb.callbacks.PerClassReport(images, y)


def test_labels_may_be_a_list(data, model):
    x, y = data
    report = kb.callbacks.PerClassReport(x, y.tolist())
    model.fit(x, y, verbose=0, callbacks=[report])
    assert report.report_dict["macro avg"]["support"] == len(y)
