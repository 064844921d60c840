import keras
import numpy as np
import pytest

from keras_balance.auto.keras_judge import KerasJudge
from keras_balance.data import BalancedDataset
from keras_balance.utils.labels import read_labels


class Held:
    """Held-out images, as a `Part` has them."""

    def __init__(self, x, y):
        self.x = x
        self.indices, self.encoding = read_labels(y)


def classifier(outputs, from_logits):
    activation = "sigmoid" if outputs == 1 else "softmax"
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dense(outputs, None if from_logits else activation),
    ]
    model = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    kind = "BinaryCrossentropy" if outputs == 1 else "SparseCategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(from_logits=from_logits)
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


INDICES = np.repeat([0, 1], [30, 10])
LABELS = {
    "sparse": INDICES,
    "column": INDICES[:, None].astype("float32"),
    "names": np.array(["no", "yes"])[INDICES],
    "one_hot": np.eye(2, dtype="float32")[INDICES],
}


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("form", LABELS)
def test_a_classifier_with_one_output_tells_two_classes(form, from_logits):
    noise = np.random.default_rng(0).normal(0, 0.1, (40, 4, 4, 1))
    x = (noise + INDICES[:, None, None, None] - 0.5).astype("float32")
    y = LABELS[form]
    judge = KerasJudge(lambda: classifier(1, from_logits), Held(x, y), [0, 1], 30, 0)
    f1 = judge.f1(BalancedDataset(x, y, batch_size=16, seed=0))
    np.testing.assert_array_equal(f1, [1, 1])


def of_logits(y, outputs):
    return keras.losses.binary_crossentropy(y, outputs, from_logits=True)


@pytest.mark.parametrize("kind", ["function", "list"])
def test_a_single_logit_is_known_whatever_the_loss(kind):
    model = classifier(1, from_logits=True)
    loss = [model.loss] if kind == "list" else of_logits
    model.compile("sgd", loss)
    model.layers[-1].set_weights([np.full((16, 1), 1 / 16), np.full(1, -0.2)])
    x = np.where(INDICES == 1, 0.5, -0.5)[:, None, None, None] * np.ones((40, 4, 4, 1))
    judge = KerasJudge(lambda: model, Held(x, INDICES), [0, 1], 1, 0)
    judge.outputs = lambda dataset: model.predict(x, verbose=0)
    np.testing.assert_array_equal(judge.f1(None), [1, 1])


class Subclassed(keras.Model):
    """Does not cast what it gets."""

    def __init__(self):
        super().__init__()
        self.filters = keras.layers.Conv2D(2, 4)

    def call(self, inputs):
        return keras.ops.softmax(self.filters(inputs)[:, 0, 0])


def subclassed():
    model = Subclassed()
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("dtype", ["uint8", "bool"])
def test_a_subclassed_model_gets_numbers_as_in_training(dtype):
    x = np.random.default_rng(0).integers(0, 2, (40, 4, 4, 1)).astype(dtype)
    judge = KerasJudge(subclassed, Held(x, INDICES), [0, 1], 1, 0)
    outputs = judge.outputs(BalancedDataset(x, INDICES, seed=0))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
    assert outputs.shape == (40, 2)


def test_outputs_are_one_a_class():
    x, y = np.zeros((4, 4, 4, 1), "float32"), np.array([0, 1, 2, 2])
    with pytest.raises(ValueError, match=r"3 numbers.*shape \(1, 1\)"):
        KerasJudge(lambda: classifier(1, False), Held(x, y), [0, 1], 1, 0)
