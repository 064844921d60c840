"""The four tuners, what a trial trains on, and trials that go wrong."""

import keras
import keras_tuner
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.auto.recipes import RECIPES
from keras_balance.tuners.search_space import standard
from small_models import EAGERLY

# keras-tuner calls what `threading` has long deprecated.
pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning"),
]


def statuses(tuner):
    return [trial.status for trial in tuner.oracle.trials.values()]


def trial_of(**values):
    hp = keras_tuner.HyperParameters()
    for name, value in values.items():
        hp.Fixed(name, value)
    return hp


@pytest.mark.parametrize(
    ("tuner", "options"),
    [
        (keras_tuner.RandomSearch, {}),
        pytest.param(keras_tuner.GridSearch, {}, marks=pytest.mark.slow),
        pytest.param(
            keras_tuner.BayesianOptimization,
            {"num_initial_points": 2},
            marks=pytest.mark.slow,
        ),
        (keras_tuner.Hyperband, {"max_epochs": 2, "factor": 2}),
    ],
)
def test_every_tuner_searches_and_is_never_below_the_default(
    small, hypermodel, tmp_path, tuner, options
):
    space = {"synthesizer": ["nothing", "repeat"], "balance": [0.5, 1.0]}
    searched = hypermodel(search_space=space | {"batch_size": 16})
    tuner = small.search(searched, tmp_path, tuner, **options)
    assert len(statuses(tuner)) >= 3
    assert set(statuses(tuner)) == {"COMPLETED"}
    first = min(tuner.oracle.trials.values(), key=lambda trial: trial.trial_id)
    values = first.hyperparameters.values
    assert {k: v for k, v in values.items() if not k.startswith("tuner/")} == {
        # The recommended one is not among them: the first of the list is tried first.
        "synthesizer": "nothing",
        "batch_size": 16,
    }
    best = tuner.oracle.get_best_trials()[0]
    assert best.score >= first.score
    # The model that was kept has the score that the trial was given.
    _, validation = small.three_digits()
    logs = tuner.get_best_models()[0].evaluate(*validation, verbose=0, return_dict=True)
    assert logs["f1_macro"] == pytest.approx(best.score)


def test_space_is_declared_before_the_first_trial(small, hypermodel, tmp_path):
    tuner = keras_tuner.RandomSearch(
        hypermodel(), small.OBJECTIVE, max_trials=1, directory=str(tmp_path)
    )
    names = {parameter.name for parameter in tuner.oracle.get_space().space}
    assert names == set(kb.tuners.BalancedHyperModel(small.build).entries)


@pytest.mark.backend
@pytest.mark.parametrize(
    ("values", "counts", "synthetic"),
    [
        ({"synthesizer": "nothing"}, [30, 26, 6], 0),
        ({"synthesizer": "repeat", "balance": 0.5}, [30, 26, 15], 9),
        ({"synthesizer": "manual", "balance": 1.0}, [30, 30, 30], 28),
        ({"synthesizer": "manual", "synthetic_share": 0.0}, [30, 30, 30], 28),
    ],
)
def test_a_trial_trains_on_its_setting(small, hypermodel, values, counts, synthetic):
    (x, y), _ = small.three_digits()
    data = hypermodel().balanced_dataset(trial_of(**values, batch_size=8), x, y)
    assert list(data.class_counts.values()) == counts
    assert data.num_synthetic == synthetic
    assert len(data[0][1]) == 8


def test_class_weights_over_balanced_batches_are_warned_of_once(small, hypermodel):
    (x, y), _ = small.three_digits()
    model = hypermodel()
    options = {"class_weight": {0: 1, 1: 1, 2: 5}, "verbose": 0}

    def fit(synthesizer):
        hp = trial_of(synthesizer=synthesizer, batch_size=64)
        model.fit(hp, model.build(hp), x, y, **options)

    fit("nothing")  # a warning is an error
    with pytest.warns(UserWarning, match="`class_weight` corrects a second time"):
        fit("repeat")
    fit("repeat")


