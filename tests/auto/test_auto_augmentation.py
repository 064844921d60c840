import random
import weakref

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.tuners import AutoAugmentation

PATTERNS = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 1))
COUNTS = (6, 40, 40, 40)


def rolls(labels, seed):
    """The pattern of each label, rolled to a place of its own."""
    places = np.random.default_rng(seed).integers(0, 8, (len(labels), 2))
    pairs = zip(PATTERNS[labels], places, strict=True)
    return np.stack([np.roll(image, place, (0, 1)) for image, place in pairs])


def spots(labels, seed):
    """A bright spot, whose place is the label."""
    images = np.random.default_rng(seed).uniform(0, 60, (len(labels), 8, 8, 1))
    images[np.arange(len(labels)), 2 * labels, 2 * labels] = 255
    return images


def data(draw=rolls, counts=COUNTS, seed=1):
    y = np.repeat(np.arange(4), counts)
    return draw(y, seed).astype("uint8"), y


def roll():
    return keras.layers.RandomTranslation(1.0, 1.0, fill_mode="wrap", seed=0)


def auto(candidates, **kwargs):
    return AutoAugmentation(candidates, **({"verbose": 0, "seed": 0} | kwargs))


def dense():
    layers = [keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255)]
    layers += [keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model


def test_a_layer_that_helps_is_chosen():
    layer = roll()
    chooser = auto({"nothing": None, "roll": layer}).fit(*data(rolls))
    assert chooser.choice == "roll"
    assert chooser.layer is layer


@pytest.mark.once
def test_what_is_clearly_behind_is_not_judged_to_the_end():
    layers = {"nothing": None, "roll": roll(), "none": keras.layers.Identity()}
    chooser = auto(layers, folds=6).fit(*data(spots))
    assert chooser.choice == "nothing"
    assert [len(scores) for scores in chooser.scores.values()] == [6, 3, 6]
    mean = chooser.table().splitlines()[-3].split()
    assert mean[0] == "mean"
    assert len(mean) == 3  # of those that went on
    assert auto(layers, folds=6).fit(*data(spots)).scores == chooser.scores
    del layers["none"]
    chooser = auto(layers, folds=6).fit(*data(spots))
    assert [len(scores) for scores in chooser.scores.values()] == [3, 3]


@pytest.mark.parametrize("judge", [{}, {"classifier": dense, "steps": 60}])
def test_a_layer_that_harms_is_not_chosen(judge):
    chooser = auto({"roll": roll(), "nothing": None}, folds=2, **judge)
    assert chooser.fit(*data(spots)) is chooser
    assert chooser.choice == "nothing"
    assert isinstance(chooser.layer, keras.layers.Identity)
    assert np.mean(chooser.scores["nothing"]) > np.mean(chooser.scores["roll"])


def diverged():
    model = dense()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


def test_a_classifier_that_diverges_is_no_tie():
    chooser = auto(["nothing", "shift"], folds=2, classifier=diverged, steps=1)
    with pytest.raises(FloatingPointError, match=r"candidates=\['nothing', 'shift'\]"):
        chooser.fit(*data(spots))
    assert np.isnan(chooser.scores["nothing"]).all()


def test_what_a_backbone_sees_decides():
    def any_place(images):
        return np.sort(images.reshape(len(images), -1), axis=1)

    x, y = data()
    candidates = {"nothing": None, "roll": roll()}
    assert auto(candidates).fit(x, y).choice == "roll"
    assert auto(candidates, features=any_place).fit(x, y).choice == "nothing"


def test_pixels_of_large_pictures_in_colour_are_warned_of():
    y = np.repeat([0, 1], [3, 12])
    x = np.random.default_rng(0).integers(0, 256, (15, 34, 34, 3), "uint8")
    with pytest.warns(UserWarning, match="AutoAugmentation judges large pictures"):
        auto({"nothing": None}).fit(x, y)


@pytest.mark.once
def test_names_stand_for_layers_in_the_range_of_the_pixels():
    x, y = data(spots)
    x = (x / 255).astype("float32")
    chosen = {
        name: auto([name], folds=2).fit(x, y).layer
        for name in ("nothing", "shift", "flip", "manual", "elastic")
    }
    assert isinstance(chosen["nothing"], keras.layers.Identity)
    flip, chosen["flip"] = chosen["flip"].layers
    assert flip.mode == "horizontal"
    strengths = {
        "shift": (0, 0.04, 0),
        "flip": (0, 0.04, 0),
        "manual": (0.05, 0, 0),
        "elastic": (0.05, 0.07, 0.04),
    }
    photo = auto(["photo"], folds=2).fit(x, y).layer
    assert isinstance(photo, kb.layers.PhotoAugmentation)
    np.testing.assert_allclose(photo.value_range, (x.min(), x.max()), rtol=1e-6)
    for name, factors in strengths.items():
        layer = chosen[name]
        assert isinstance(layer, kb.layers.ManualAugmentation)
        assert factors == (
            layer.rotation_factor,
            layer.translation_factor,
            layer.elastic_factor,
        )
        np.testing.assert_allclose(layer.value_range, (x.min(), x.max()), rtol=1e-6)


def test_all_images_are_augmented_anew_in_each_epoch():
    sizes, drawn = [], []

    class Spy(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.generator = keras.random.SeedGenerator(0)

        def call(self, images, training=None):
            sizes.append(len(images))
            drawn.append(float(keras.random.uniform((), seed=self.generator)))
            return images

    x, y = data(spots, counts=(30, 30, 30, 30))
    auto({"spy": Spy()}, folds=2).fit(x, y)
    # Of one image it is built; then two folds of 60 images, four epochs each.
    assert sizes == [1] + 2 * 4 * [60]
    assert len(set(drawn[1:])) == 2 * 4


def test_small_batches_go_through_a_layer_together(monkeypatch):
    layer = kb.layers.ManualAugmentation(seed=0)
    seen = []
    before = type(layer).transform_images

    def spy(self, images, *args, **kwargs):
        seen.append(len(images))
        return before(self, images, *args, **kwargs)

    monkeypatch.setattr(type(layer), "transform_images", spy)
    x, y = data(spots, counts=(30, 30, 30, 30))
    auto({"own": layer}, folds=2).fit(x, y)
    # Of one image it is built; then two folds of 60 images, four epochs each.
    assert seen == [1] + 2 * [4 * 60]


@pytest.mark.parametrize(("steps", "batches"), [(60, 8), (9, 2), (None, 4)])
def test_the_judge_sees_as_many_images_as_the_steps_allow(steps, batches):
    sizes = []

    class Spy(keras.layers.Layer):
        def call(self, images, training=None):
            sizes.append(len(images))
            return images

    x, y = data(spots, counts=(30, 30, 30, 30))
    auto({"spy": Spy()}, folds=2, steps=steps).fit(x, y)
    # Eight images a step of a case of 60, whole batches; four epochs without steps.
    assert sizes == [1] + 2 * batches * [60]


@pytest.mark.once
def test_few_steps_choose_a_gentler_layer():
    x, y = kb.datasets.digits.load_data()[0]
    some = y < 4
    counts = {0: 8, 1: 40, 2: 40, 3: 40}
    x, y = kb.datasets.make_imbalance(x[some][..., None], y[some], counts, seed=0)
    gains = []
    for steps in (8, 100):
        chooser = auto(["nothing", "elastic"], folds=2, steps=steps).fit(x, y)
        assert steps > 8 or chooser.choice == "nothing"
        means = {name: np.mean(f1) for name, f1 in chooser.scores.items()}
        gains.append(means["elastic"] - means["nothing"])
    assert gains[0] < gains[1]


def test_the_seed_decides():
    x, y = data()
    scores = []
    for seed in (0, 0, 1):
        state = random.getstate()
        scores.append(auto({"a": None, "b": roll()}, seed=seed).fit(x, y).scores)
        assert random.getstate() == state
        keras.utils.set_random_seed(5)  # which must not matter
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.parametrize("encode", [np.asarray, np.eye(4).__getitem__])
def test_labels_are_as_the_user_writes_them(encode):
    x, y = data(spots)
    assert auto({"nothing": None}, folds=2).fit(x, encode(y)).choice == "nothing"


def test_balanced_images_are_judged_by_stratified_folds():
    chooser = auto({"nothing": None, "roll": roll()})
    chooser.fit(*data(rolls, counts=(20, 20, 20, 20)))
    assert np.shape(chooser.scores["roll"]) == (3, 4)
    assert "one of 3 held out" in chooser.table()


def test_where_nothing_can_be_measured_it_is_the_simplest():
    chooser = auto(["nothing", "elastic"], time_budget=0).fit(*data())
    assert chooser.choice == "nothing"
    assert chooser.scores == {"nothing": [], "elastic": []}


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"candidates": ["bagan"]}, ValueError, "names out of"),
        ({"candidates": []}, ValueError, "at least one"),
        ({"candidates": "manual"}, TypeError, "sequence of names"),
        ({"candidates": {"a": "manual"}}, TypeError, "Keras layers or None"),
        ({"candidates": {"a": np.fliplr}}, TypeError, "feed: .*kb.tuners.AutoSynth"),
        ({"folds": 1}, ValueError, "folds"),
        ({"steps": 0}, ValueError, "`steps` must be at least 1"),
        ({"features": len, "classifier": dense}, ValueError, "`features` must be None"),
        ({"steps": 1.5}, TypeError, "`steps` must be an integer"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match) as caught:
        AutoAugmentation(**arguments)
    assert "Received: " in str(caught.value)


