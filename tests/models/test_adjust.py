"""The trained model with the correction in it."""

import functools

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.models.adjust import default_threshold

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = [90, 10]


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(8, 4, 4, 1)).astype("float32")


def classifier(units=2, activation="softmax", **compiled):
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(units, activation)])
    model.compile(**compiled)
    return model


def by_hand(model, images, tau=1.0):
    odds = model.predict(images, verbose=0) * np.array([1 / 9, 1]) ** tau
    return odds / odds.sum(axis=1, keepdims=True)


def test_gives_the_probabilities_of_the_other_world(images):
    model = classifier()
    before = model.predict(images, verbose=0)
    model_again = kb.models.adjust_logits(model, COUNTS, tau=0.5)
    found = model_again.predict(images, verbose=0)
    np.testing.assert_allclose(found, by_hand(model, images, 0.5), rtol=1e-4)
    # The model itself is as it was.
    np.testing.assert_array_equal(model.predict(images, verbose=0), before)
    assert len(model.layers) == 2


def test_shares_the_weights(images):
    model = classifier()
    adjusted = kb.models.adjust_logits(model, COUNTS)
    model.set_weights([2 * weight + 0.1 for weight in model.get_weights()])
    found = adjusted.predict(images, verbose=0)
    np.testing.assert_allclose(found, by_hand(model, images), rtol=1e-4)


def test_saves_and_loads(images, tmp_path):
    model = classifier(loss="sparse_categorical_crossentropy")
    model.fit(images, np.zeros(8), verbose=0)
    adjusted = kb.models.adjust_logits(model, COUNTS, target_prior=[1, 2])
    adjusted.save(tmp_path / "model.keras")
    again = kb.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict(images, verbose=0), adjusted.predict(images, verbose=0)
    )


def test_one_sigmoid_output(images):
    model = classifier(1, "sigmoid")
    share = model.predict(images, verbose=0)
    adjusted = kb.models.adjust_logits(model, COUNTS).predict(images, verbose=0)
    np.testing.assert_allclose(adjusted, 9 * share / (9 * share + 1 - share), rtol=1e-4)


@pytest.mark.parametrize(
    ("activation", "loss", "logits"),
    [
        ("softmax", None, False),
        (None, None, True),
        (None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), True),
        (None, kb.losses.LDAM(COUNTS, from_logits=True), True),
        (None, "sparse_categorical_crossentropy", False),
        (None, keras.losses.sparse_categorical_crossentropy, False),
        (
            None,
            functools.partial(
                keras.losses.sparse_categorical_crossentropy, from_logits=True
            ),
            True,
        ),
    ],
)
def test_logits_are_recognised(images, activation, loss, logits):
    model = classifier(2, activation, loss=loss)
    layer = kb.models.adjust_logits(model, COUNTS).layers[-1]
    assert layer.from_logits is logits
    layer = kb.models.adjust_logits(model, COUNTS, from_logits=not logits).layers[-1]
    assert layer.from_logits is not logits


def test_several_inputs_keep_their_names(images):
    inputs = {name: keras.Input((4,), name=name) for name in ("left", "right")}
    joined = keras.layers.Concatenate()([*inputs.values()])
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(joined))
    adjusted = kb.models.adjust_logits(model, COUNTS)
    data = {name: np.ones((3, 4), "float32") for name in inputs}
    found = adjusted.predict(data, verbose=0)
    np.testing.assert_allclose(found, by_hand(model, data), rtol=1e-4)


def test_a_subclass_of_model(images):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = classifier()

        def call(self, inputs):
            return self.inner(inputs)

    model = Mine()
    adjusted = kb.models.adjust_logits(model, COUNTS, from_logits=False)
    found = adjusted.predict(images, verbose=0)
    np.testing.assert_allclose(found, by_hand(model, images), rtol=1e-4)


class Gated(keras.Model):
    """A model whose last layer, as Keras lists them, is not what it ends in."""

    def __init__(self, loss):
        super().__init__()
        self.out = keras.layers.Dense(2)
        self.gate = keras.layers.Dense(4, "sigmoid")
        self.compile("sgd", loss)

    def call(self, inputs):
        return self.out(inputs * self.gate(inputs))


def test_the_loss_of_a_subclass_tells_more_than_its_last_layer():
    rows = np.ones((3, 4), "float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = Gated(loss)
    logits = model(rows)
    found = kb.models.adjust_logits(model, [1, 1]).predict(rows, verbose=0)
    wanted = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def ends_in_an_operation():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.ops.softmax(keras.layers.Dense(2)(inputs)))


def ends_in_what_passes_on(layer):
    layers = [keras.Input((4,)), keras.layers.Dense(2, "softmax"), layer]
    return keras.Sequential(layers)


def has_a_list_of_one_loss():
    inputs = keras.Input((4,))
    heads = [keras.layers.Dense(2, "softmax")(inputs) for _ in range(2)]
    model = keras.Model(inputs, keras.layers.Average()(heads))
    model.compile("sgd", ["sparse_categorical_crossentropy"])
    return model


def is_another_one_behind_a_layer():
    model = has_a_list_of_one_loss()
    inner = keras.Model(model.inputs[0], model.outputs[0])
    outer = keras.Sequential([keras.Input((4,)), keras.layers.Identity(), inner])
    outer.compile("sgd", "sparse_categorical_crossentropy")
    return outer


def is_a_head_without_a_loss():
    backbone = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    return kb.models.FewShotClassifier(backbone, 2)


class WithASilentLoss(keras.Model):
    """A subclass whose loss does not say whether it takes logits."""

    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(2, "softmax")
        self.compile("sgd", keras.losses.KLDivergence())

    def call(self, inputs):
        return self.out(inputs)


