import random

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.auto import progress as progress_module
from keras_balance.auto.keras_judge import KerasJudge
from keras_balance.data import BalancedDataset
from keras_balance.tuners import AutoSynthesizer
from small_models import EAGERLY

PROTOTYPES = np.random.default_rng(0).uniform(80, 176, (4, 8, 8, 1))


def draw(labels, seed):
    """Images of a known distribution, hard to learn from a handful."""
    noise = np.random.default_rng(seed).normal(0, 40, (len(labels), 8, 8, 1))
    return np.clip(PROTOTYPES[labels] + noise, 0, 255)


class Oracle:
    """Draws from the distribution of the real images."""

    def generate(self, labels, seed=None):
        return draw(np.asarray(labels), seed)


class Harm:
    """Draws images of another class, a frequent one."""

    def generate(self, labels, seed=None):
        return draw(np.asarray(labels) % 3 + 1, seed)


def data(rare=6, many=60, seed=1):
    y = np.repeat(np.arange(4), [rare, many, many, many])
    return draw(y, seed).astype("uint8"), y


@pytest.mark.once
def test_titles_that_are_numbers_are_no_labels():
    x, y = data()
    titled = kb.data.LabelledImages(x, np.eye(4)[y], titles=[1, 2, 3, 4])
    chosen = []
    for images in (titled, kb.data.LabelledImages(x, y)):
        auto = AutoSynthesizer(["repeat", "manual"], seed=0, verbose=0)
        dataset = BalancedDataset(images, synthesizer=auto, seed=0)
        chosen.append((auto.choice, auto.scores, list(dataset.class_counts.values())))
    assert chosen[0] == chosen[1]


def dense(run_eagerly=False):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.05),
        "sparse_categorical_crossentropy",
        run_eagerly=run_eagerly,
    )
    return model


def untraced():
    """For a few steps."""
    return dense(run_eagerly=EAGERLY)


TRAINED = {"classifier": dense, "steps": 40}
HARDLY_TRAINED = {"classifier": untraced, "steps": 3}
JUDGES = pytest.mark.parametrize("judge", [{}, TRAINED], ids=["default", "classifier"])


def auto(candidates, **kwargs):
    return AutoSynthesizer(candidates, **({"verbose": 0} | kwargs))


def balance(synthesizer, seed=0, **kwargs):
    return BalancedDataset(*data(), synthesizer=synthesizer, seed=seed, **kwargs)


@JUDGES
def test_the_oracle_wins_and_fills_the_dataset(judge):
    candidates = {"nothing": "nothing", "harm": Harm(), "oracle": Oracle()}
    chooser = auto(candidates, **judge)
    dataset = balance(chooser)
    assert dataset.synthesizer is chooser
    assert chooser.choice == "oracle"
    assert [len(scores) for scores in chooser.scores.values()] == [3, 3, 3]
    means = {name: np.mean(scores) for name, scores in chooser.scores.items()}
    assert means["harm"] < means["nothing"] < means["oracle"]
    assert dataset.class_counts == {0: 60, 1: 60, 2: 60, 3: 60}


@JUDGES
def test_where_all_does_harm_nothing_is_filled(judge):
    candidates = {"nothing": "nothing", "harm": Harm()}
    chooser = auto(candidates, folds=2, **judge)
    dataset = balance(chooser)
    assert chooser.choice == "nothing"
    assert dataset.num_synthetic == 0
    chooser._titles = ["one of an earlier choice"]
    BalancedDataset(*data(), synthesizer=chooser, sampling_strategy={}, seed=0)
    assert "earlier" not in chooser.table()
    assert dataset.class_counts == {0: 6, 1: 60, 2: 60, 3: 60}


def test_before_candidates_are_judged_there_is_no_table():
    for chooser, first in [
        (auto(["repeat"]), "Give it to a `BalancedDataset` first"),
        (kb.tuners.AutoAugmentation(), "Call `fit` first"),
    ]:
        with pytest.raises(RuntimeError, match=first):
            chooser.table()


