"""What every loss promises: values and gradients of the papers, labels of any form."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_balance as kb

COUNTS = [240, 60, 12]
LOGITS = np.array([[2.0, 0.5, -1.0], [0.3, 0.1, 0.2], [-1.0, 3.0, 1.0], [0, 4.0, -6.0]])
LABELS = np.array([0, 2, 1, 2])


# The papers' formulas, for one image of class y: float64, and one at a time.


def softmax(f):
    return np.exp(f) / np.exp(f).sum()


def logit_adjusted(f, y, counts, tau):
    """Menon et al. 2021, equation 10."""
    prior = counts / counts.sum()
    return np.log(
        1
        + sum(
            (prior[other] / prior[y]) ** tau * np.exp(f[other] - f[y])
            for other in range(len(f))
            if other != y
        )
    )


def ldam(f, y, counts, max_margin, scale):
    """Cao et al. 2019, equations 12 and 13, and C by the margin of the rarest."""
    margins = counts**-0.25
    margins *= max_margin / margins.max()
    own = np.exp(scale * (f[y] - margins[y]))
    others = sum(np.exp(scale * f[other]) for other in range(len(f)) if other != y)
    return -np.log(own / (own + others))


def vector_scaling(f, y, counts, tau, gamma):
    """Kini et al. 2021, equation 4."""
    scales = (counts / counts.max()) ** gamma
    shifts = tau * np.log(counts / counts.sum())
    return -np.log(softmax(scales * f + shifts)[y])


def class_balanced(f, y, counts, beta, gamma):
    """Cui et al. 2019, equations 10 and 13, of the softmax."""
    weights = (1 - beta) / (1 - beta**counts)
    weights *= len(counts) / weights.sum()
    share = softmax(f)[y]
    return -weights[y] * (1 - share) ** gamma * np.log(share)


# Loss, its formula, and arguments of both.
CASES = {
    "logit adjusted": (
        kb.losses.LogitAdjustedCrossentropy,
        logit_adjusted,
        {"tau": 1.0},
    ),
    "half adjusted": (
        kb.losses.LogitAdjustedCrossentropy,
        logit_adjusted,
        {"tau": 0.5},
    ),
    "ldam": (kb.losses.LDAM, ldam, {"max_margin": 0.5, "scale": 30.0}),
    "ldam, scale 1": (kb.losses.LDAM, ldam, {"max_margin": 2.0, "scale": 1.0}),
    "vector scaling": (
        kb.losses.VectorScaling,
        vector_scaling,
        {"tau": 1.2, "gamma": 0.3},
    ),
    "class balanced": (
        kb.losses.ClassBalancedCrossentropy,
        class_balanced,
        {"beta": 0.99, "gamma": 0.0},
    ),
    "focal": (
        kb.losses.ClassBalancedCrossentropy,
        class_balanced,
        {"beta": 0.99, "gamma": 1.5},
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


# In this order in every process: two of them run the tests.
CLASSES = list(dict.fromkeys(cls for cls, _, _ in CASES.values()))


@pytest.fixture(params=CLASSES, ids=lambda c: c.__name__)
def cls(request):
    return request.param


def reference(case, logits, labels, counts=COUNTS):
    _, formula, arguments = case
    counts = np.array(counts, "float64")
    rows = zip(np.asarray(logits, "float64"), labels, strict=True)
    return np.array([formula(f, y, counts, **arguments) for f, y in rows])


def values(loss, labels, predictions):
    return keras.ops.convert_to_numpy(loss(labels, predictions))


def slope(function, logits, step=1e-5):
    """Gradient of a sum over the images, by differences."""
    gradient = np.zeros_like(logits)
    for place in np.ndindex(logits.shape):
        up, down = logits.copy(), logits.copy()
        up[place] += step
        down[place] -= step
        gradient[place] = (function(up) - function(down)).sum() / (2 * step)
    return gradient


def gradient_of_fit(loss, logits, labels, activation=None, weights=None):
    """Gradient by the logits that a step of training takes."""
    images = np.eye(len(logits), dtype="float32")
    width = np.shape(logits)[1]
    dense = keras.layers.Dense(width, activation, use_bias=False)
    model = keras.Sequential([keras.Input((len(logits),)), dense])
    dense.set_weights([logits])
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)  # no compiling
    options = {"batch_size": len(logits), "shuffle": False, "verbose": 0}
    model.fit(images, labels, sample_weight=weights, **options)
    return logits - dense.get_weights()[0]


def test_value_is_the_formulas(case):
    cls, _, arguments = case
    loss = cls(COUNTS, **arguments, from_logits=True, reduction=None)
    expected = reference(case, LOGITS, LABELS)
    found = values(loss, LABELS, LOGITS)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def test_gradient_is_the_formulas(case):
    cls, _, arguments = case
    loss = cls(COUNTS, **arguments, from_logits=True, reduction="sum")
    expected = slope(lambda f: reference(case, f, LABELS), LOGITS)
    gradient = gradient_of_fit(loss, LOGITS, LABELS)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_gradient_through_probabilities_is_the_same(case):
    cls, _, arguments = case
    logits = LOGITS - LOGITS.mean(axis=1, keepdims=True)
    loss = cls(COUNTS, **arguments, reduction="sum")
    expected = slope(lambda f: reference(case, f, LABELS), logits)
    if cls is kb.losses.VectorScaling:  # it takes the mean of the logits for 0
        expected -= expected.mean(axis=1, keepdims=True)
    gradient = gradient_of_fit(loss, logits, LABELS, "softmax")
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-3)


def test_probabilities_and_logits_agree(case):
    cls, _, arguments = case
    logits = LOGITS - LOGITS.mean(axis=1, keepdims=True)
    loss = cls(COUNTS, **arguments, reduction="none")
    probabilities = np.array([softmax(f) for f in logits])
    expected = reference(case, logits, LABELS)
    np.testing.assert_allclose(
        values(loss, LABELS, probabilities), expected, rtol=1e-4, atol=1e-6
    )


def test_one_sigmoid_output_is_two_classes(case):
    cls, _, arguments = case
    logit = np.array([[1.5], [-0.3], [0.0], [-4.0]])
    labels, counts = np.array([0, 1, 1, 0]), [300, 20]
    both = np.concatenate([-logit / 2, logit / 2], axis=1)
    if cls is kb.losses.VectorScaling:
        expected = binary_vector_scaling(logit[:, 0], labels, counts, **arguments)
    else:
        expected = reference(case, both, labels, counts)
    of_logits = cls(counts, **arguments, from_logits=True, reduction=None)
    of_shares = cls(counts, **arguments, reduction=None)
    for form in (labels, labels[:, None], np.eye(2)[labels]):
        found = values(of_logits, form, logit)
        np.testing.assert_allclose(found, expected, rtol=2e-5)
        found = values(of_shares, form, 1 / (1 + np.exp(-logit)))
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def binary_vector_scaling(logit, labels, counts, tau, gamma):
    """Kini et al. 2021, equation 2, with the label as 1 or -1."""
    counts = np.array(counts, "float64")
    own = counts[labels]
    shift = tau * np.log((counts.sum() - own) / own)
    scale = (own / counts.max()) ** gamma
    sign = 2 * labels - 1
    return np.log(1 + np.exp(shift) * np.exp(-scale * sign * logit))


def test_sigmoid_gradient(case):
    cls, _, arguments = case
    logit, labels = np.array([[1.5], [-0.3]]), np.array([0, 1])
    loss = cls([300, 20], **arguments, from_logits=True, reduction=None)
    expected = slope(lambda f: values(loss, labels, f), logit, step=1e-2)
    summed = cls([300, 20], **arguments, reduction="sum")
    gradient = gradient_of_fit(summed, logit, labels, "sigmoid")
    np.testing.assert_allclose(gradient, expected, rtol=0.05, atol=0.01)


def test_forms_of_labels_agree(case):
    cls, _, arguments = case
    loss = cls(COUNTS, **arguments, from_logits=True, reduction=None)
    sparse = values(loss, LABELS, LOGITS)
    for form in (LABELS[:, None], np.eye(3)[LABELS], LABELS.astype("uint8")):
        np.testing.assert_allclose(values(loss, form, LOGITS), sparse, rtol=1e-6)
    stacked = values(loss, LABELS.reshape(2, 2), LOGITS.reshape(2, 2, 3))
    np.testing.assert_allclose(stacked, sparse.reshape(2, 2), rtol=1e-6)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", CASES)
def test_soft_labels_give_the_mixture_of_hard_ones(name, data):
    cls, _, arguments = CASES[name]
    numbers = st.floats(-8, 8, width=32)
    logits = np.array([data.draw(st.lists(numbers, min_size=3, max_size=3))])
    shares = data.draw(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(sum))
    shares = np.array(shares) / sum(shares)
    loss = cls(COUNTS, **arguments, from_logits=True)
    hard = [float(loss(np.array([label]), logits)) for label in range(3)]
    soft = float(loss(shares[None], logits))
    assert soft == pytest.approx(shares @ hard, rel=1e-4, abs=1e-6)


def test_soft_labels_of_a_sigmoid_output(cls):
    loss = cls([90, 10], from_logits=True)
    logit = np.array([[0.7]])
    hard = [float(loss(np.array([label]), logit)) for label in (0, 1)]
    soft = float(loss(np.array([[0.3]]), logit))
    assert soft == pytest.approx(0.7 * hard[0] + 0.3 * hard[1], rel=1e-5)


def test_weights_and_reductions(cls):
    arguments = {"class_counts": COUNTS, "from_logits": True}
    each = values(cls(**arguments, reduction=None), LABELS, LOGITS)
    weights = np.array([1.0, 0.0, 2.0, 0.5])
    for reduction, expected in {
        "sum": (weights * each).sum(),
        "sum_over_batch_size": (weights * each).mean(),
        "mean_with_sample_weight": (weights * each).sum() / weights.sum(),
    }.items():
        loss = cls(**arguments, reduction=reduction)
        assert float(loss(LABELS, LOGITS, weights)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtype(cls, dtype):
    loss = cls(COUNTS, from_logits=True, reduction=None, dtype=dtype)
    plain = values(cls(COUNTS, from_logits=True, reduction=None), LABELS, LOGITS)
    found = keras.ops.cast(loss(LABELS, LOGITS), "float32")
    found = keras.ops.convert_to_numpy(found)
    np.testing.assert_allclose(found, plain, rtol=0.05, atol=0.02)
    assert loss.get_config()["dtype"] == dtype


@pytest.mark.parametrize("from_logits", [True, False])
def test_far_predictions_stay_finite_and_teach(cls, from_logits):
    logits = np.array([[60.0, 0, -60], [0, 60, 0], [-60, 60, 60], [30, 0, 0]])
    loss = cls(COUNTS, from_logits=from_logits, reduction="sum")
    activation = None if from_logits else "softmax"
    gradient = gradient_of_fit(loss, logits, LABELS, activation)
    assert np.isfinite(gradient).all()
    assert gradient[3, 2] < -0.1  # the rare class, given up by e^-30


@pytest.mark.parametrize("weight", [1.0, 1e3, 1e6])
def test_a_probability_of_zero_has_no_slope(cls, weight):
    loss, weights = cls(COUNTS, reduction="sum"), np.array([weight])
    gradient = gradient_of_fit(
        loss, np.array([[200.0, 0, 0]]), np.array([2]), "softmax", weights
    )
    np.testing.assert_array_equal(gradient, 0)
    loss = cls([90, 10], reduction="sum")
    gradient = gradient_of_fit(
        loss, np.array([[-200.0]]), np.array([1]), "sigmoid", weights
    )
    np.testing.assert_array_equal(gradient, 0)


def test_half_precision_learns_from_small_probabilities(cls):
    logits, labels = np.array([[8.0, 0, -8], [0, 4, -9]]), np.array([2, 2])
    found, expected = (
        gradient_of_fit(
            cls(COUNTS, reduction="sum", dtype=dtype), logits, labels, "softmax"
        )
        for dtype in ("float16", "float32")
    )
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02)


def test_exact_zeros_and_ones_stay_finite(cls):
    loss = cls(COUNTS)
    assert np.isfinite(float(loss([0, 2], [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])))
    loss = cls([90, 10])
    assert np.isfinite(float(loss([0, 1], [[1.0], [0.0]])))


def test_saved_in_a_compiled_model(cls, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    loss = cls(COUNTS, name="mine", reduction="sum")
    model.compile("sgd", loss)
    images, labels = np.eye(3), np.array([0, 1, 2])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.loss.get_config() == loss.get_config()
    assert again.evaluate(images, labels, verbose=0) == pytest.approx(
        model.evaluate(images, labels, verbose=0), rel=1e-6
    )


def test_config_survives_json(case):
    cls, _, arguments = case
    loss = cls(np.array(COUNTS), **arguments)
    text = json.dumps(keras.saving.serialize_keras_object(loss))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert type(again) is cls
    assert again.get_config() == loss.get_config()
    assert loss.get_config()["class_counts"] == COUNTS
    name = keras.saving.get_registered_name(cls)
    assert name == f"keras_balance>{cls.__name__}"


def test_mixed_precision(cls):
    images = keras.Input((3,))
    dense = keras.layers.Dense(3, "softmax", dtype="mixed_float16")
    model = keras.Model(images, dense(images))
    model.compile("sgd", cls(COUNTS))
    history = model.fit(np.eye(3), np.array([0, 1, 2]), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert dense.weights[0].dtype == "float32"


def test_jit(cls):
    images = np.eye(3, dtype="float32")
    losses = {}
    for jit in (True, False):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
        if jit and keras.backend.backend() == "torch":
            continue  # compiling takes longer than the other tests together
        model.compile("sgd", cls(COUNTS), jit_compile=jit)
        losses[jit] = model.evaluate(images, np.array([0, 1, 2]), verbose=0)
    assert losses.get(True, losses[False]) == pytest.approx(losses[False], rel=1e-5)


def test_label_outside_turns_the_loss_nan(cls):
    loss = cls(COUNTS, from_logits=True, reduction=None)
    found = values(loss, np.array([0, 3, -1, 0.5]), LOGITS)
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, True])


def test_label_outside_turns_the_loss_of_one_output_nan(cls):
    loss = cls(COUNTS[:2], from_logits=True, reduction=None)
    found = values(loss, np.array([0, 0.5, 1, 2, -1]), np.ones((5, 1), "float32"))
    np.testing.assert_array_equal(np.isnan(found), [False] * 3 + [True] * 2)


def test_shapes_that_do_not_fit(cls):
    loss = cls(COUNTS)
    with pytest.raises(ValueError, match=r"num_classes=3.*Received: y_pred of shape"):
        loss(LABELS, np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"Received: y_pred of shape"):
        loss(LABELS, np.ones((4, 1)))
    with pytest.raises(ValueError, match=r"Received: y_true of shape"):
        loss(np.ones((4, 2)), np.ones((4, 3)))


BAD_ARGUMENTS = [
    ("class_counts", [240, 0, 12], ValueError),
    ("class_counts", [240, -1], ValueError),
    ("class_counts", [240], ValueError),
    ("class_counts", "auto", TypeError),
    ("from_logits", "no", TypeError),
    ("tau", -0.5, ValueError),
    ("tau", "1", TypeError),
    ("label_smoothing", 1.5, ValueError),
    ("max_margin", -1, ValueError),
    ("scale", 0, ValueError),
    ("beta", 1.0, ValueError),
    ("beta", -0.1, ValueError),
    ("gamma", float("nan"), ValueError),
]


def test_bad_arguments(cls):
    arguments = cls(COUNTS).get_config()
    for name, value, error in BAD_ARGUMENTS:
        if name in arguments:
            with pytest.raises(error, match=f"Received: {name}"):
                cls(**arguments | {name: value})


def test_tau_zero_is_crossentropy():
    loss = kb.losses.LogitAdjustedCrossentropy(COUNTS, tau=0, label_smoothing=0.1)
    keras_loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    shares, labels = np.array([softmax(f) for f in LOGITS]), np.eye(3)[LABELS]
    expected = float(keras_loss(labels, shares))
    assert float(loss(labels, shares)) == pytest.approx(expected, rel=1e-5)


def test_counts_of_a_feed():
    x, y = np.zeros((30, 2, 2, 1), "uint8"), np.array([0] * 24 + [1] * 6)
    feed = kb.BalancedDataset(x, y, sampling_strategy=0.5, seed=0)
    assert kb.losses.LDAM(feed).class_counts == [24, 12]
    balanced = kb.BalancedDataset(x, y, seed=0)
    with pytest.warns(UserWarning, match="does nothing"):
        kb.losses.LogitAdjustedCrossentropy(balanced)
    kb.losses.LogitAdjustedCrossentropy(balanced, tau=0)


def test_rarity_is_counted_once():
    x, y = np.zeros((30, 2, 2, 1), "uint8"), np.array([0] * 24 + [1] * 6)
    balanced = kb.BalancedDataset(x, y, seed=0)
    with pytest.warns(UserWarning, match=r"counted twice.*\[24\.0, 24\.0\]"):
        kb.losses.LogitAdjustedCrossentropy(balanced.real_counts)
    kb.losses.LogitAdjustedCrossentropy(balanced.real_counts, tau=0.5)
    as_they_are = kb.BalancedDataset(x, y, synthesizer="nothing", seed=0)
    kb.losses.LogitAdjustedCrossentropy(as_they_are.real_counts)
    kb.losses.LogitAdjustedCrossentropy(as_they_are)