@pytest.mark.parametrize(
    "make",
    [
        ends_in_an_operation,
        lambda: ends_in_what_passes_on(keras.layers.Dropout(0.5)),
        lambda: ends_in_what_passes_on(keras.layers.Reshape((2,))),
        lambda: ends_in_what_passes_on(keras.layers.Activation("linear")),
        lambda: keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(2, keras.layers.Softmax())]
        ),
        has_a_list_of_one_loss,
        is_another_one_behind_a_layer,
        is_a_head_without_a_loss,
        WithASilentLoss,
    ],
)
def test_probabilities_are_known_as_such(make):
    model, rows = make(), np.ones((3, 4), "float32")
    model(rows)
    adjusted = kb.models.adjust_logits(model, [1, 1])
    np.testing.assert_allclose(
        adjusted.predict(rows, verbose=0), model.predict(rows, verbose=0), rtol=1e-5
    )


def silent(y_true, y_pred):
    return keras.ops.mean(y_pred, axis=-1)


def averaged(**compiled):
    """A model whose last layer does not tell what it gives."""
    inputs = keras.Input((4,))
    heads = [keras.layers.Dense(1, "sigmoid")(inputs) for _ in range(2)]
    model = keras.Model(inputs, keras.layers.Average()(heads))
    model.compile(**compiled)
    return model


LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)


@pytest.mark.parametrize(
    ("make", "loss", "expected"),
    [
        (functools.partial(classifier, 1, None), LOGITS, 0.0),
        (functools.partial(classifier, 1, None), silent, 0.0),
        (functools.partial(classifier, 1, None), "binary_crossentropy", None),
        (functools.partial(classifier, 1, "sigmoid"), silent, None),
        (functools.partial(classifier, 2, None), LOGITS, None),
        (averaged, LOGITS, 0.0),
        (averaged, silent, None),
    ],
)
def test_a_single_logit_has_its_threshold(make, loss, expected):
    model = make(loss=loss)
    assert default_threshold(model, model.output_shape) == expected


def test_of_several_outputs_none_has_the_threshold_of_another():
    inputs = keras.Input((4,))
    kinds = {"share": "sigmoid", "logit": None}
    heads = [keras.layers.Dense(1, k, name=n)(inputs) for n, k in kinds.items()]
    model = keras.Model(inputs, heads)
    assert default_threshold(model, (None, 1)) is None
    assert default_threshold(model, (None, 1), "share") is None
    assert default_threshold(model, (None, 1), "logit") == 0
    model.compile(loss=dict.fromkeys(kinds, "binary_crossentropy"))
    assert default_threshold(model, (None, 1), "logit") is None
    model.compile(loss=dict.fromkeys(kinds, LOGITS))
    assert default_threshold(model, (None, 1), "logit") == 0


def test_bad_models():
    with pytest.raises(TypeError, match="Received: model="):
        kb.models.adjust_logits("model", COUNTS)
    with pytest.raises(ValueError, match="class_counts"):
        kb.models.adjust_logits(classifier(), [1, 2, 3])
    inputs = keras.Input((3,))
    heads = [keras.layers.Dense(2, "softmax")(inputs) for _ in range(2)]
    with pytest.raises(ValueError, match="one output"):
        kb.models.adjust_logits(keras.Model(inputs, heads), COUNTS)


@pytest.mark.parametrize("form", [list, dict])
def test_one_output_may_stand_in_a_list(form):
    inputs, rows = keras.Input((4,)), np.ones((3, 4), "float32")
    output = keras.layers.Dense(2, "softmax")(inputs)
    expected = kb.models.adjust_logits(keras.Model(inputs, output), COUNTS)
    model = keras.Model([inputs], [output] if form is list else {"a": output})
    adjusted = kb.models.adjust_logits(model, COUNTS)
    np.testing.assert_allclose(
        adjusted.predict(rows, verbose=0), expected.predict(rows, verbose=0)
    )


def test_what_is_adjusted_is_not_adjusted_again_in_silence():
    adjusted = kb.models.adjust_logits(classifier(), COUNTS)
    for model in (adjusted, keras.Sequential([adjusted])):
        with pytest.warns(UserWarning, match="ends in a `LogitAdjustment` already"):
            kb.models.adjust_logits(model, COUNTS)
    kb.models.adjust_logits(adjusted, [1, 1], target_prior=[3, 1])
    natural = kb.models.adjust_logits(classifier(), COUNTS, target_prior="natural")
    kb.models.adjust_logits(natural, COUNTS)


def test_rarity_is_counted_once():
    loss = kb.losses.LogitAdjustedCrossentropy(COUNTS)
    with pytest.warns(UserWarning, match="counted twice.*loss"):
        kb.models.adjust_logits(classifier(loss=loss), COUNTS)
    half = kb.losses.LogitAdjustedCrossentropy(COUNTS, tau=0.5)
    kb.models.adjust_logits(classifier(loss=half), COUNTS)
    kb.models.adjust_logits(classifier(loss=loss), COUNTS, tau=0.5)


def test_a_balanced_feed_leaves_nothing_to_adjust():
    x, y = np.zeros((30, 4, 4, 1), "uint8"), np.array([0] * 24 + [1] * 6)
    balanced = kb.BalancedDataset(x, y, seed=0)
    with pytest.warns(UserWarning, match="does nothing"):
        kb.models.adjust_logits(classifier(), balanced)
    with pytest.warns(UserWarning, match="counted twice"):
        kb.models.adjust_logits(classifier(), balanced.real_counts)
    kb.models.adjust_logits(classifier(), balanced.real_counts, tau=0.5)