def test_ties_go_to_the_simpler():
    chooser = auto({"first": Oracle(), "second": Oracle()}, folds=2)
    balance(chooser)
    assert chooser.scores["first"] == chooser.scores["second"]
    assert chooser.choice == "first"


@pytest.mark.parametrize(
    "judge",
    [{}, pytest.param(HARDLY_TRAINED, marks=pytest.mark.slow)],
    ids=["default", "classifier"],
)
def test_the_seed_decides(judge):
    candidates = {"nothing": "nothing", "oracle": Oracle()}
    choosers = [auto(candidates, folds=2, **judge) for _ in range(3)]
    state = random.getstate()
    for chooser, seed in zip(choosers, (0, 0, 1), strict=True):
        balance(chooser, seed=seed)
        keras.utils.set_random_seed(5)  # which must not matter
    first, second, other = (chooser.scores for chooser in choosers)
    assert first == second
    assert first != other
    random.setstate(state)
    balance(auto(candidates, folds=2, **judge))
    assert random.getstate() == state
    own_seed = auto(candidates, folds=2, seed=1, **judge)
    balance(own_seed)
    assert own_seed.scores == other


def test_a_fold_is_fitted_on_its_own_part_alone(monkeypatch):
    x, y = data()
    x[:, 0, 0, 0] = np.arange(len(x))  # every image can be told
    parts, held_out = [], []

    def fit(x, y, seed):
        parts.append((x, y))
        return Oracle()

    predict = keras.Model.predict_on_batch

    def spy(self, x):
        held_out.append(x.astype("uint8"))
        return predict(self, x)

    monkeypatch.setattr(keras.Model, "predict_on_batch", spy)
    chooser = auto({"a": fit}, **HARDLY_TRAINED)
    BalancedDataset(x, y, synthesizer=chooser, seed=0)
    *folds, (x_whole, y_whole) = parts
    assert len(folds) == len(held_out) == 3
    cuts = set()
    for (x_fold, y_fold), x_held_out in zip(folds, held_out, strict=True):
        trained, scored = x_fold[:, 0, 0, 0], x_held_out[:, 0, 0, 0]
        assert not set(trained) & set(scored)
        np.testing.assert_array_equal(y[trained], y_fold)
        np.testing.assert_array_equal(x[trained], x_fold)
        counts = np.bincount(y_fold)
        assert sorted(counts) == [6, 6, 40, 40]
        assert counts[0] == 6
        cuts |= set(np.flatnonzero(counts == 6))
    assert cuts == {0, 1, 2, 3}
    np.testing.assert_array_equal(x_whole, x)
    np.testing.assert_array_equal(y_whole, y)


def test_the_cases_of_a_fold_share_what_was_fitted():
    y = np.repeat(np.arange(7), [6, *[30] * 6])
    x = np.random.default_rng(0).uniform(0, 255, (len(y), 8, 8, 1))
    fitted_on = []

    def fit(x, y, seed):
        fitted_on.append(np.bincount(y).tolist())
        return None

    chooser = auto({"a": fit})
    BalancedDataset(x, y, synthesizer=chooser, seed=0)
    assert len(chooser.scores["a"]) == 6  # two cases in each of three folds
    assert sorted(fitted_on[0]) == [6] * 3 + [20] * 4
    assert len(fitted_on) == 3 + 1
    titles = [line.split("  ")[0] for line in chooser.table().splitlines()[2:8]]
    assert sorted(titles) == [f"class {c} cut to 6" for c in range(1, 7)]


def test_labels_are_as_the_user_writes_them():
    x, y = data()
    names = np.array(["ant", "bee", "cat", "dog"])
    seen = []

    class Named:
        def generate(self, labels, seed=None):
            seen.extend(labels)
            return draw(np.searchsorted(names, labels), seed)

    chooser = auto({"named": Named()}, folds=2)
    dataset = BalancedDataset(x, names[y], synthesizer=chooser, seed=0)
    assert dataset.class_counts == dict.fromkeys(names.tolist(), 60)
    assert set(seen) <= set(names)


