import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

import keras_balance as kb


def predictions_of(classes, num_classes, seed=0, ties=False):
    """Scores `(n, num_classes)` whose greatest is at `classes`; optionally shared."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(classes), num_classes)).astype("float32")
    rows = np.arange(len(classes))
    scores[rows, classes] = scores.max(axis=1) + 1
    if ties:
        # Every class behind the first greatest one is as great.
        behind = np.arange(num_classes) > np.asarray(classes)[:, None]
        scores = np.where(behind, scores.max(axis=1, keepdims=True), scores)
    return scores


def expected_scores(y_true, y_pred, num_classes, sample_weight=None):
    options = {
        "labels": range(num_classes),
        "zero_division": 0,
        "sample_weight": sample_weight,
    }
    each = precision_recall_fscore_support(y_true, y_pred, **options)[:3]
    macro = precision_recall_fscore_support(y_true, y_pred, average="macro", **options)[
        :3
    ]
    names = ("precision", "recall", "f1")
    scores = {
        f"{name}_{c}": values[c]
        for name, values in zip(names, each, strict=True)
        for c in range(num_classes)
    }
    return scores | {f"{n}_macro": v for n, v in zip(names, macro, strict=True)}


def as_floats(result):
    return {key: float(keras.ops.convert_to_numpy(v)) for key, v in result.items()}


@st.composite
def predicted_data(draw):
    # Few shapes: JAX compiles each of them.
    num_classes = draw(st.sampled_from([2, 5]))
    size = draw(st.sampled_from([1, 24]))
    # Drawn from a few classes only, so that some are missing.
    drawn = st.lists(st.integers(0, num_classes - 1), min_size=size, max_size=size)
    weight = st.floats(0.01, 100)
    return {
        "num_classes": num_classes,
        "y_true": np.array(draw(drawn)),
        "y_pred": np.array(draw(drawn)),
        "weights": draw(
            st.none() | st.lists(weight, min_size=size, max_size=size).map(np.array)
        ),
        "cuts": draw(st.sampled_from([[], [size], [size // 3, size]])),
        "form": draw(st.sampled_from(["sparse", "column", "one_hot"])),
        "ties": draw(st.booleans()),
    }


@given(predicted_data())
@settings(max_examples=20, deadline=None)
def test_equals_scikit_learn_for_any_split_into_batches(data):
    num_classes, y_true, weights = data["num_classes"], data["y_true"], data["weights"]
    scores = predictions_of(data["y_pred"], num_classes, ties=data["ties"])
    labels = {
        "sparse": y_true,
        "column": y_true[:, None],
        "one_hot": np.eye(num_classes, dtype="float32")[y_true],
    }[data["form"]]
    metric = kb.metrics.PerClassMetrics(num_classes)
    for part in np.split(np.arange(len(y_true)), data["cuts"]):
        metric.update_state(
            labels[part], scores[part], None if weights is None else weights[part]
        )
    expected = expected_scores(y_true, data["y_pred"], num_classes, weights)
    result = as_floats(metric.result())
    assert list(result) == list(expected)
    np.testing.assert_allclose(
        list(result.values()), list(expected.values()), atol=1e-6
    )


def test_small_weighted_batches_do_not_drift():
    # Plain float32 sums are 1e-4 off here: each batch is below their resolution.
    metric = kb.metrics.PerClassMetrics(2)
    scores = predictions_of([0, 1], 2)
    metric.update_state([0, 0], scores, [2.0**24, 2.0**24])
    for _ in range(200):
        metric.update_state([0], scores[:1], [0.7])
    total = 2.0**24 + 140
    assert float(metric.result()["recall_0"]) == pytest.approx(
        total / (total + 2.0**24), abs=1e-7
    )


def test_a_lost_prediction_is_a_miss():
    scores = predictions_of([0, 0, 1], 2)
    scores[0] = np.nan
    metric = kb.metrics.PerClassMetrics(2)
    metric.update_state([0, 0, 1], scores)
    result = as_floats(metric.result())
    assert result["recall_0"] == 0.5
    assert result["precision_0"] == 1


def test_a_tensor_label_outside_the_classes_is_loud():
    metric = kb.metrics.PerClassMetrics(2)
    labels = keras.ops.convert_to_tensor([0, 2])
    metric.update_state(labels, predictions_of([0, 1], 2))
    assert np.isnan(float(metric.result()["f1_macro"]))


SIGMOID = np.array([[0.2], [0.9], [0.6], [0.4], [0.5], [np.nan]], "float32")


@pytest.mark.parametrize("labels", [np.array([0, 1, 0, 1, 0, 1.0]), [0, 1, 0, 1, 0, 1]])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_one_sigmoid_output_is_two_classes(labels, threshold):
    metric = kb.metrics.PerClassMetrics(2, threshold=threshold)
    metric.update_state(np.reshape(labels, (-1, 1)), SIGMOID)
    guesses = (SIGMOID[:, 0] > (threshold or 0.5)).astype(int)
    guesses[np.isnan(SIGMOID[:, 0])] = -1
    expected = expected_scores(labels, guesses, 2)
    assert as_floats(metric.result()) == pytest.approx(expected)


def test_a_threshold_parts_two_columns_too():
    columns = np.concatenate([1 - SIGMOID, SIGMOID], axis=1)[:5]
    results = []
    for outputs in (SIGMOID[:5], columns):
        metric = kb.metrics.PerClassMetrics(2, threshold=0.55)
        metric.update_state([0, 1, 0, 1, 0], outputs)
        results.append(as_floats(metric.result()))
    assert results[0] == results[1]


def test_logits_of_a_single_output_need_a_threshold():
    logits = np.array([[-2.0], [3.0]], "float32")
    with pytest.raises(ValueError, match="threshold=0"):
        kb.metrics.PerClassMetrics(2).update_state([0, 1], logits)
    metric = kb.metrics.PerClassMetrics(2)
    metric.update_state([0, 1], keras.ops.convert_to_tensor(logits))
    assert np.isnan(float(metric.result()["f1_macro"]))
    metric = kb.metrics.PerClassMetrics(2, threshold=0)
    metric.update_state([0, 1], logits)
    assert float(metric.result()["f1_macro"]) == 1


def test_soft_labels_stand_for_their_greatest_class():
    soft = np.array([[0.7, 0.3, 0.0], [0.1, 0.1, 0.8]], "float32")
    scores = predictions_of([0, 2], 3)
    for labels in (soft, keras.ops.convert_to_tensor(soft)):
        metric = kb.metrics.PerClassMetrics(3)
        metric.update_state(labels, scores)
        assert float(metric.result()["recall_macro"]) == pytest.approx(2 / 3)
    metric = kb.metrics.PerClassMetrics(2)
    metric.update_state(np.array([0.3, 0.7], "float32"), predictions_of([0, 1], 2))
    assert float(metric.result()["recall_macro"]) == 1


def test_a_bad_label_in_a_tensor_leaves_no_score():
    metric = kb.metrics.PerClassMetrics(3)
    labels = keras.ops.convert_to_tensor([0, 1, 2, 7])
    metric.update_state(labels, predictions_of([0, 1, 2, 2], 3))
    assert np.isnan([float(one) for one in metric.result().values()]).all()


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="it has no int64")
def test_a_label_beyond_32_bits_is_none():
    metric = kb.metrics.PerClassMetrics(2)
    labels = keras.ops.convert_to_tensor(np.array([2**32, 1]))
    metric.update_state(labels, predictions_of([0, 1], 2))
    assert np.isnan(float(metric.result()["f1_macro"]))


@pytest.mark.parametrize(
    "labels", [[[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [0.0, 0.5], [0, 3]]
)
def test_bad_labels_in_a_tensor_are_loud(labels):
    metric = kb.metrics.PerClassMetrics(3)
    metric.update_state(keras.ops.convert_to_tensor(labels), predictions_of([0, 1], 3))
    assert np.isnan(float(metric.result()["recall_macro"]))


def test_shown_keys():
    def keys(shown):
        metric = kb.metrics.PerClassMetrics(3, ["a", "b", "c"], keys=shown)
        metric.update_state([0, 1, 1], predictions_of([0, 1, 0], 3))
        # The averages are of all classes, whichever are shown.
        assert float(metric.result()["recall_macro"]) == pytest.approx(0.5)
        return list(metric.result())

    macro = [f"{score}_macro" for score in ("precision", "recall", "f1")]
    assert keys("macro") == macro
    assert keys(["b"]) == ["precision_b", "recall_b", "f1_b", *macro]


def test_each_output_of_a_model_has_scores_of_its_own():
    rng = np.random.default_rng(0)
    x = rng.random((80, 3)).astype("float32")
    labels = {"sex": (x[:, 0] > 0.5) * 1, "ill": (x[:, 2] > 0.8) * 1}
    inputs = keras.Input((3,))
    dense = keras.layers.Dense
    outputs = {name: dense(2, "softmax", name=name)(inputs) for name in labels}
    model = keras.Model(inputs, outputs)
    metrics = {n: [kb.metrics.PerClassMetrics(2, name=n)] for n in labels}
    losses = dict.fromkeys(labels, "sparse_categorical_crossentropy")
    model.compile("sgd", losses, metrics=metrics)
    logs = model.evaluate(x, labels, return_dict=True, verbose=0)
    predictions = model.predict(x, verbose=0)
    for name, true in labels.items():
        expected = expected_scores(true, predictions[name].argmax(axis=1), 2)
        found = {key: logs[f"{name}_{key}"] for key in expected}
        assert found == pytest.approx(expected, abs=1e-6)


def two_outputs():
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(2, "softmax", name=n)(inputs) for n in ("sex", "ill")]
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize(("call", "name"), [("fit", "per_class"), ("evaluate", "own")])
def test_two_metrics_of_one_name_are_refused(call, name):
    def metric():
        return kb.metrics.PerClassMetrics(2, name=name)

    x, y = np.zeros((4, 3), "float32"), np.array([0, 1, 0, 1])
    once = metric()
    one_output = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    for model, labels, metrics in [
        (two_outputs(), [y, y], {"metrics": [[metric()], [metric()]]}),
        (two_outputs(), [y, y], {"metrics": [[once], [once]]}),
        (one_output, y, {"metrics": [metric(), metric()]}),
        (one_output, y, {"metrics": [metric()], "weighted_metrics": [metric()]}),
    ]:
        model.compile("sgd", "sparse_categorical_crossentropy", **metrics)
        with pytest.raises(ValueError, match=f"two with name='{name}'"):
            getattr(model, call)(x, labels, verbose=0)


@pytest.mark.once
def test_another_metric_called_as_one_of_the_keys_is_refused():
    x, y = np.zeros((4, 3), "float32"), np.array([0, 1, 0, 1])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    # As Keras calls the second one that is made without a name.
    taken = keras.metrics.SparseCategoricalAccuracy(name="recall_1")
    own = kb.metrics.PerClassMetrics
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", loss, metrics=[taken, own(2)], run_eagerly=True)
    with pytest.raises(ValueError, match="called as a key of its"):
        model.fit(x, y, verbose=0)
    for metric in (own(2, name="own"), own(2, keys="macro")):
        model.compile("sgd", loss, metrics=[taken, metric], run_eagerly=True)
        assert "recall_1" in model.fit(x, y, verbose=0).history
    # That of another output is logged under the output's name.
    model = two_outputs()
    metrics = [[own(2)], [taken]]
    model.compile("sgd", [loss] * 2, metrics=metrics, run_eagerly=True)
    assert {"recall_1", "ill_recall_1"} <= {*model.fit(x, [y, y], verbose=0).history}


def test_fit_logs_scores_of_one_sigmoid_output():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    y = (x[:, :1] > 0.5).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[kb.metrics.PerClassMetrics(2)])
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    guesses = model.predict(x, verbose=0)[:, 0] > 0.5
    for key, value in expected_scores(y[:, 0], guesses, 2).items():
        assert history[f"val_{key}"][-1] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("loss", ["sparse", "one_hot"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_fit_logs_scores_of_training_and_validation_data(loss, from_logits):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4)).astype("float32")
    y = x[:, :3].argmax(axis=1)
    targets = y if loss == "sparse" else np.eye(3)[y]
    losses = {
        "sparse": keras.losses.SparseCategoricalCrossentropy(from_logits),
        "one_hot": keras.losses.CategoricalCrossentropy(from_logits),
    }
    activation = None if from_logits else "softmax"
    model = keras.Sequential([keras.layers.Dense(3, activation=activation)])
    model.compile(
        "adam",
        losses[loss],
        metrics=[kb.metrics.PerClassMetrics(3)],
        run_eagerly=from_logits,  # either way
    )
    history = model.fit(
        x,
        targets,
        batch_size=32,
        epochs=2,
        validation_data=(x[:40], targets[:40]),
        verbose=0,
    ).history
    guesses = model.predict(x[:40], verbose=0).argmax(axis=1)
    for key, value in expected_scores(y[:40], guesses, 3).items():
        assert history[f"val_{key}"][-1] == pytest.approx(value, abs=1e-6)
        assert len(history[key]) == 2


def test_compiled_sums_are_compensated_too():
    """A compiler that simplifies (a + b) - a would undo the compensation."""
    scores = predictions_of([0, 1], 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
    model.compile(
        loss="sparse_categorical_crossentropy",
        weighted_metrics=[kb.metrics.PerClassMetrics(2)],
    )
    x = np.concatenate([scores[[0, 1]], np.repeat(scores[:1], 200, axis=0)])
    weights = np.array([2.0**24] * 2 + [0.7] * 200, dtype="float32")
    # The second image is of class 0 as well, and is missed.
    logs = model.evaluate(
        x,
        np.zeros(202, "int32"),
        sample_weight=weights,
        batch_size=2,
        return_dict=True,
        verbose=0,
    )
    total = 2.0**24 + 140
    assert logs["recall_0"] == pytest.approx(total / (total + 2.0**24), abs=1e-7)


def test_sample_weight_counts_in_weighted_metrics():
    scores = predictions_of([0, 1], 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
    metric = kb.metrics.PerClassMetrics(2)
    model.compile(loss="mse", weighted_metrics=[metric])
    logs = model.evaluate(
        scores,
        np.eye(2)[[0, 0]],
        sample_weight=np.array([3.0, 1.0]),
        return_dict=True,
        verbose=0,
    )
    assert logs["recall_0"] == pytest.approx(0.75)


def test_half_precision_counts_beyond_2048():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        metric = kb.metrics.PerClassMetrics(2)
        scores = predictions_of(np.zeros(3000, int), 2).astype("float16")
        metric.update_state(np.zeros(3000, int), scores)
        metric.update_state(np.zeros(1, int), scores[:1, ::-1])
        assert float(metric.result()["recall_0"]) == pytest.approx(3000 / 3001)
    finally:
        keras.config.set_dtype_policy("float32")


def test_reset_forgets():
    metric = kb.metrics.PerClassMetrics(2)
    metric.update_state([0, 1], predictions_of([1, 0], 2))
    metric.reset_state()
    metric.update_state([0, 1], predictions_of([0, 1], 2))
    assert float(metric.result()["f1_macro"]) == 1


def test_names_are_in_the_keys_and_in_the_config():
    metric = kb.metrics.PerClassMetrics(
        2, class_names=("cat", "dog"), name="pets", keys=("dog",), threshold=0.25
    )
    assert list(metric.result())[:2] == ["pets_precision_dog", "pets_recall_dog"]
    config = keras.saving.serialize_keras_object(metric)
    twin = keras.saving.deserialize_keras_object(config)
    assert isinstance(twin, kb.metrics.PerClassMetrics)
    assert twin.get_config() == metric.get_config()
    assert list(twin.result()) == list(metric.result())


def test_a_saved_model_brings_the_metric_back(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("adam", "mse", metrics=[kb.metrics.PerClassMetrics(2)])
    x, y = np.ones((4, 4), "float32"), np.eye(2)[[0, 1, 0, 1]]
    model.fit(x, y, verbose=0)
    expected = model.evaluate(x, y, return_dict=True, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(x, y, return_dict=True, verbose=0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"num_classes": 2.5}, TypeError, "num_classes=2.5"),
        ({"num_classes": True}, TypeError, "num_classes=True"),
        ({"num_classes": 0}, ValueError, "num_classes=0"),
        ({"num_classes": 1}, ValueError, "one sigmoid output is two classes.*=1"),
        ({"num_classes": 2, "keys": "recall"}, ValueError, "keys='recall'"),
        ({"num_classes": 2, "keys": 7}, TypeError, "keys=7"),
        ({"num_classes": 2, "keys": [2]}, ValueError, r"keys=\[2\]"),
        ({"num_classes": 3, "threshold": 0.5}, ValueError, "threshold=0.5"),
        ({"num_classes": 2, "threshold": "half"}, TypeError, "threshold='half'"),
        ({"num_classes": 3, "class_names": 3}, TypeError, "Received: class_names=3"),
        ({"num_classes": 3, "class_names": "abc"}, TypeError, "class_names='abc'"),
        ({"num_classes": 2, "class_names": ["a"]}, ValueError, r"class_names=\['a'\]"),
        (
            {"num_classes": 2, "class_names": ["a", "a"]},
            ValueError,
            r"class_names=\['a', 'a'\]",
        ),
        (
            {"num_classes": 2, "class_names": ["a", "macro"]},
            ValueError,
            "name averages.*Received",
        ),
    ],
)
def test_bad_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        kb.metrics.PerClassMetrics(**arguments)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "text"),
    [
        ([0, 1], np.zeros((2, 1)), r"num_classes=3\).*shape \(2, 1\)"),
        ([0, 1], np.zeros((2, 2, 3)), r"shape \(2, 2, 3\)"),
        (np.zeros((2, 2)), np.zeros((2, 3)), r"y_true of shape \(2, 2\)"),
        ([0, 3], np.zeros((2, 3)), r"num_classes=3\).*label 3"),
        ([0, -1], np.zeros((2, 3)), r"num_classes=3\).*label -1"),
        ([0, 0.5], np.zeros((2, 3)), r"num_classes=3\).*label 0.5"),
        (np.array([[1, 1, 0], [1, 0, 0]]), np.zeros((2, 3)), r"multi-label.*1, 1, 0"),
        (np.array([[1, 0, 0], [0, 0, 0]]), np.zeros((2, 3)), r"multi-label.*0, 0, 0"),
        (np.array([[2, -1, 0], [1, 0, 0]]), np.zeros((2, 3)), r"multi-label.*2, -1"),
    ],
)
def test_bad_batches(y_true, y_pred, text):
    metric = kb.metrics.PerClassMetrics(3)
    with pytest.raises(ValueError, match=text):
        metric.update_state(y_true, y_pred)


def test_numpy_integers_are_integers():
    assert kb.metrics.PerClassMetrics(np.int64(3)).num_classes == 3


def test_labels_that_are_strings_are_refused():
    metric = kb.metrics.PerClassMetrics(3, class_names=list("abc"))
    with pytest.raises(ValueError, match=r"class indices, or one-hot.*<U1"):
        metric.update_state(np.array(list("abc")), np.full((3, 3), 1 / 3))
