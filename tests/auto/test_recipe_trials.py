import keras
import numpy as np
import pytest

from keras_balance.auto.kept import Kept
from keras_balance.auto.progress import Progress
from keras_balance.auto.recipe_code import retraining_code
from keras_balance.auto.recipe_trials import (
    STRENGTHS,
    ModelTrainings,
    Trainings,
    log_probabilities,
    out_of_fold,
    retrained,
    scores_over_taus,
)
from keras_balance.auto.recipes import Recipe
from keras_balance.data import LabelledImages
from keras_balance.layers import CosineHead
from keras_balance.models.head import retrain_head
from small_data import grey_images

pytestmark = pytest.mark.once

INDICES = np.repeat([0, 1], [40, 4])
COUNTS = np.array([40, 4])
UNIFORM = np.array([0.5, 0.5])


def scored(margins, counts=COUNTS, prior=UNIFORM):
    """Scores where the true class is ahead by so much in the logits."""
    logits = np.zeros((len(INDICES), 2))
    logits[np.arange(len(INDICES)), INDICES] = margins
    logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return scores_over_taus(logits, INDICES, counts, prior, [0, 1])


def best(scores):
    return scores["log_likelihood"].mean(axis=1).max()


def test_right_by_far_is_better_than_right_by_a_hair():
    rng = np.random.default_rng(0)
    margins = rng.normal(3, 1, len(INDICES))
    missed = np.where(np.arange(len(INDICES)) % 8 == 0, -1.0, margins)
    by_far = np.where(INDICES == 1, margins + 3, missed)
    by_a_hair = np.where(INDICES == 1, 0.1, missed)
    by_far, by_a_hair = scored(by_far), scored(by_a_hair)
    assert by_far["f1"][0] == pytest.approx(by_a_hair["f1"][0])
    assert best(by_far) > best(by_a_hair)


def test_what_decides_alike_is_as_good_whatever_its_temperature():
    margins = np.random.default_rng(0).normal(0.5, 1, len(INDICES))
    sure = scored(2 * margins, counts=[1, 1])
    unsure = scored(margins, counts=[1, 1])
    np.testing.assert_allclose(sure["f1"], unsure["f1"])
    assert best(sure) == pytest.approx(best(unsure), abs=0.01)
    # Its own temperature is the best of a hundred that are not far from it.
    assert best(sure) > -np.mean(np.logaddexp(0, -2 * margins))


@pytest.mark.parametrize("what", ["log_likelihood", "right"])
def test_each_class_has_the_share_that_it_will_have(what):
    rare = scored(1.0, prior=np.array([0.1, 0.9]))[what]
    assert rare.shape == (len(STRENGTHS), len(INDICES))
    assert rare[0, 40:].sum() / rare[0].sum() == pytest.approx(0.9, rel=1e-5)


def test_right_is_what_the_decision_takes_for_its_class():
    frequent = INDICES == 0
    right = scored(np.where(frequent, 4.0, -1.0))["right"]
    assert (right[0] > 0).tolist() == frequent.tolist()
    # The rare class is ten times rarer: half of that is more than it is behind by.
    moved = right[np.searchsorted(STRENGTHS, 0.5)]
    assert (moved > 0).all()
    assert moved.mean() == pytest.approx(1)
    assert right[0].mean() == pytest.approx(0.5)


def test_a_trial_takes_as_many_epochs_but_some_hundred_steps():
    images = LabelledImages(*grey_images((30, 30, 3)))
    options = {"batch_size": 8, "seed": 0, "kept": None}
    trainings = ModelTrainings(images, None, steps=900, **options)
    two_thirds = np.concatenate([images.rows_of(c)[:20] for c in range(3)])
    assert trainings.steps_on(two_thirds) == 600
    assert trainings.steps_on(two_thirds, 0.25) == 150
    assert trainings.steps_on(two_thirds, 0.1) == 150
    for steps, cases in [(60, 7), (120, 7), (300, 5), (600, 3), (900, 3)]:
        trainings = ModelTrainings(images, None, steps=steps, **options)
        assert trainings.cases == cases
        assert trainings.steps_on(two_thirds) == max(steps * 2 / 3, min(steps, 300))
        assert trainings.steps_on(two_thirds, 0.25) == min(steps, 150)


class Diverging(Trainings):
    """Each of its trainings gives NaN."""

    folds = 2

    def _predictions(self, recipe, train_rows, rows, steps, title):
        return np.full((len(rows), 3), np.nan, "float32")


def diverging():
    images = LabelledImages(*grey_images((6, 6, 4)))
    return Diverging(images, steps=1, seed=0, kept=Kept(None, {}))


def test_folds_that_diverge_name_the_recipe():
    progress = Progress([("fold", 0)] * 2, np.inf, 0)
    with pytest.raises(FloatingPointError, match="recipe='plain'"):
        out_of_fold(diverging(), "plain", None, progress)


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_last_training_that_diverges_is_an_error(is_kept, tmp_path):
    images = LabelledImages(*grey_images((6, 6, 4)))

    def build():
        model = dense(keras.layers.Dense(3, "softmax"))
        model.compile(keras.optimizers.SGD(np.inf), model.loss)
        return model

    kept = Kept(tmp_path if is_kept else None, {})
    trainings = ModelTrainings(images, build, batch_size=8, steps=2, seed=0, kept=kept)
    with pytest.raises(FloatingPointError, match="must be finite"):
        trainings.final(Recipe(), verbose=0)


def test_guesses_of_what_diverged_have_no_f1():
    unknown = np.full((len(INDICES), 2), np.nan)
    scores = scores_over_taus(unknown, INDICES, COUNTS, UNIFORM, [0, 1])
    assert np.isnan(scores["f1"]).all()
    assert np.isnan(scores["log_likelihood"]).all()


def dense(*last):
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), *last]
    model = keras.Sequential(layers)
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def test_the_last_layer_is_trained_anew_where_there_is_one():
    images = LabelledImages(*grey_images([12, 4]))
    model = dense(keras.layers.Dense(2, "softmax"))
    found = retrained(model, images)
    assert found is not model
    expected = retrain_head(model, images, target_prior="natural")
    np.testing.assert_array_equal(
        log_probabilities(found, images), log_probabilities(expected, images)
    )
    assert "retrain_head(model, x, y, target_prior='natural')" in retraining_code(model)
    other = dense(CosineHead(2))
    assert retrained(other, images) is other
    assert retraining_code(other) == ""


def test_a_model_that_has_diverged_is_seen_to():
    images = LabelledImages(*grey_images([12, 4]))
    model = dense(keras.layers.Dense(3, "relu"), keras.layers.Dense(2, "softmax"))
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    assert retrained(model, images) is model


def test_another_number_of_outputs_is_told_of_build():
    images = LabelledImages(*grey_images([12, 4]))
    with pytest.raises(ValueError, match=r"The model of `build\(\)` must give 2"):
        retrained(dense(keras.layers.Dense(3, "softmax")), images)


@pytest.mark.parametrize(("last", "tau"), [(keras.layers.Dense, 1), (CosineHead, 0)])
def test_what_is_left_in_theory_depends_on_the_last_layer(last, tau):
    images = LabelledImages(*grey_images([12, 4]))
    options = {"batch_size": 4, "steps": 900, "seed": 0, "kept": Kept(None, {})}
    trainings = ModelTrainings(images, lambda: dense(last(2)), **options)
    assert trainings.tau_in_theory(Recipe("auto")) == tau