def test_one_sigmoid_output_has_scores_of_two_classes(small):
    def build(hp):
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile("sgd", "binary_crossentropy", run_eagerly=EAGERLY)
        return model

    (x, y), (x_val, y_val) = small.three_digits()
    hypermodel = kb.tuners.BalancedHyperModel(build, class_names=["other", "two"])
    hp = trial_of(synthesizer="repeat", batch_size=64)
    validation = x_val, (y_val == 2).astype("float32")[:, None]
    history = hypermodel.fit(
        hp, hypermodel.build(hp), x, y == 2, validation_data=validation, verbose=0
    ).history
    assert {"f1_macro", "val_f1_macro", "val_recall_two"} <= set(history)


def test_a_trial_trains_a_bagan(small, hypermodel):
    (x, y), _ = small.three_digits()
    hp = trial_of(synthesizer="bagan+manual", synthetic_share=0.5, batch_size=90)
    data = hypermodel().balanced_dataset(hp, x, y, verbose=0)
    assert list(data.class_counts.values()) == [30, 30, 30]
    images, _ = data[0]
    real = {image.tobytes() for image in x.astype("float32")}
    # Half of the 28 synthetic images are repeated ones.
    assert sum(image.tobytes() not in real for image in images) == 14


def test_strengths_and_share_reach_the_images(small, hypermodel):
    (x, y), _ = small.three_digits()
    real = {image.tobytes() for image in x.astype("float32")}

    def share_of_repeats(**values):
        hp = trial_of(synthesizer="manual", batch_size=1000, **values)
        images, _ = hypermodel().balanced_dataset(hp, x, y)[0]
        return np.mean([image.tobytes() in real for image in images])

    strengths = {name: 0.05 for name in standard() if name.endswith("_factor")}
    still = dict.fromkeys(strengths, 0.0)
    assert share_of_repeats(**still) == 1
    for name, strength in strengths.items():
        assert share_of_repeats(**still | {name: strength}) < 1
    # 28 of the 90 images of an epoch are synthetic.
    assert share_of_repeats() == pytest.approx(62 / 90)
    assert share_of_repeats(synthetic_share=0.5) == pytest.approx(76 / 90)


@pytest.mark.parametrize(
    "labels", [lambda y: y[:, None], lambda y: np.eye(3, dtype="float32")[y]]
)
def test_labels_of_any_form(small, hypermodel, fits, tmp_path, labels):
    (x, y), (x_val, y_val) = small.three_digits()

    def build(hp):
        model = small.build(hp)
        if labels(y).shape[1] == 3:
            model.compile("adam", "categorical_crossentropy")
        return model

    searched, hp = hypermodel(build, cache_dir=tmp_path), trial_of(synthesizer="bagan")
    logs = searched.fit(
        hp,
        searched.build(hp),
        x,
        labels(y),
        validation_data=(x_val, labels(y_val)),
        verbose=0,
    ).history
    assert len(fits) == 1
    assert 0 <= logs["val_f1_macro"][0] <= 1


def test_a_diverging_trial_fails_alone(small, hypermodel, tmp_path):
    def build(hp):
        model = small.build(hp)
        if hp.Choice("rate", [0.01, 1e38]) > 1:
            kernel = model.layers[-1].kernel
            kernel.assign(kernel * float("nan"))
        return model

    space = {"synthesizer": "repeat", "balance": 1.0, "batch_size": 32}
    tuner = small.search(
        hypermodel(build, search_space=space), tmp_path, keras_tuner.GridSearch
    )
    assert statuses(tuner) == ["COMPLETED", "FAILED"]
    failed = list(tuner.oracle.trials.values())[1]
    assert "`loss` was not in epoch 1" in failed.message
    assert tuner.oracle.get_best_trials()[0].hyperparameters["rate"] == 0.01


