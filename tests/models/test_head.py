"""The last layer, trained anew."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_balance as kb
from small_data import class_images

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = [30, 20, 6]


def classifier(*last):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    layers += [keras.layers.Dense(12, "relu"), keras.layers.Dropout(0.5)]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers, *last])


@pytest.fixture
def data():
    return class_images(COUNTS)


def outputs(model, x):
    return model.predict(x, batch_size=len(x), verbose=0)


def retrained(model, *data):
    return kb.models.retrain_head(model, *data, target_prior="natural")


def by_hand(model, x, y):
    rows = outputs(keras.Model(model.inputs[0], model.layers[3].output), x)
    rows = rows.astype("float64")
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.03))
    return regression.fit(rows, y).predict_proba(rows)


@pytest.mark.parametrize(
    "last",
    [
        lambda: [keras.layers.Dense(3, "softmax")],
        lambda: [keras.layers.Dense(3)],
        lambda: [keras.layers.Dense(3), keras.layers.Softmax()],
    ],
)
def test_is_a_regression_on_what_the_other_layers_give(data, last):
    x, y = data
    model = classifier(*last())
    before = outputs(model, x)
    found = outputs(retrained(model, x, y), x)
    np.testing.assert_allclose(found, by_hand(model, x, y), atol=1e-4)
    np.testing.assert_array_equal(outputs(model, x), before)


def test_a_single_output_stays_one(data):
    x, y = data
    y = np.minimum(y, 1)
    model = classifier(keras.layers.Dense(1, "sigmoid"))
    found = outputs(retrained(model, x, y), x)
    np.testing.assert_allclose(found, by_hand(model, x, y)[:, 1:], atol=1e-4)


def test_two_classes_of_two_outputs_and_names(data):
    x, y = data
    y = np.minimum(y, 1)
    model = classifier(keras.layers.Dense(2, "softmax"))
    found = outputs(retrained(model, x, np.array(["no", "yes"])[y]), x)
    np.testing.assert_allclose(found, by_hand(model, x, y), atol=1e-4)


def test_behind_a_layer_for_augmentation(data):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    layer = kb.layers.ManualAugmentation(seed=0)
    layered = keras.Sequential([keras.Input((8, 8, 1)), layer, model])
    found = outputs(retrained(layered, x, y), x)
    np.testing.assert_allclose(found, by_hand(model, x, y), atol=1e-4)


def test_within_a_functional_model(data, tmp_path):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    inputs = keras.Input((8, 8, 1))
    layer = kb.layers.ManualAugmentation(seed=0)
    nested = retrained(keras.Model(inputs, model(layer(inputs))), x, y)
    np.testing.assert_allclose(outputs(nested, x), by_hand(model, x, y), atol=1e-4)
    nested.save(tmp_path / "classifier.keras")
    loaded = kb.models.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(outputs(loaded, x), outputs(nested, x), atol=1e-6)


@pytest.mark.parametrize("activation", [keras.ops.softmax, keras.ops.sigmoid])
def test_an_operation_may_be_the_activation(data, activation):
    x, y = data
    model = classifier(keras.layers.Dense(3))
    ends = keras.Model(model.inputs, activation(model.outputs[0]))
    found = outputs(retrained(ends, x, y), x)
    np.testing.assert_allclose(found, by_hand(model, x, y), atol=1e-4)


def test_a_functional_model_shares_its_other_layers(data, tmp_path):
    x, y = data
    inputs = keras.Input((8, 8, 1))
    row = keras.layers.Flatten()(inputs)
    dense = keras.layers.Dense(12, "relu")
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(dense(row)))
    adjusted = kb.models.retrain_head(model, x, y)
    adjusted.save(tmp_path / "classifier.keras")
    loaded = kb.models.load_model(tmp_path / "classifier.keras")
    expected = outputs(adjusted, x)
    np.testing.assert_allclose(outputs(loaded, x), expected, atol=1e-6)
    dense.set_weights([2 * weight for weight in dense.get_weights()])
    assert np.abs(outputs(adjusted, x) - expected).max() > 0.01


def test_a_last_layer_that_models_share_is_that_of_each(data):
    x, y = data
    last = keras.layers.Dense(3, "softmax")
    _, model = (classifier(last) for _ in range(2))
    inputs = keras.Input((8, 8, 1))
    row = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    rows = [keras.layers.Dense(12, "relu")(row) for _ in range(2)]
    _, functional = (keras.Model(inputs, last(one)) for one in rows)
    for one in (model, functional):
        body = keras.Model(one.inputs, one.layers[-2].output)
        rows = outputs(body, x).astype("float64")
        regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.03))
        expected = regression.fit(rows, y).predict_proba(rows)
        np.testing.assert_allclose(
            outputs(retrained(one, x, y), x), expected, atol=1e-4
        )


@pytest.mark.parametrize("prior", ["uniform", [0.2, 0.3, 0.5], {2: 5, 0: 2, 1: 3}])
def test_the_decision_is_for_the_world_that_is_asked_for(data, prior):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    natural = retrained(model, x, y)
    expected = kb.models.adjust_logits(natural, np.bincount(y), target_prior=prior)
    found = kb.models.retrain_head(model, x, y, target_prior=prior)
    np.testing.assert_allclose(outputs(found, x), outputs(expected, x), atol=1e-5)
    assert np.abs(outputs(found, x) - outputs(natural, x)).max() > 0.01


def test_weights_of_a_data_set_weigh(data):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    weighed = kb.data.LabelledImages(x, y)
    weighed.sample_weight = np.where(y == 2, 1e-6, 1.0)  # as those of a pipeline
    found = outputs(retrained(model, weighed), x)
    plain = outputs(retrained(model, x, y), x)
    assert found[y == 2, 2].mean() < 0.5 * plain[y == 2, 2].mean()


def test_images_that_weigh_nothing_do_not_count(data):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    others = np.concatenate([x, np.random.default_rng(0).uniform(0, 255, x.shape)])
    images = kb.data.LabelledImages(others, np.concatenate([y, y]))
    images = images.weighed(np.repeat([1.0, 0.0], len(x)))
    found, expected = retrained(model, images), retrained(model, x, y)
    np.testing.assert_allclose(outputs(found, x), outputs(expected, x), atol=1e-5)


def test_a_class_that_weighs_nothing_is_named(data):
    x, y = data
    images = kb.data.LabelledImages(x, y).weighed(np.where(y == 1, 0.0, 1.0))
    with pytest.raises(ValueError, match="whose class 1 weighs nothing"):
        kb.models.retrain_head(classifier(keras.layers.Dense(3)), images)


def of_two_outputs():
    inputs = keras.Input((64,))
    return keras.Model(inputs, [keras.layers.Dense(3)(inputs) for _ in range(2)])


def goes_on_behind_a_classifier():
    inputs = keras.Input((8, 8, 1))
    model = classifier(keras.layers.Dense(3, "softmax"))
    return keras.Model(inputs, keras.ops.log(model(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(keras.ops.reshape(inputs, (-1, 64)))


def wide_and_deep():
    inputs = keras.Input((8, 8, 1))
    row = keras.layers.Flatten()(inputs)
    wide, deep = keras.layers.Dense(12, "relu")(row), keras.layers.Dense(1)(row)
    outputs = keras.layers.Dense(3)(wide) + keras.layers.Dense(3)(deep)
    return keras.Model(inputs, keras.ops.softmax(outputs))


@pytest.mark.parametrize(
    "make",
    [
        Subclassed,
        of_two_outputs,
        wide_and_deep,
        goes_on_behind_a_classifier,
        lambda: classifier(keras.layers.BatchNormalization()),
        lambda: keras.Sequential([keras.layers.Dense(3)]),
        lambda: keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Dense(3)]),
    ],
)
def test_a_model_that_does_not_end_so_is_refused(data, make):
    with pytest.raises(ValueError, match="`model` must be built, functional or"):
        kb.models.retrain_head(make(), *data)


def test_refuses_what_does_not_fit(data):
    x, y = data
    model = classifier(keras.layers.Dense(4, "softmax"))
    with pytest.raises(ValueError, match="one output for each of the 3 classes"):
        kb.models.retrain_head(model, x, y)
    with pytest.raises(ValueError, match="`C` must be a finite number"):
        kb.models.retrain_head(model, x, y, C=0)
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kb.models.retrain_head(lambda x: x, x, y)
    three = classifier(keras.layers.Dense(3, "softmax"))
    with pytest.raises(ValueError, match="`target_prior` must be"):
        kb.models.retrain_head(three, x, y, target_prior="equal")
    images = kb.data.LabelledImages(x, y, num_classes=4)
    with pytest.raises(ValueError, match="Every class must have at least one image"):
        kb.models.retrain_head(model, images)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_a_quantized_model_gets_a_head_in_full_precision(data, tmp_path):
    x, y = data
    model = classifier(keras.layers.Dense(3, "softmax"))
    model.quantize("int8")
    found = retrained(model, x, y)
    np.testing.assert_allclose(outputs(found, x), by_hand(model, x, y), atol=1e-4)
    found.save(tmp_path / "classifier.keras")
    loaded = kb.models.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(outputs(loaded, x), outputs(found, x), atol=1e-6)