def test_one_hot_labels_reach_the_classifier_as_such():
    x, y = data()

    def classifier():
        model = dense()
        model.compile("adam", "categorical_crossentropy", run_eagerly=EAGERLY)
        return model

    for judge in ({"classifier": classifier, "steps": 1}, {}):
        chooser = auto(["repeat"], folds=2, **judge)
        dataset = BalancedDataset(x, np.eye(4)[y], synthesizer=chooser, seed=0)
        assert dataset[0][1].shape == (32, 4)


def test_equal_sizes_are_judged_by_stratified_folds():
    y = np.repeat(np.arange(4), [30, 60, 40, 60])
    chooser = auto({"nothing": "nothing", "oracle": Oracle()})
    BalancedDataset(draw(y, 0), y, synthesizer=chooser, seed=0)
    assert [np.shape(scores) for scores in chooser.scores.values()] == [(3, 4), (3, 4)]
    titles = [line.split("  ")[0] for line in chooser.table().splitlines()[2:5]]
    assert titles == ["one of 3 held out"] * 3


def no_classifier():
    raise AssertionError("must not be called")


def test_too_few_images_to_judge_by_give_manual():
    x, y = data(rare=1, many=2)
    chooser = auto(["repeat", "manual"], classifier=no_classifier)
    BalancedDataset(x, y, synthesizer=chooser, seed=0)
    assert chooser.choice == "manual"
    assert chooser.scores == {"repeat": [], "manual": []}


def test_nothing_to_fill_is_nothing_to_judge():
    chooser = auto(["repeat"], classifier=no_classifier)
    dataset = BalancedDataset(
        *data(), synthesizer=chooser, sampling_strategy={}, seed=0
    )
    assert chooser.choice == "nothing"
    assert dataset.num_synthetic == 0


class Clock:
    """A clock that a training of the classifier moves on by a minute."""

    def __init__(self, monkeypatch):
        self.now = 0
        monkeypatch.setattr(progress_module.time, "monotonic", lambda: self.now)

    def candidates(self, *names):
        def fit(x, y, seed):
            self.now += 60
            return Oracle()

        return dict.fromkeys(names, fit)


@pytest.mark.parametrize(
    ("minutes", "judged", "choice"),
    [
        (0, [0, 0, 0], "manual"),  # nothing could be measured
        (1, [1, 0, 0], "manual"),  # without manual itself, it is the default
        (2, [1, 1, 0], "nothing"),  # all equal: the simplest that was judged
        (4, [2, 1, 1], "nothing"),
        (100, [3, 3, 3], "nothing"),
    ],
)
def test_no_training_begins_after_the_time_budget(monkeypatch, minutes, judged, choice):
    fits = Clock(monkeypatch).candidates("nothing", "manual", "bagan")
    chooser = auto(fits, time_budget=60 * minutes)
    balance(chooser)
    assert [len(scores) for scores in chooser.scores.values()] == judged
    assert chooser.choice == choice


def test_a_training_of_the_classifier_is_told_of_when_it_ends(monkeypatch):
    fits, told = Clock(monkeypatch).candidates("nothing", "manual"), []
    monkeypatch.setattr(
        KerasJudge, "f1", lambda *_: told.append("trained") or np.ones(3)
    )
    monkeypatch.setattr(progress_module.Progress, "end", lambda *_: told.append("told"))
    balance(auto(fits, classifier=untraced, folds=2, time_budget=None))
    assert told == ["trained", "told"] * 4


def test_a_candidate_that_breaks_down_is_not_chosen():
    def broken(x, y, seed):
        raise FloatingPointError

    chooser = auto({"broken": broken, "oracle": Oracle()}, folds=2)
    balance(chooser)
    assert chooser.choice == "oracle"
    assert np.isnan(chooser.scores["broken"]).all()
    with pytest.raises(FloatingPointError, match=r"each of candidates=\['broken'\]"):
        balance(auto({"broken": broken}, folds=2))


