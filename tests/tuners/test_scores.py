"""The scores that are added to a classifier, and what else of it stays."""

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn import metrics as sk

import keras_balance as kb
from keras_balance.tuners import scores

pytestmark = [pytest.mark.usefixtures("eager"), pytest.mark.once]

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = np.array([0, 1, 2] * 4)


def classifier(outputs=3, **options):
    activation = "softmax" if outputs > 1 else "sigmoid"
    layers = [keras.Input((4,)), keras.layers.Dense(outputs, activation=activation)]
    model = keras.Sequential(layers)
    options = {"loss": "sparse_categorical_crossentropy"} | options
    model.compile(keras.optimizers.SGD(0.25), **options)
    return model


def logs_of(model):
    return model.evaluate(X, Y, verbose=0, return_dict=True)


def test_added_beside_what_there_is():
    model = classifier(metrics=["accuracy"], weighted_metrics=["accuracy"])
    before = logs_of(model)
    optimizer = model.optimizer
    scores.add_per_class_metrics(model, class_names=["a", "b", "c"])
    after = logs_of(model)
    assert model.optimizer is optimizer
    assert {key: after[key] for key in before} == pytest.approx(before)
    assert {"f1_macro", "recall_a", "precision_c"} <= set(after)


@pytest.mark.parametrize(
    "metrics", [None, ["accuracy"], [["accuracy"]], {"dense": "accuracy"}]
)
def test_metrics_in_every_form_that_keras_takes(metrics):
    model = classifier(metrics=metrics)
    model.layers[-1].name = "dense"
    scores.add_per_class_metrics(model)
    expected = {"loss", "f1_macro"} | ({"accuracy"} if metrics else set())
    assert expected <= set(logs_of(model))


def test_a_model_that_has_them_is_left_alone():
    model = classifier(metrics=[kb.metrics.PerClassMetrics(3)])
    before = model.get_compile_config()
    scores.add_per_class_metrics(model)
    assert model.get_compile_config() == before


def test_losses_and_options_stay():
    def loss(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1) * 0 + 7

    model = classifier(loss=loss, run_eagerly=True)
    scores.add_per_class_metrics(model)
    assert model.run_eagerly
    assert logs_of(model)["loss"] == pytest.approx(7)


def test_a_model_without_a_known_output_learns_the_number_of_classes():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    scores.add_per_class_metrics(model, num_classes=3)
    assert "recall_2" in logs_of(model)


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_output_is_two_classes(from_logits):
    model = classifier(1, loss=keras.losses.BinaryCrossentropy(from_logits=from_logits))
    if from_logits:
        model.layers[-1].activation = keras.activations.linear
    scores.add_per_class_metrics(model)
    labels = (Y == 2).astype("float32")[:, None]
    logs = model.evaluate(X, labels, verbose=0, return_dict=True)
    guesses = model.predict(X, verbose=0)[:, 0] > (0 if from_logits else 0.5)
    expected = sk.f1_score(labels[:, 0], guesses, average="macro")
    assert logs["f1_macro"] == pytest.approx(expected)


def test_metrics_that_keras_cannot_rebuild():
    def mine(y_true, y_pred):
        return keras.ops.mean(y_pred)

    with pytest.raises(keras_tuner.errors.FatalValueError, match="PerClassMetrics"):
        scores.add_per_class_metrics(classifier(metrics=[mine]))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["loss", "val_loss", "val_f1_macro"])
def test_a_training_that_diverged_fails_its_trial(name, value):
    objective = keras_tuner.Objective("val_f1_macro", "max")
    callback = keras.callbacks.Callback()
    callback.objective = objective
    logs = {"loss": [1.0, 0.5], "val_loss": [1.0, 0.5], "val_f1_macro": [0.1, 0.2]}
    scores.check_history(logs, [callback])
    logs[name][1] = value
    with pytest.raises(
        keras_tuner.errors.FailedTrialError, match=rf"`{name}`.*epoch 2"
    ) as caught:
        scores.check_history(logs, [callback])
    assert ("may have got logits" in str(caught.value)) == (name == "val_f1_macro")