def test_a_bagan_that_diverges_fails_its_trial(
    small, hypermodel, tmp_path, monkeypatch
):
    def fit(*args, **kwargs):
        raise FloatingPointError("`d_loss` became nan in epoch 3")

    monkeypatch.setattr(kb.models.BAGAN, "fit", fit)
    space = {"synthesizer": ["repeat", "bagan"], "balance": 1.0, "batch_size": 32}
    space["synthetic_share"] = 1.0
    tuner = small.search(
        hypermodel(search_space=space, cache_dir=tmp_path / "bagans"),
        tmp_path,
        keras_tuner.GridSearch,
    )
    assert statuses(tuner) == ["COMPLETED", "FAILED"]
    assert "`d_loss` became nan" in list(tuner.oracle.trials.values())[1].message
    assert list((tmp_path / "bagans").glob("*")) == []


def test_a_missing_objective_names_the_logs_there_are(small, hypermodel, tmp_path):
    (x, y), _ = small.three_digits()
    tuner = keras_tuner.RandomSearch(
        hypermodel(search_space={"synthesizer": "repeat"}),
        small.OBJECTIVE,
        max_trials=2,
        directory=str(tmp_path),
    )
    with pytest.raises(ValueError, match=r"validation_data.*'f1_macro', 'loss'"):
        tuner.search(x, y, verbose=0)


@pytest.mark.parametrize(
    ("change", "options", "error", "text"),
    [
        (lambda x, y: (x[:5], y), {}, ValueError, "len"),
        (lambda x, y: (x / np.nan, y), {}, ValueError, "finite"),
        (lambda x, y: (x,), {}, ValueError, "`y` must be given"),
        (lambda x, y: (x, y), {"batch_size": 8}, ValueError, "search_space"),
        (lambda x, y: (x, y), {"validation_split": 0.2}, ValueError, "validation_data"),
    ],
)
def test_what_no_trial_could_train_on_stops_the_search(
    small, hypermodel, tmp_path, change, options, error, text
):
    data, _ = small.three_digits()
    with np.errstate(all="ignore"):
        data = change(*data)
    tuner = keras_tuner.RandomSearch(
        hypermodel(), small.OBJECTIVE, max_trials=2, directory=str(tmp_path)
    )
    with pytest.raises(error, match=text):
        tuner.search(*data, verbose=0, **options)


def test_a_model_that_is_not_compiled(small, hypermodel):
    data, _ = small.three_digits()
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="compiled"):
        hypermodel().fit(trial_of(), model, *data)


def test_bad_arguments(small):
    with pytest.raises(TypeError, match="build=None"):
        kb.tuners.BalancedHyperModel(None)
    with pytest.raises(TypeError, match="seed="):
        kb.tuners.BalancedHyperModel(small.build, seed="1")
    with pytest.raises(ValueError, match="mix='foo'"):
        kb.tuners.BalancedHyperModel(small.build, mix="foo")
    with pytest.raises(TypeError, match="mix=3"):
        kb.tuners.BalancedHyperModel(small.build, mix=3)


def test_best_setting_trains_again_outside_the_search(small, hypermodel, tmp_path):
    data, validation = small.three_digits()
    searched = hypermodel(search_space={"synthesizer": ["manual"], "balance": 1.0})
    tuner = small.search(searched, tmp_path, max_trials=2)
    best = tuner.get_best_hyperparameters()[0]
    history = searched.fit(
        best, searched.build(best), *data, validation_data=validation, verbose=0
    )
    # The model's and the data's seeds are fixed: the same training again.
    score = tuner.oracle.get_best_trials()[0].score
    assert history.history["val_f1_macro"][0] == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda y: np.array(["cat", "dog", "eel"])[y], "Give class indices"),
        (lambda y: y + 1, "from 0 to 2"),
        (lambda y: y - 1, "from 0 to 2"),
    ],
    ids=["strings", "from 1", "negative"],
)
def test_labels_that_no_trial_could_learn_stop_the_search(
    small, hypermodel, tmp_path, write, text
):
    (x, y), _ = small.three_digits()
    tuner = keras_tuner.RandomSearch(
        hypermodel(), small.OBJECTIVE, max_trials=2, directory=str(tmp_path)
    )
    with pytest.raises(ValueError, match=text):
        tuner.search(x, write(y), validation_data=(x, write(y)), verbose=0)
    assert len(tuner.oracle.trials) == 1


