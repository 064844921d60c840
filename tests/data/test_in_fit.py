"""What a feed may say of the model that asks for its batches."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from small_models import EAGERLY

X = np.zeros((12, 2, 2, 1), "uint8")
Y = np.repeat([0, 1], [8, 4])
SPARSE = "sparse_categorical_crossentropy"


def classifier(loss=SPARSE, width=2, kind=keras.Sequential):
    model = kind([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(width, activation="softmax"))
    model.compile("sgd", loss, run_eagerly=EAGERLY)
    return model


def feed(y, **options):
    return kb.BalancedDataset(X, y, seed=0, **options)


def check_refused(call, received, width=2):
    text = f"below {width} for a model of {width} classes.*with the class {received}$"
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(("y", "received"), [(Y + 1, 2), (Y - 1, -1)])
def test_a_label_without_an_output_is_refused(y, received):
    check_refused(lambda: classifier().fit(feed(y), verbose=0), received)


def sparse_loss(name):
    return {
        "object": keras.losses.SparseCategoricalCrossentropy(),
        "function": keras.losses.sparse_categorical_crossentropy,
        "list": [SPARSE],
        "ours": kb.losses.LDAM([8, 4]),
    }[name]


@pytest.mark.once
@pytest.mark.parametrize("name", ["object", "function", "list", "ours"])
def test_of_every_loss_that_takes_class_indices(name):
    model, y = classifier(sparse_loss(name)), (Y + 1)[:, None]
    check_refused(lambda: model.fit(feed(y), verbose=0), 2)


@pytest.mark.once
@pytest.mark.parametrize(
    "loss", ["binary_crossentropy", keras.losses.BinaryCrossentropy()]
)
def test_one_output_takes_two_class_indices(loss):
    x = np.zeros((8, 2, 2, 1), "float32")
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("sgd", loss, run_eagerly=True)
    y = np.array([1, 2] * 4)
    with pytest.raises(ValueError, match=r"below 2 .* y with the class 2"):
        model.fit(kb.BalancedDataset(x, y), verbose=0)
    model.fit(kb.BalancedDataset(x, y - 1), verbose=0)


def test_in_an_evaluation_and_as_validation_data():
    model, wrong = classifier(), feed(Y + 1)
    check_refused(lambda: model.evaluate(wrong, verbose=0), 2)
    options = {"validation_data": wrong, "verbose": 0}
    check_refused(lambda: model.fit(feed(Y), **options), 2)


class Shifted(keras.Sequential):
    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return super().compute_loss(x, y - 1, y_pred, sample_weight, training)


def shifted(y, y_pred):
    return keras.losses.sparse_categorical_crossentropy(y - 1, y_pred)


def test_labels_that_a_model_takes_otherwise_are_left_alone():
    classifier(kind=Shifted).fit(feed(Y + 1), verbose=0)
    classifier(shifted).fit(feed(Y + 1), verbose=0)
    one_hot = classifier("categorical_crossentropy")
    one_hot.fit(feed(np.eye(2)[Y]), verbose=0)
    one_hot.fit(feed(Y + 1, mix="mixup"), verbose=0)


@pytest.mark.once
def test_labels_that_are_not_fed_are_left_alone():
    classifier().fit(feed(Y, num_classes=3, sampling_strategy={}), verbose=0)
    report = kb.callbacks.PerClassReport(feed(Y * 7))
    classifier().fit(feed(Y), callbacks=[report], verbose=0)
    assert "recall_7" in str(report.history)


WORKERS = {"workers": 2}, {"workers": 1, "use_multiprocessing": True}


@pytest.mark.parametrize("workers", WORKERS, ids=["threads", "processes"])
@pytest.mark.parametrize("steps", [2, 4])
def test_an_epoch_of_several_workers_is_a_whole_pass(workers, steps):
    dataset = feed(Y, batch_size=4, sampling_strategy={}, **workers)
    text = f"leave `steps_per_epoch` out. Received: steps_per_epoch={steps} and .* 3 b"
    with pytest.raises(ValueError, match=text):
        classifier().fit(dataset, steps_per_epoch=steps, verbose=0)
    assert dataset.epoch == 0


def test_a_whole_pass_may_be_named_and_one_worker_stops_where_it_likes():
    model, options = classifier(), {"batch_size": 4, "sampling_strategy": {}}
    model.fit(feed(Y, workers=2, **options), steps_per_epoch=3, verbose=0)
    model.fit(feed(Y, **options), steps_per_epoch=2, verbose=0)
    validation = feed(Y, workers=2, **options)
    arrays = {"x": X, "y": Y, "batch_size": 4, "steps_per_epoch": 2}
    model.fit(**arrays, validation_data=validation, verbose=0)
