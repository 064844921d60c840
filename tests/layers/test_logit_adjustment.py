"""The correction as a layer."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.layers import LogitAdjustment

COUNTS = [300, 90, 12]
SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1.0, 0.0, 0.0], [0.5, 0.5, 0]])


def adjusted(layer, inputs):
    return keras.ops.convert_to_numpy(layer(np.asarray(inputs, "float32")))


def by_bayes(shares, counts, tau, target):
    """Probability times the target's share by that of the training, to the tau."""
    prior = np.array(counts) / np.sum(counts)
    odds = shares * (np.array(target) / np.sum(target) / prior) ** tau
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("tau", [0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("prior", "target"),
    [
        ("uniform", [1, 1, 1]),
        ("natural", COUNTS),
        ([2, 3, 5], [2, 3, 5]),
        ({2: 5, 0: 2, 1: 3}, [2, 3, 5]),
    ],
)
def test_is_bayes_rule(tau, prior, target):
    layer = LogitAdjustment(COUNTS, tau, target_prior=prior)
    expected = by_bayes(SHARES, COUNTS, tau, target)
    found = adjusted(layer, SHARES)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    logits = np.log(SHARES + 1e-30) + 3
    layer = LogitAdjustment(COUNTS, tau, target_prior=prior, from_logits=True)
    found = adjusted(layer, logits)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(1, 10**6), min_size=2, max_size=6),
    tau=st.floats(0, 3),
    seed=st.integers(0, 1000),
)
def test_sums_to_one_and_keeps_the_order_of_equal_counts(counts, tau, seed):
    counts = [*counts, counts[0]]
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(counts)), 5)
    found = adjusted(LogitAdjustment(counts, tau), shares)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    order = np.sign(shares[:, 0] - shares[:, -1])
    np.testing.assert_array_equal(order, np.sign(found[:, 0] - found[:, -1]))


@pytest.mark.parametrize("layer", [{"tau": 0}, {"target_prior": "natural"}])
def test_identity(layer):
    found = adjusted(LogitAdjustment(COUNTS, **layer), SHARES)
    np.testing.assert_allclose(found, SHARES, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_sigmoid_output(from_logits):
    share = np.array([[0.2], [0.9], [0.0001]])
    both = np.concatenate([1 - share, share], axis=1)
    expected = by_bayes(both, [90, 10], 0.8, [1, 1])[:, 1:]
    inputs = np.log(share / (1 - share)) if from_logits else share
    layer = LogitAdjustment([90, 10], 0.8, from_logits=from_logits)
    np.testing.assert_allclose(adjusted(layer, inputs), expected, rtol=1e-4)
    if not from_logits:
        found = adjusted(layer, [[0.0], [1.0]])
        np.testing.assert_allclose(found, [[0], [1]], atol=1e-6)


def test_training_and_inference_are_alike():
    layer = LogitAdjustment(COUNTS)
    for training in (True, False):
        found = keras.ops.convert_to_numpy(layer(SHARES, training=training))
        np.testing.assert_array_equal(found, adjusted(layer, SHARES))


def test_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = LogitAdjustment([10**6, 1])
        inputs = keras.ops.convert_to_tensor(SHARES[:, :2], "float16")
        assert keras.backend.standardize_dtype(layer(inputs).dtype) == "float32"
        found = adjusted(layer, [[1.0, 1e-9]])  # which float16 does not know
        np.testing.assert_allclose(found, [[0.999, 0.001]], atol=1e-4)
    finally:
        keras.config.set_dtype_policy("float32")


def test_round_trip():
    layer = LogitAdjustment({1: 12, 0: 300}, 0.5, np.array([3, 1]), name="decision")
    text = json.dumps(keras.saving.serialize_keras_object(layer))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert again.get_config() == layer.get_config()
    inputs = SHARES[:2, :2] / SHARES[:2, :2].sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(adjusted(again, inputs), adjusted(layer, inputs))
    name = keras.saving.get_registered_name(LogitAdjustment)
    assert name == "keras_balance>LogitAdjustment"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"class_counts": [3, 0]}, ValueError, "class_counts="),
        ({"tau": -1}, ValueError, "tau=-1"),
        ({"tau": None}, TypeError, "tau=None"),
        ({"target_prior": "even"}, ValueError, "target_prior='even'"),
        ({"target_prior": [1, 2]}, ValueError, r"target_prior=\[1, 2\]"),
        ({"target_prior": {0: 1, 1: 2}}, ValueError, r"of 3.*target_prior=\[1, 2\]"),
        (
            {"target_prior": {0: 1, "b": 2}},
            TypeError,
            "must have classes of one",
        ),
        ({"target_prior": [1, 2, 0]}, ValueError, "positive share a class"),
        ({"target_prior": [[1], [2, 3]]}, TypeError, "target_prior="),
        ({"from_logits": "no"}, TypeError, "from_logits='no'"),
        ({"target_prior": None}, TypeError, "target_prior=None"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        LogitAdjustment(**{"class_counts": COUNTS} | arguments)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_another_number_of_outputs(width):
    with pytest.raises(ValueError, match=rf"of the {width} outputs"):
        LogitAdjustment(COUNTS)(np.ones((2, width)))