def test_wrong_images():
    with pytest.raises(ValueError, match="Received: "):
        auto(["nothing"]).fit(np.zeros((4, 8, 8)), [0, 0, 0, 1])


@pytest.mark.once
def test_what_is_too_large_to_hold_is_read_again(monkeypatch, tmp_path):
    x, y = data()
    np.save(tmp_path / "x.npy", x)
    read = kb.data.LabelledImages.part

    def part(images, rows, in_memory=True):
        held.append(in_memory)
        return read(images, rows, in_memory)

    monkeypatch.setattr(kb.data.LabelledImages, "part", part)
    scores = []
    for most in (2**26, 0):
        held = []
        monkeypatch.setattr("keras_balance.auto.chooser._MOST_IN_MEMORY", most)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        scores.append(auto(["nothing"]).fit(mapped, y).scores)
        assert any(held) == (most > 0)
    assert scores[0] == scores[1]


@pytest.mark.once
def test_the_images_of_one_case_at_a_time_are_held(monkeypatch):
    y = np.repeat(np.arange(7), [2, *[6] * 6])  # two cases in a fold
    x = np.random.default_rng(0).integers(0, 256, (len(y), 8, 8, 1), "uint8")
    read, held, held_before = kb.data.LabelledImages.part, [], []

    def part(images, rows, in_memory=True):
        if in_memory:
            held_before.append(sum(image() is not None for image in held))
        some = read(images, rows, in_memory)
        if in_memory:
            held.append(weakref.ref(some))
        return some

    monkeypatch.setattr(kb.data.LabelledImages, "part", part)
    scores = auto(["nothing", "shift"]).fit(x, y).scores
    assert held_before == [0] * 6
    assert len(scores["shift"]) == 6
