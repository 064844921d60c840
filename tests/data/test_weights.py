"""The user's own weights beside those of synthetic images."""

import warnings

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset
from small_models import EAGERLY

X = np.arange(12.0)[:, None, None, None] * np.ones((1, 2, 2, 1))
Y = np.repeat([0, 1], [8, 4])
OWN = np.linspace(0.5, 6, 12)


def weights_of(**options):
    dataset = BalancedDataset(X, Y, 32, shuffle=False, seed=0, **options)
    images, _, weights = dataset[0]
    assert weights.dtype == np.float32
    return images[:, 0, 0, 0].astype(int), weights


def test_a_repeated_image_has_its_own_weight():
    images, weights = weights_of(sample_weight=OWN)
    np.testing.assert_allclose(weights, OWN[images], rtol=1e-6)
    _, halved = weights_of(sample_weight=OWN, synthetic_weight=0.5)
    np.testing.assert_allclose(halved[:12], weights[:12])
    np.testing.assert_allclose(halved[12:], weights[12:] / 2)


def test_weights_may_be_a_column():
    _, weights = weights_of(sample_weight=OWN)
    np.testing.assert_array_equal(weights_of(sample_weight=OWN[:, None])[1], weights)


def test_who_takes_the_images_gets_their_weights():
    x, y = np.zeros((6, 2, 2, 1), "uint8"), np.array([0, 0, 0, 1, 1, 1])
    given = kb.data.LabelledImages(x, y)
    dataset = kb.BalancedDataset(given, sample_weight=[1, 2, 3, 4, 5, 6], seed=0)
    assert given.sample_weight is None
    assert dataset.images.sample_weight.tolist() == [1, 2, 3, 4, 5, 6]
    again = kb.BalancedDataset(dataset.images, shuffle=False)
    assert again[0][2].tolist() == [1, 2, 3, 4, 5, 6]
    assert kb.data.LabelledImages.read(dataset).part(np.arange(3)).sample_weight is None


def test_a_made_image_has_the_mean_of_its_class():
    tensor = keras.ops.convert_to_tensor(OWN)
    _, weights = weights_of(sample_weight=tensor, synthesizer=lambda image: image)
    np.testing.assert_allclose(weights[12:], OWN[8:].mean(), rtol=1e-6)


@pytest.mark.parametrize("weights", [[1, 2], -OWN, np.full(12, np.nan)])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="`sample_weight` must"):
        BalancedDataset(X, Y, sample_weight=weights)


@pytest.mark.once
@pytest.mark.parametrize("weights", [["a"] * 12, [[1], [2, 3]], {"a": 1}])
def test_weights_that_are_no_numbers(weights):
    with pytest.raises(TypeError, match=r"hold numbers\. Received: sample_weight="):
        BalancedDataset(X, Y, sample_weight=weights)


def fit(dataset, loss=None, **options):
    is_one_hot = dataset[0][1].shape[1:] == (2,)
    width = 2 if is_one_hot or loss else 3
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(width, activation="softmax"))
    form = "" if is_one_hot else "sparse_"
    loss = loss or f"{form}categorical_crossentropy"
    model.compile("sgd", loss, run_eagerly=EAGERLY)
    model.fit(dataset, epochs=2, verbose=0, **options)


WEIGHTS = {0: 0.75, 1: 1.5}  # as for the real images, 8 and 4


def warned_of_class_weight(dataset, **options):
    return told_of("`class_weight` corrects a second", dataset, **options)


def told_of(text, dataset, **options):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit(dataset, **options)
    return sum(text in str(one.message) for one in told)


@pytest.mark.parametrize("options", [{}, {"sampling_strategy": {1: 7}, "workers": 2}])
def test_class_weights_over_balanced_batches_are_warned_of_once(options):
    dataset = BalancedDataset(X, Y, 32, seed=0, **options)
    assert warned_of_class_weight(dataset) == 0
    assert warned_of_class_weight(dataset, class_weight=WEIGHTS) == 1
    assert warned_of_class_weight(dataset, class_weight=WEIGHTS) == 0


@pytest.mark.once
@pytest.mark.parametrize("options", [{"mix": "mixup"}, {}])
@pytest.mark.parametrize("write", [lambda y: np.eye(2)[y], lambda y: y[:, None]])
def test_class_weights_over_labels_of_any_form(options, write):
    dataset = BalancedDataset(X, write(Y), 32, seed=0, **options)
    assert warned_of_class_weight(dataset, class_weight=WEIGHTS) == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({"synthesizer": "nothing"}, WEIGHTS),
        ({}, {0: 2, 1: 2}),
        ({}, {0: 1, 1: 0.5}),
        ({"sampling_strategy": {1: 20}}, {0: 2, 1: 2}),
        # What is left of the imbalance is left to the weights.
        ({"sampling_strategy": "sqrt"}, {0: 1, 1: 8 / 6}),
    ],
)
def test_class_weights_that_correct_nothing_twice(options, weights):
    dataset = BalancedDataset(X, Y, 32, seed=0, **options)
    assert warned_of_class_weight(dataset, class_weight=weights) == 0


@pytest.mark.once
def test_class_weights_are_those_of_the_labels():
    dataset = BalancedDataset(X, Y * 2, 32, seed=0)
    assert warned_of_class_weight(dataset, class_weight={1: 3}) == 0
    assert warned_of_class_weight(dataset, class_weight={2: 3}) == 1


