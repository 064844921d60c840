"""`BalancedDataset(mix=...)`: batches, workers, what stands behind them."""

import pickle

import keras
import keras_tuner
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset, Mix

pytestmark = pytest.mark.usefixtures("eager")


def images_of(counts=(40, 20, 5), size=(8, 8)):
    """Class c fills its images with 10 ** c."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = np.ones((len(y), *size, 1), "float32") * 10.0 ** y[:, None, None, None]
    return x, y


def mixed(mix="cutmix", y=None, **options):
    x, indices = images_of()
    y = indices if y is None else y
    return BalancedDataset(x, y, batch_size=32, mix=mix, seed=0, **options)


def assert_equal_batches(some, others):
    for one, other in zip(some, others, strict=True):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)


LABELS = {
    "sparse": lambda y: y,
    "column": lambda y: y[:, None],
    "one-hot": lambda y: np.eye(3, dtype="int32")[y],
    "names": lambda y: np.array(["cat", "dog", "ship"])[y],
    "numbers": lambda y: np.array([-1, 7, 40])[y],
}


@pytest.mark.parametrize("write", LABELS.values(), ids=LABELS.keys())
def test_labels_are_shares_whatever_came_in(write):
    y = write(images_of()[1])
    for images, labels in mixed(y=y):
        assert labels.dtype == "float32"
        assert labels.shape == (len(images), 3)
        shares = [(images == 10**c).mean(axis=(1, 2, 3)) for c in range(3)]
        np.testing.assert_allclose(labels.T, shares, atol=1e-6)
    assert_equal_batches(mixed(y=y), mixed())


def test_batches_are_a_function_of_seed_epoch_and_index():
    dataset = mixed()
    first = [dataset[i] for i in (3, 0, 3)]
    assert_equal_batches(first, [mixed()[i] for i in (3, 0, 3)])
    dataset.epoch = 1
    assert not np.array_equal(dataset[0][1], first[1][1])
    dataset.epoch = 0
    assert_equal_batches([dataset[-1]], [first[0]])
    assert_equal_batches([mixed().batch(1, 2)], [dataset.batch(1, 2)])


def test_worker_threads_give_the_same():
    dataset = mixed(workers=2)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3, "softmax"))
    model.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    model.evaluate(*dataset[0], verbose=0)
    history = model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    expected = [
        np.average(
            [model.evaluate(*batch, verbose=0) for batch in batches],
            weights=[len(labels) for _, labels in batches],
        )
        for batches in [[mixed().batch(e, i) for i in range(4)] for e in range(2)]
    ]
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-4)


def test_worker_processes_give_the_same():
    """They get a pickled copy."""
    dataset = mixed(use_multiprocessing=True)
    dataset.epoch = 3
    copy = pickle.loads(pickle.dumps(dataset))
    assert_equal_batches(copy, [mixed().batch(3, i) for i in range(4)])


def test_without_mix_batches_are_what_they_were():
    x, y = images_of()
    dataset = mixed(Mix("mixup", rate=0))
    plain = BalancedDataset(x, y, batch_size=32, seed=0)
    for (images, labels), (same, classes) in zip(dataset, plain, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(labels, np.eye(3)[classes])


def test_images_that_were_given_stay_as_they_are():
    x, y = images_of()
    dataset = BalancedDataset(x, y, batch_size=200, mix="mixup", seed=0)
    dataset[0]
    np.testing.assert_array_equal(x, images_of()[0])


def test_weights_of_synthetic_images_are_mixed():
    dataset = mixed(Mix("mixup", rate=1), synthetic_weight=0.0)
    _, labels, weights = next(iter(dataset))
    assert labels.shape == (32, 3)
    assert ((weights > 0) & (weights < 1)).any()


def test_class_counts_are_those_of_the_images():
    assert mixed().class_counts == {0: 40, 1: 40, 2: 40}


def test_tf_data_is_mixed():
    dataset = mixed().to_tf_dataset()
    assert dataset.element_spec[1].shape == (None, 3)
    assert_equal_batches(dataset.as_numpy_iterator(), list(mixed()))


def test_bytes_are_mixed_in_channels_first():
    x, y = images_of()
    x = np.moveaxis((x * 2).astype("uint8"), -1, 1)
    dataset = BalancedDataset(
        x, y, batch_size=32, mix="cutmix", seed=0, data_format="channels_first"
    )
    for (images, labels), (same, shares) in zip(dataset, mixed(), strict=True):
        np.testing.assert_array_equal(np.moveaxis(images, 1, -1), same * 2)
        np.testing.assert_array_equal(labels, shares)


def test_a_network_learns_from_mixed_batches():
    x, y = images_of()
    dataset = mixed(Mix("cutmix", until_epoch=3), synthesizer="nothing")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 99)])
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(16, "relu"))
    model.add(keras.layers.Dense(3, "softmax"))
    loss = kb.losses.LogitAdjustedCrossentropy(dataset)
    metric = kb.metrics.PerClassMetrics(3)
    model.compile(keras.optimizers.Adam(0.03), loss, metrics=[metric])
    history = model.fit(dataset, epochs=6, validation_data=(x, y), verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert "f1_macro" in history.history
    assert "val_f1_macro" in history.history


def test_class_weights_go_by_the_larger_share():
    dataset = mixed(Mix("mixup", rate=1))
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3, "softmax"))
    model.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    weights = np.array([1.0, 2.0, 3.0])
    with pytest.warns(UserWarning, match="`class_weight` corrects a second time"):
        history = model.fit(
            dataset, class_weight=dict(enumerate(weights)), shuffle=False, verbose=0
        )
    expected = [
        model.evaluate(x, y, sample_weight=weights[y.argmax(axis=1)], verbose=0)
        for x, y in mixed(Mix("mixup", rate=1))
    ]
    sizes = [len(y) for _, y in mixed()]
    loss = np.average(expected, weights=sizes)
    assert history.history["loss"][0] == pytest.approx(loss, rel=1e-4)


@pytest.mark.once
def test_a_search_mixes_its_trainings_alone():
    def build(hp):
        model = kb.models.convnet((8, 8, 1), 3)
        model.compile("adam", "categorical_crossentropy")
        return model

    x, y = images_of()
    space = {"synthesizer": "repeat", "batch_size": 32}
    search = kb.tuners.BalancedHyperModel(build, space, mix="cutmix")
    values = keras_tuner.HyperParameters()
    search.declare_hyperparameters(values)
    assert search.balanced_dataset(values, x, y).mix == Mix("cutmix")
    history = search.fit(
        values,
        search.build(values),
        x,
        y,
        validation_data=(x, np.eye(3)[y]),
        epochs=1,
        verbose=0,
    )
    assert "val_f1_macro" in history.history


def test_held_out_data_must_not_be_mixed():
    with pytest.raises(ValueError, match="must not be mixed"):
        kb.callbacks.PerClassReport(mixed())


def test_fractional_labels_are_refused_with_mix_too():
    x, y = images_of()
    with pytest.raises(ValueError, match="whole numbers"):
        BalancedDataset(x, y + 0.5, mix="mixup")
