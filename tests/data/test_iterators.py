"""Tests of trainings whose iterators are not tuned."""

from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.auto.keras_judge import KerasJudge
from keras_balance.auto.recipe_training import train
from keras_balance.auto.recipes import RECIPES
from keras_balance.data.iterators import untuned
from small_data import class_images

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's"
)


@pytest.fixture
def untuned_pipelines(monkeypatch):
    """Pipelines whose tuning `untuned` has switched off."""
    seen = []
    with_options = tf.data.Dataset.with_options

    def remember(dataset, options):
        tests_own = options.experimental_optimization.apply_default_optimizations
        if options.autotune.enabled is False and tests_own is None:
            seen.append(dataset)
        return with_options(dataset, options)

    monkeypatch.setattr(tf.data.Dataset, "with_options", remember)
    return seen


def test_nothing_is_tuned_within_and_nothing_changes_outside(untuned_pipelines):
    numbers = tf.data.Dataset.range(3)
    with untuned():
        assert [int(number) for number in numbers] == [0, 1, 2]
        assert len(untuned_pipelines) == 1
        with untuned():
            iter(numbers)
        iter(numbers)
    assert len(untuned_pipelines) == 3
    iter(numbers)
    assert len(untuned_pipelines) == 3


def test_an_error_within_ends_it(untuned_pipelines):
    with pytest.raises(ZeroDivisionError), untuned():
        1 / 0  # noqa: B018
    iter(tf.data.Dataset.range(3))
    assert not untuned_pipelines


def test_a_pipeline_of_the_users_stays_tuned(untuned_pipelines):
    numbers = tf.data.Dataset.range(3)
    with untuned(None, numbers.map(lambda number: number)):
        iter(numbers)
    assert not untuned_pipelines
    with untuned(None, np.zeros(3)):
        iter(numbers)
    assert len(untuned_pipelines) == 1


def dense(num_classes=3):
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(num_classes, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


def train_a_generator(images, callback):
    model = kb.models.VAE((8, 8, 1), 3, latent_dim=2, candidates=0, seed=0)
    model.compile(run_eagerly=True)
    model.fit(images, epochs=1, verbose=0, callbacks=[callback])


def train_a_head(images, callback):
    backbone = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model = kb.models.FewShotClassifier(backbone, 3, seed=0)
    model.fit(images, epochs=1, verbose=0, callbacks=[callback])


def train_by_a_recipe(images, callback):
    options = {"batch_size": 8, "steps": 1, "seed": 0}
    recipe = RECIPES["repeat"]
    train(recipe, images, dense, callbacks=lambda _: [callback], **options)


def train_a_trial(images, callback):
    build = kb.tuners.BalancedHyperModel(lambda _: dense(), seed=0)
    hp = keras_tuner.HyperParameters()
    model = build.build(hp)
    build.fit(hp, model, images, callbacks=[callback], verbose=0)


def train_a_judge(images, callback):
    x, y = class_images((8, 6, 4))
    held_out = SimpleNamespace(x=x, indices=images.indices, encoding=images.encoding)
    judge = KerasJudge(dense, held_out, [0, 1, 2], steps=1, seed=0)
    callback.on_train_begin(None)  # a judge takes none
    judge.outputs(kb.BalancedDataset(x, y, batch_size=8, seed=0))


@pytest.mark.filterwarnings("ignore:Generated images of class")
@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize(
    "train_one",
    [
        train_a_generator,
        train_a_head,
        train_by_a_recipe,
        train_a_trial,
        train_a_judge,
    ],
)
def test_the_package_tunes_none_of_its_trainings(untuned_pipelines, train_one):
    trained = []
    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: trained.append(len(untuned_pipelines))
    )
    images = kb.data.LabelledImages(*class_images((8, 6, 4)))
    train_one(images, callback)
    assert len(untuned_pipelines) > trained[0]