@pytest.mark.once
def test_validation_batches_are_not_weighted():
    plain = BalancedDataset(X, Y, 32, synthesizer="nothing", seed=0)
    balanced = BalancedDataset(X, Y, 32, seed=0)
    options = {"class_weight": WEIGHTS, "validation_data": balanced}
    assert warned_of_class_weight(plain, **options) == 0


LOSS = "The loss corrects a second time what balanced batches have corrected"


def test_a_loss_of_the_real_counts_over_balanced_batches_is_warned_of_once():
    dataset = BalancedDataset(X, Y, 32, seed=0)
    loss = kb.losses.LogitAdjustedCrossentropy([8, 4])
    assert told_of(LOSS, dataset, loss=loss) == 1
    assert told_of(LOSS, dataset, loss=loss) == 0


@pytest.mark.once
@pytest.mark.parametrize(
    ("strategy", "tau", "warned"),
    [
        ("sqrt", 0.5, 0),
        ("sqrt", 1.0, 1),
        ({}, 1.0, 0),
        ("auto", 0.5, 1),
        ("auto", 0, 0),
    ],
)
def test_a_loss_and_a_feed_may_share_the_correction(strategy, tau, warned):
    dataset = BalancedDataset(X, Y, 32, seed=0, sampling_strategy=strategy)
    loss = kb.losses.LogitAdjustedCrossentropy([8, 4], tau)
    assert told_of(LOSS, dataset, loss=loss) == warned


@pytest.mark.once
@pytest.mark.parametrize(
    ("counts", "options", "warned"),
    [
        ([8, 4], {}, 1),
        ([8, 4], {"sampling_strategy": {}}, 0),
        ([8, 4], {"sampling_strategy": "sqrt"}, 1),
        ([8, 8], {}, 0),
        ([8, 6], {"sampling_strategy": "sqrt"}, 0),
        ([8, 8], {"sampling_strategy": {1: 20}}, 0),
    ],
)
def test_weights_of_a_loss_or_a_callback_over_balanced_batches(counts, options, warned):
    loss = kb.losses.ClassBalancedCrossentropy(counts)
    dataset = BalancedDataset(X, Y, 32, seed=0, **options)
    assert told_of(LOSS, dataset, loss=loss) == warned
    assert told_of(LOSS, dataset, loss=loss) == 0
    deferred = {"callbacks": [kb.callbacks.DeferredReweighting(counts)]}
    dataset = BalancedDataset(X, Y, 32, seed=0, **options)
    assert told_of(DEFERRED, dataset, loss=SPARSE, **deferred) == warned
    assert told_of(DEFERRED, dataset, loss=SPARSE, **deferred) == 0


DEFERRED = LOSS.replace("The loss", "`DeferredReweighting`")
SPARSE = "sparse_categorical_crossentropy"


def test_a_feeds_own_counts_are_counted_once():
    for options in ({}, {"synthesizer": "nothing"}, {"sampling_strategy": "sqrt"}):
        dataset = BalancedDataset(X, Y, 32, seed=0, **options)
        deferred = [kb.callbacks.DeferredReweighting(dataset)]
        text = "corrects a second time"
        loss = kb.losses.LDAM(dataset)
        assert told_of(text, dataset, loss=loss, callbacks=deferred) == 0
        loss = kb.losses.ClassBalancedCrossentropy(dataset)
        assert told_of(text, dataset, loss=loss) == 0


@pytest.mark.once
def test_a_callback_beside_a_loss_that_corrects_is_warned_of():
    plain = BalancedDataset(X, Y, 32, synthesizer="nothing", seed=0)
    options = {
        "loss": kb.losses.ClassBalancedCrossentropy(plain),
        "callbacks": [kb.callbacks.DeferredReweighting(plain)],
    }
    text = "`DeferredReweighting` corrects a second time what the loss has corrected"
    assert told_of(f"{text}: leave it out", plain, **options) == 1


@pytest.mark.once
def test_weights_that_never_come_correct_nothing():
    dataset = BalancedDataset(X, Y, 32, seed=0)
    never = [kb.callbacks.DeferredReweighting([8, 4], start=1)]
    assert told_of(DEFERRED, dataset, loss=SPARSE, callbacks=never) == 0


@pytest.mark.once
def test_a_loss_that_has_warned_by_itself_is_not_warned_of_again():
    dataset = BalancedDataset(X, Y, 32, seed=0)
    with pytest.warns(UserWarning, match="Rarity is counted twice"):
        loss = kb.losses.LogitAdjustedCrossentropy(dataset.real_counts)
    assert told_of(LOSS, dataset, loss=loss) == 0


@pytest.mark.once
def test_class_weights_beside_an_adjusted_loss_are_warned_of():
    plain = BalancedDataset(X, Y, 32, synthesizer="nothing", seed=0)
    options = {"loss": kb.losses.LogitAdjustedCrossentropy(plain)}
    text = "`class_weight` corrects a second time what the loss has corrected"
    assert told_of(text, plain, **options) == 0
    assert told_of(text, plain, class_weight=WEIGHTS, **options) == 1


@pytest.mark.once
def test_an_evaluation_corrects_nothing():
    plain = BalancedDataset(X, Y, 32, synthesizer="nothing", seed=0)
    options = {
        "loss": kb.losses.LogitAdjustedCrossentropy(plain),
        "validation_data": BalancedDataset(X, Y, 32, seed=0),
    }
    assert told_of(LOSS, plain, **options) == 0