def test_the_recipes_of_auto_balance_are_a_space(small, tmp_path):
    hypermodel = kb.tuners.BalancedHyperModel(
        small.build, {"batch_size": 32}, recipes="auto"
    )
    tuner = small.search(
        hypermodel, tmp_path, keras_tuner.GridSearch, max_trials=len(RECIPES)
    )
    trials = tuner.oracle.trials.values()
    assert {trial.hyperparameters["recipe"] for trial in trials} == set(RECIPES)
    assert set(statuses(tuner)) == {"COMPLETED"}
    # The model that was kept, without a layer in front, has the score of its trial.
    _, validation = small.three_digits()
    best = tuner.oracle.get_best_trials()[0]
    logs = tuner.get_best_models()[0].evaluate(*validation, verbose=0, return_dict=True)
    assert logs["f1_macro"] == pytest.approx(best.score)


def behind_a_flip(small):
    recipes = {"flip": kb.tuners.Recipe(layer="flip")}
    return kb.tuners.BalancedHyperModel(small.build, recipes=recipes)


@pytest.mark.backend
def test_callbacks_see_the_classifier_behind_a_layer(small):
    hypermodel = behind_a_flip(small)
    model, seen = small.build(None), []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model)
            self.model.stop_training = True

    before = model.get_weights()[0]
    hp = trial_of(recipe="flip", batch_size=64)
    data, _ = small.three_digits()
    hypermodel.fit(hp, model, *data, epochs=3, verbose=0, callbacks=[Look()])
    assert seen == [model]
    assert not np.array_equal(before, model.get_weights()[0])


@pytest.mark.backend
def test_callbacks_find_the_state_in_every_batch_behind_a_layer(small):
    hypermodel = behind_a_flip(small)
    model, seen = small.build(None), []

    class Look(keras.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0])

    counted = []
    count = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: counted.append(batch)
    )
    hp = trial_of(recipe="flip", batch_size=64)
    data, _ = small.three_digits()
    callbacks = [Look(), count]
    hypermodel.fit(hp, model, *data, epochs=1, verbose=0, callbacks=callbacks)
    assert len(seen) == len(counted) > 1
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[-1], model.get_weights()[0])


def test_a_model_that_was_stopped_is_trained_again_behind_a_layer(small):
    hypermodel = behind_a_flip(small)
    model, hp = small.build(None), trial_of(recipe="flip", batch_size=64)
    data, _ = small.three_digits()
    stop = keras.callbacks.EarlyStopping("loss", min_delta=1e9)
    for callbacks, epochs in (([stop], 2), ([], 3)):
        history = hypermodel.fit(
            hp, model, *data, epochs=3, verbose=0, callbacks=callbacks
        )
        assert len(history.epoch) == epochs


def test_recipes_say_what_is_mixed(small):
    with pytest.raises(ValueError, match=r"beside `recipes`.*mix='mixup'"):
        kb.tuners.BalancedHyperModel(small.build, mix="mixup", recipes="auto")
    with pytest.raises(ValueError, match=r"among .'recipe', 'batch_size'"):
        kb.tuners.BalancedHyperModel(
            small.build, {"synthesizer": "manual"}, recipes="auto"
        )


@pytest.mark.parametrize("recipes", [None, ["plain"]])
def test_sample_weights_weigh_the_real_images(small, recipes):
    hypermodel = kb.tuners.BalancedHyperModel(small.build, recipes=recipes)
    space, (x, y) = keras_tuner.HyperParameters(), small.three_digits()[0]
    hypermodel.declare_hyperparameters(space)
    model, weights = small.build(None), np.zeros(len(x))
    before = model.get_weights()
    values = {"recipe": "plain"} if recipes else {"synthesizer": "repeat"}
    hp = trial_of(**space.values | values)
    hypermodel.fit(hp, model, x, y, sample_weight=weights, verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(keras_tuner.errors.FatalValueError, match="`sample_weight`"):
        hypermodel.fit(hp, model, x, y, sample_weight=weights[1:], verbose=0)
