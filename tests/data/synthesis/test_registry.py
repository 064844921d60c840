"""One list of fillings, and all who read it."""

import keras_tuner
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import registry
from keras_balance.tuners import trials_picture
from study import arms

FRONT = ["nothing", "shift", "flip", "photo", "manual", "elastic"]


class Grey:
    """Ten lines are enough for a filling."""

    def __init__(self, images, seed):
        self.shape = images.image_shape

    def generate(self, labels, seed=None):
        return np.full((len(labels), *self.shape), 77, "float32")


@pytest.fixture
def grey():
    registry.register("grey", Grey, rank=45)
    yield "grey"
    registry.unregister("grey")


def pictures():
    x = np.random.default_rng(0).integers(0, 50, (40, 8, 8, 1)).astype("uint8")
    return x, np.repeat([0, 1], [30, 10])


def test_a_registered_filling_is_in_all_places(grey):
    dataset = kb.BalancedDataset(*pictures(), synthesizer=grey, seed=0)
    assert sum((images == 77).all((1, 2, 3)).sum() for images, _ in dataset) == 20
    mixture = {grey: 1, "repeat": 1}
    dataset = kb.BalancedDataset(*pictures(), synthesizer=mixture, seed=0)
    assert sum((images == 77).all((1, 2, 3)).sum() for images, _ in dataset) == 10
    candidates = list(kb.tuners.AutoSynthesizer().candidates)
    assert candidates[candidates.index("manual") + 1 :][:2] == [grey, "elastic"]
    hp = keras_tuner.HyperParameters()
    hypermodel = kb.tuners.BalancedHyperModel(lambda hp: None)
    hypermodel.declare_hyperparameters(hp)
    assert grey in hp.space[0].values
    hp.values["synthesizer"] = grey
    images, _ = hypermodel.balanced_dataset(hp, *pictures())[0]
    assert (images == 77).all((1, 2, 3)).any()
    assert trials_picture._color(grey) != trials_picture._color("manual")
    assert list(arms.filled(known=arms.ARMS)) == [grey]


def test_a_layer_can_stand_in_front():
    name = "own shift"
    roles = ("auto", "front")

    def fit(images, seed, shift):
        return shift

    assert name not in kb.tuners.AutoAugmentation().candidates
    registry.register(name, fit, rank=25, needs=("shift",), roles=roles)
    try:
        candidates = kb.tuners.AutoAugmentation().candidates
        assert candidates == ["nothing", "shift", name, *FRONT[2:]]
        auto = kb.tuners.AutoAugmentation([name], folds=2, seed=0, verbose=0)
        assert isinstance(auto.fit(*pictures()).layer, kb.layers.ManualAugmentation)
    finally:
        registry.unregister(name)


def test_what_several_need_is_fitted_once():
    calls = []

    def fit(images, seed):
        calls.append(seed)
        return None

    registry.register("slow", fit, rank=1)
    registry.register("one", lambda images, seed, slow: slow, 2, needs=("slow",))
    registry.register("two", lambda *parts: parts[-1], 3, needs=("one", "slow"))
    try:
        assert registry.needed_by("two") == {"two", "one", "slow"}
        kb.BalancedDataset(*pictures(), synthesizer={"one": 1, "two": 1}, seed=3)
        assert calls == [3]
    finally:
        for name in ("two", "one", "slow"):
            registry.unregister(name)


def test_the_names_and_their_order():
    assert registry.names("auto") == [
        "nothing",
        "repeat",
        "manual",
        "elastic",
        "half bagan+manual, half manual",
        "bagan+manual",
        "bagan",
    ]
    assert registry.names("front") == FRONT
    assert "elastic" in registry.names("search")
    assert {"smote", "auto"} <= set(registry.names())
    assert "auto" not in registry.names_to_choose_from()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("manual", Grey, 1), ValueError, "`name` must be new"),
        ((3, Grey, 1), TypeError, "`name` must be a string"),
        (("grey", None, 1), TypeError, "`fit` must be a function"),
        (("grey", Grey, "1"), TypeError, "`rank` must be a number"),
        (("grey", Grey, float("nan")), ValueError, "`rank` must be a finite number"),
        (("grey", Grey, 1, ("no such",)), ValueError, "`needs` must be among"),
        (("grey", Grey, 1, (), ("no such",)), ValueError, "`roles` must be among"),
    ],
)
def test_bad_registrations(arguments, error, text):
    with pytest.raises(error, match=text):
        registry.register(*arguments)
    assert "grey" not in registry.names()


@pytest.mark.parametrize("name", ["no such", "manual"])
def test_only_what_was_registered_is_taken_out(name):
    with pytest.raises(ValueError, match="`name` must be one that `register` put in"):
        registry.unregister(name)
    assert "manual" in registry.names()


def test_a_choice_stands_alone():
    x, y = pictures()
    with pytest.raises(ValueError, match="'auto' must stand alone"):
        kb.BalancedDataset(x, y, synthesizer={"auto": 1, "repeat": 1})
    with pytest.raises(ValueError, match="`candidates` must be names out of"):
        kb.tuners.AutoSynthesizer(["auto"])
    with pytest.raises(ValueError, match="must be one of"):
        kb.BalancedDataset(x, y, synthesizer="no such")