class FakeBAGAN(Oracle):
    """Notes what it is built and fitted with."""

    made = []  # noqa: RUF012

    def __init__(self, image_shape, num_classes, **kwargs):
        self.built_with = kwargs
        self.made.append(self)

    def fit(self, x, **kwargs):
        self.rows, self.fitted_with = len(x), kwargs


@pytest.mark.once
def test_one_bagan_a_fold_and_one_for_good(monkeypatch):
    monkeypatch.setattr("keras_balance.models.fillings.BAGAN", FakeBAGAN)
    monkeypatch.setattr(FakeBAGAN, "made", [])
    names = ["bagan", "bagan+manual", "half bagan+manual, half manual"]
    chooser = auto(names, folds=2)
    balance(chooser, seed=7)
    *in_folds, last = FakeBAGAN.made
    assert len(in_folds) == 2
    assert all(bagan.rows < 186 for bagan in in_folds)
    assert last.rows == 186
    assert last.built_with["seed"] == 7
    # What is judged and what is chosen is the same: the first phase alone.
    assert all(bagan.fitted_with["epochs"] == 0 for bagan in FakeBAGAN.made)


@pytest.mark.once
def test_elastic_is_judged_as_it_is_used():
    x, y = data()
    chooser = auto(["elastic"], folds=2)
    named, chosen = (
        BalancedDataset(x / 255.0, y, 16, synthesizer=synthesizer, seed=0)[0][0]
        for synthesizer in ("elastic", chooser)
    )
    assert chooser.choice == "elastic"
    np.testing.assert_array_equal(named, chosen)


def test_auto_is_the_short_form(monkeypatch):
    monkeypatch.setattr(AutoSynthesizer, "choose", lambda *arguments: "nothing")
    dataset = balance("auto")
    assert isinstance(dataset.synthesizer, kb.tuners.AutoSynthesizer)
    assert dataset.num_synthetic == 0
    with pytest.raises(ValueError, match="'auto' must stand alone"):
        balance({"auto": 1.0})


def test_progress_and_table(capsys):
    chooser = auto(["nothing", "manual"], folds=2, verbose=1)
    balance(chooser)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("auto 1/4: class ")
    assert "cut to 6, nothing: 0." in lines[0]
    assert "about 0 s left" in lines[3]
    assert chooser.table() in "\n".join(lines)
    header, _, first, second, *summary = chooser.table().splitlines()
    assert header.split() == ["nothing", "manual"]
    title = lines[0].removeprefix("auto 1/4: ").split(", nothing")[0]
    assert first.startswith(title)
    assert second.startswith("class ")
    assert summary[-1].startswith("chosen")
    assert summary[-1].count("*") == 1
    balance(auto(["nothing"]))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"candidates": ["manuel"]}, ValueError, r"candidates=\['manuel'\]"),
        ({"candidates": []}, ValueError, r"candidates=\[\]"),
        ({"candidates": "manual"}, TypeError, "candidates='manual'"),
        ({"classifier": 3}, TypeError, "classifier=3"),
        ({"folds": 1}, ValueError, "folds=1"),
        ({"folds": 2.5}, TypeError, "folds=2.5"),
        ({"steps": 0, "classifier": dense}, ValueError, "steps=0"),
        ({"steps": 9}, ValueError, "steps=9"),
        ({"time_budget": -1}, ValueError, "time_budget=-1"),
        ({"time_budget": "1 h"}, TypeError, "time_budget='1 h'"),
        ({"seed": -1}, ValueError, "seed=-1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"Received: {message}"):
        AutoSynthesizer(**arguments)


def test_bad_classifiers():
    with pytest.raises(TypeError, match="must return a compiled Keras model"):
        balance(auto(["repeat"], classifier=lambda: None))

    def two_outputs():
        model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
        model.compile("sgd", "mse", run_eagerly=EAGERLY)
        return model

    with pytest.raises(ValueError, match="must give 4 numbers"):
        balance(auto(["repeat"], classifier=two_outputs))
