import json

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.auto import auto_balance, recipe_trials
from keras_balance.auto.head_recipes import HEADS, HeadTrainings, joined
from keras_balance.auto.recipes import RECIPES, Recipe
from keras_balance.data.sources import ArraySource
from keras_balance.models import FewShotClassifier
from keras_balance.models.few_shot import few_shot_classifier
from small_data import grey_images
from small_models import EAGERLY

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = (24, 24, 5)
FEW = {"plain": Recipe({}), "repeat": Recipe()}


def pictures(counts=COUNTS, seed=0):
    return grey_images(counts, dark=60, step=50, spread=25, seed=seed)


def build(classes=3, activation="softmax", loss="sparse_categorical_crossentropy"):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.1, seed=1),  # a backup on torch needs it
            keras.layers.Dense(classes, activation=activation),
        ]
    )
    # It has a state to lose, and its steps take half as long as Adam's.
    model.compile(keras.optimizers.SGD(0.02, 0.9), loss, run_eagerly=EAGERLY)
    return model


def fitted(x, y=None, epochs=2, **options):
    options = {"recipes": FEW, "batch_size": 36, "seed": 3, "verbose": 0} | options
    options.setdefault("build", build)
    return kb.AutoBalance(**options).fit(x, y, epochs=epochs)


@pytest.fixture(scope="module", autouse=True)
def three_cases():
    """So short a training would have seven."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recipe_trials, "_MOST_CASES", 3)
        yield


@pytest.fixture(scope="module")
def auto():
    return fitted(*pictures())


@pytest.fixture
def quick_heads(monkeypatch):
    """Heads of a few steps, on one case and two folds."""
    real = FewShotClassifier.compile

    def compile_eagerly(self, *args, **options):
        real(self, *args, run_eagerly=EAGERLY, **options)

    monkeypatch.setattr(FewShotClassifier, "compile", compile_eagerly)
    monkeypatch.setattr(few_shot_classifier, "_STEPS", 2)
    monkeypatch.setattr(few_shot_classifier, "_LEAST_EPOCHS", 1)
    monkeypatch.setattr(HeadTrainings, "cases", 1)
    monkeypatch.setattr(HeadTrainings, "folds", 2)


def test_the_model_is_trained_and_adjusted(auto, tmp_path):
    x, _ = pictures(seed=1)
    probabilities = auto.model.predict(x, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    auto.model.save(tmp_path / "model.keras")
    again = kb.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), probabilities, atol=1e-6)


def test_it_says_what_was_tried(auto):
    assert auto.choice in FEW
    assert auto.recipe is FEW[auto.choice]
    assert set(auto.scores) == set(FEW)
    table = auto.table()
    assert all(name in table for name in FEW)
    assert table.count("*") == 1
    assert "target_prior='natural'" in auto.advice
    assert 6 <= auto.cost <= 2 + 2 * 2 + 3 + 1


def test_its_picture_has_a_row_for_each_recipe_and_marks_the_chosen_one(auto):
    panel = auto.figure().axes[0]
    rows = panel.get_yticklabels()
    assert [row.get_text() for row in rows] == list(FEW)
    bold = [row.get_text() for row in rows if row.get_fontweight() == "bold"]
    assert bold == [auto.choice]


def test_the_code_makes_the_same_model(auto):
    x, y = pictures()
    names = {"x": x, "y": y, "build": build}
    exec(auto.code(), names)
    for own, pasted in zip(
        auto.model.get_weights(), names["model"].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(own, pasted)


@pytest.mark.once
@pytest.mark.parametrize("name", RECIPES)
def test_the_code_of_every_recipe_makes_its_model(name):
    x, y = pictures()
    if RECIPES[name].layer:
        x = np.repeat(x, 3, axis=-1)

    def make():
        model = keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=EAGERLY)
        return model

    # A single recipe wins whatever the trials say.
    auto = fitted(x, y, 1, build=make, recipes=[name], time_budget=0)
    assert auto.choice == name
    names = {"x": x, "y": y, "build": make}
    exec(auto.code(), names)
    for own, pasted in zip(
        auto.model.get_weights(), names["model"].get_weights(), strict=True
    ):
        # The pasted code is compiled, which may round otherwise.
        np.testing.assert_allclose(own, pasted, atol=1e-5)


def test_same_seed_same_model(auto):
    again = fitted(*pictures())
    assert again.table().split("seconds")[0] == auto.table().split("seconds")[0]
    for one, other in zip(
        again.model.get_weights(), auto.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_killed_anywhere_it_ends_with_the_same_model(auto, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    left = [0]
    real = recipe_trials.train

    def mortal(*args, **options):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(*args, **options)

    class Mortal(kb.callbacks.ResumableBackup):
        """Dies behind the first epoch of the last training, once."""

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            if epoch == 0 and not died:
                died.append(epoch)
                raise Killed

    died = []
    monkeypatch.setattr(recipe_trials, "ResumableBackup", Mortal)
    monkeypatch.setattr(recipe_trials, "train", mortal)
    runs = 0
    while True:
        left[0] = 3
        runs += 1
        try:
            ended = fitted(*pictures(), directory=tmp_path)
            break
        except Killed:
            continue
    assert runs > 2
    assert died
    for one, other in zip(
        ended.model.get_weights(), auto.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    wanted = ["What was tried", "Most confident misses of the class 2", "Every class"]
    assert all(text in page for text in [*wanted, ended.choice, "BalancedDataset("])
    assert page.count("data:image/png") >= 2
    assert 'src="http' not in page


@pytest.mark.parametrize("with_input", [True, False])
def test_a_last_training_behind_a_layer_is_gone_on_with(tmp_path, with_input):
    """Its model is built when a backup gives it its weights."""
    options = {"recipes": {"shift": Recipe({}, layer="shift")}, "time_budget": 0}
    options["build"] = build if with_input else without_input
    first = fitted(*pictures(), **options)
    # The last training ends, and is found at its end.
    for _ in range(2):
        again = fitted(*pictures(), directory=tmp_path, **options)
        for one, other in zip(
            first.model.get_weights(), again.model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def without_input():
    model = keras.Sequential(build().layers)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=EAGERLY)
    return model


@pytest.mark.once
def test_a_model_that_was_trained_before_is_refused():
    x, y = pictures()
    model = build()
    with pytest.raises(ValueError, match=r"`build\(\)` must return a new model each"):
        fitted(x, y, 1, build=lambda: model)
    shared = keras.layers.Dense(4)

    def sharing():
        model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
        model.add(shared)
        model.add(keras.layers.Dense(3, "softmax"))
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=EAGERLY)
        return model

    auto = kb.tuners.AutoAdjustment(sharing, folds=2, steps=1, seed=0, verbose=0)
    with pytest.raises(ValueError, match=r"`classifier\(\)` must .*dense.*kernel'"):
        auto.fit(x, y)
    shared.trainable = False
    assert auto.fit(x, y).tau is not None


@pytest.mark.once
def test_trials_that_are_kept_count_whatever_time_is_left(auto, tmp_path):
    first = fitted(*pictures(), directory=tmp_path)
    for budget in (0, None):
        again = fitted(*pictures(), directory=tmp_path, time_budget=budget)
        assert (again.choice, again.tau) == (first.choice, first.tau)
        assert again.scores.keys() == first.scores.keys() == FEW.keys()


@pytest.mark.once
def test_a_search_that_ended_tries_nothing_new_in_the_same_time(tmp_path, monkeypatch):
    options = {"directory": tmp_path, "time_budget": 1000}
    with monkeypatch.context() as patched:
        patched.setattr(auto_balance.Progress, "is_over", lambda *args: True)
        first = fitted(*pictures(), 1, **options)
    again = fitted(*pictures(), 1, **options)
    assert not first.scores
    assert not again.scores
    assert fitted(*pictures(), 1, **options | {"time_budget": 2000}).scores


@pytest.mark.once
def test_a_filling_that_diverges_is_not_taken():
    def fit(images, seed):
        raise FloatingPointError("a loss is NaN")

    kb.data.registry.register("diverging", fit, 60)
    try:
        recipes = {"bad": Recipe(synthesizer="diverging"), "plain": Recipe({})}
        assert fitted(*pictures(), 1, recipes=recipes).choice == "plain"
    finally:
        kb.data.registry.unregister("diverging")


@pytest.mark.once
def test_steps_of_a_models_own_are_not_passed_over():
    class Own(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    def own():
        plain = build()
        model = Own(plain.inputs, plain.outputs)
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=EAGERLY)
        return model

    options = {"build": own, "time_budget": 0}
    fitted(*pictures(), 1, **options)
    recipes = {"shift": Recipe({}, layer="shift")}
    with pytest.raises(ValueError, match="a `train_step` of its own"):
        fitted(*pictures(), 1, recipes=recipes, **options)


class Invert(keras.layers.Layer):
    def call(self, inputs, training=False):
        return 255.0 - inputs if training else inputs


@pytest.mark.once
def test_the_code_has_a_layer_of_the_users_by_its_name():
    x, y = pictures()
    kb.data.registry.register("invert", lambda images, seed: Invert(), 33, roles=())
    try:
        recipes = {"inverted": Recipe({}, layer="invert")}
        auto = fitted(x, y, 1, recipes=recipes, time_budget=0)
        scope = {"x": x, "y": y, "build": build}
        exec(auto.code(), scope)
    finally:
        kb.data.registry.unregister("invert")
    np.testing.assert_array_equal(
        scope["model"].get_weights()[0], auto.model.get_weights()[0]
    )


@pytest.mark.once
def test_another_search_does_not_get_its_folder(tmp_path):
    x, y = pictures()
    fitted(x, y, 1, directory=tmp_path, recipes={"plain": Recipe({})}, time_budget=0)
    assert "How good it is cannot be told" in (tmp_path / "report.html").read_text()
    with pytest.raises(ValueError, match="seed=3"):
        fitted(x, y, 1, directory=tmp_path, recipes={"plain": Recipe({})}, seed=4)
    assert json.loads((tmp_path / "setting.json").read_text())["seed"] == 3


@pytest.mark.once
def test_another_model_or_range_of_pixels_does_not_get_its_folder(tmp_path):
    x, y = pictures()
    options = {"directory": tmp_path, "recipes": ["plain"], "time_budget": 0}
    fitted(x, y, 1, **options)
    fitted(x, y, 1, **options)
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match=r"build=.*another model"):
        fitted(x, y, 1, build=lambda: build(3, None, logits), **options)
    wider = kb.data.LabelledImages(x, y, value_range=(0, 510))
    with pytest.raises(ValueError, match=r"value_range=\[0.0, 255.0\]"):
        fitted(wider, epochs=1, **options)


@pytest.mark.once
def test_without_a_seed_that_of_the_folder_is_taken(tmp_path):
    options = {"directory": tmp_path, "seed": None, "time_budget": 0}
    first, again = (fitted(*pictures(), 1, **options) for _ in range(2))
    assert again.seed == first.seed
    with pytest.raises(ValueError, match=f"seed={first.seed}"):
        fitted(*pictures(), 1, **options | {"seed": first.seed + 1})


@pytest.mark.once
def test_a_recipe_that_is_chosen_later_is_trained_itself(tmp_path, monkeypatch):
    recipes = {"plain": Recipe(), "repeat": Recipe("auto", mix="mixup")}
    options = {"recipes": recipes, "time_budget": 0}
    fitted(*pictures(), 1, directory=tmp_path, **options)
    monkeypatch.setattr(auto_balance.RecipeSearch, "run", lambda *args: "repeat")
    kept = fitted(*pictures(), 1, directory=tmp_path, **options)
    alone = fitted(*pictures(), 1, **options)
    assert kept.choice == "repeat"
    np.testing.assert_array_equal(
        kept.model.get_weights()[0], alone.model.get_weights()[0]
    )


@pytest.mark.once
def test_recipes_call_classes_as_the_labels_do():
    x, y = pictures()
    names = np.array(["cat", "dog", "eel"])[y]
    auto = fitted(x, names, 1, recipes={"some": Recipe({"eel": 12})}, time_budget=0)
    assert auto.recipe.sampling_strategy == {2: 12}
    scope = {"x": x, "y": names, "build": build}
    exec(auto.code(), scope)
    np.testing.assert_array_equal(
        scope["model"].get_weights()[0], auto.model.get_weights()[0]
    )


@pytest.mark.once
def test_recipes_are_checked_before_any_training():
    def never():
        raise AssertionError

    for wrong, message in (
        (Recipe({7: 40}), r"one of the classes.*7"),
        (Recipe(layer="elastik"), r"`layer` must be one of .*layer='elastik'"),
        (Recipe(layer="auto"), r"`layer` must be one that does not choose"),
        (Recipe(synthesizer="smoote"), r"`synthesizer` must be one of .*'smoote'"),
    ):
        recipes = {"plain": Recipe({}), "some": wrong}
        with pytest.raises(ValueError, match=message):
            fitted(*pictures(), build=never, recipes=recipes)
    with pytest.raises(TypeError, match="`layer` must be the name of a Keras layer"):
        fitted(*pictures(), 1, recipes={"a": Recipe(layer="smote")}, time_budget=0)
    with pytest.raises(ValueError, match="`mix` must be one of"):
        Recipe(mix="mixap")
    with pytest.raises(ValueError, match="`tau` must be a finite number"):
        Recipe(tau=-1)


@pytest.mark.once
def test_numbers_of_numpy_in_a_recipe_are_kept(tmp_path):
    recipe = Recipe({np.int64(2): np.int64(9)}, tau=np.float32(0.5))
    options = {"recipes": {"some": recipe}, "directory": tmp_path, "time_budget": 0}
    for _ in range(2):
        auto = fitted(*pictures(), 1, **options)
    assert "sampling_strategy={2: 9}" in auto.code()
    assert "tau=0.5" in auto.code()


def test_before_fit_there_is_nothing_to_tell():
    auto = kb.AutoBalance(seed=0)
    for tell in (auto.table, auto.why, auto.figure, auto.code):
        with pytest.raises(RuntimeError, match="`fit` first"):
            tell()


def of_logits(y, outputs):
    return keras.losses.sparse_categorical_crossentropy(y, outputs, from_logits=True)


@pytest.mark.once
@pytest.mark.parametrize("as_list", [False, True])
def test_logits_are_known_whatever_the_loss(as_list):
    known = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    other = [known] if as_list else of_logits
    options = {"recipes": ["square root"], "epochs": 1}
    whole, found = (
        fitted(*pictures(), build=lambda loss=loss: build(3, None, loss), **options)
        for loss in (known, other)
    )
    assert found.scores["square root"].tolist() == whole.scores["square root"].tolist()
    assert "from_logits=True)" in found.code()


@pytest.mark.once
def test_strings_as_labels():
    x, y = pictures()
    names = np.array(["cat", "dog", "ship"])[y]
    auto = fitted(x, names, 1, time_budget=0)
    assert auto.model.predict(x[:2], verbose=0).shape == (2, 3)
    assert "np.unique(y, return_inverse=True)" in auto.code()
    scope = {"x": x, "y": names, "build": build}
    exec(auto.code(), scope)
    np.testing.assert_array_equal(
        scope["model"].get_weights()[0], auto.model.get_weights()[0]
    )


def test_two_classes_and_one_sigmoid_output():
    x, y = pictures((30, 6))

    def make():
        return build(1, "sigmoid", "binary_crossentropy")

    auto = fitted(x, y.astype("float32")[:, None], 1, build=make)
    probabilities = auto.model.predict(x, verbose=0)
    assert probabilities.shape in ((36, 1), (36, 2))


@pytest.mark.parametrize("names", [np.arange(3), np.array(["cat", "dog", "ship"])])
def test_a_balanced_dataset_is_taken(names):
    x, y = pictures()
    dataset = kb.BalancedDataset(x, names[y], seed=0)
    auto = fitted(dataset, epochs=1, time_budget=0)
    assert auto.choice == "plain"
    assert auto.class_names == names.tolist()
    scope = {"x": dataset, "build": build}
    exec(auto.code(), scope)
    np.testing.assert_array_equal(
        scope["model"].get_weights()[0], auto.model.get_weights()[0]
    )


def test_it_says_how_many_recipes_were_tried(auto):
    assert "tried" not in auto.why()
    hurried = fitted(*pictures(), 1, time_budget=0)
    assert "there was no time to try any" in hurried.why()
    hurried.scores = {"plain": None}
    assert "noise, of the 1 of 2 that were tried" in hurried.why()


@pytest.mark.once
def test_another_number_of_outputs_is_named():
    with pytest.raises(ValueError, match=r"`build\(\)` must give 3 numbers"):
        fitted(*pictures(), 1, build=lambda: build(4))


@pytest.mark.once
def test_without_time_the_simplest_is_trained():
    auto = fitted(*pictures(), 1, time_budget=0)
    assert (auto.choice, auto.cost, auto.tau) == ("plain", 1, 1)
    # The last layer, trained anew, knows of no balance, whatever the feed.
    for make in (build, without_input):
        options = {"recipes": ["repeat"], "time_budget": 0, "build": make}
        assert fitted(*pictures(), 1, **options).tau == 1


@pytest.mark.once
def test_a_class_of_one_image():
    auto = fitted(*pictures((24, 24, 1)), 1)
    assert auto.model is not None


@pytest.mark.parametrize(
    ("head", "counts", "prior"),
    [
        ("few shots", COUNTS, "natural"),
        ("plain", COUNTS, [0.2, 0.3, 0.5]),
        ("plain", (30, 6), "uniform"),
        ("both", COUNTS, "uniform"),
    ],
)
@pytest.mark.usefixtures("quick_heads", "blank_pictures")
def test_a_pretrained_backbone(head, counts, prior, monkeypatch, tmp_path):
    monkeypatch.setattr(auto_balance, "HEADS", {head: HEADS[head]})
    backbone = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Rescaling(0.01), keras.layers.Flatten()]
    )
    x, y = pictures(counts)
    options = {"features": backbone, "target_prior": prior, "seed": 0, "verbose": 0}
    auto = kb.AutoBalance(directory=tmp_path, **options).fit(x, y)
    assert auto.choice == head
    assert "Every class" in (tmp_path / "report.html").read_text(encoding="utf-8")
    probabilities = auto.model.predict(x, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    names = {"x": x, "y": y, "backbone": backbone}
    exec(auto.code(), names)
    np.testing.assert_allclose(
        names["model"].predict(x, verbose=0), probabilities, atol=1e-4
    )
    feed = kb.BalancedDataset(x, y, seed=0)
    auto = kb.AutoBalance(directory=tmp_path, **options).fit(feed)
    assert "LabelledImages.read(x)" in auto.code()
    names = {"x": feed, "backbone": backbone}
    exec(auto.code(), names)
    np.testing.assert_allclose(
        names["model"].predict(x, verbose=0), probabilities, atol=1e-4
    )
    if head == "both":
        auto.model.save(tmp_path / "model.keras")
        again = kb.models.load_model(tmp_path / "model.keras")
        loaded = again.predict(x, verbose=0)
        np.testing.assert_allclose(loaded, probabilities, atol=1e-5)


@pytest.mark.once
@pytest.mark.usefixtures("quick_heads")
def test_a_backbone_never_looks_at_all_images_at_once(monkeypatch):
    backbone = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    read, slices = ArraySource.__getitem__, []

    def noted(self, rows):
        slices.append(rows)
        return read(self, rows)

    monkeypatch.setattr(ArraySource, "__getitem__", noted)
    kb.AutoBalance(features=backbone, seed=0, verbose=0).fit(*pictures())
    assert slice(0, 32) in slices
    assert slice(None) not in slices


@pytest.mark.once
@pytest.mark.usefixtures("quick_heads")
def test_plain_training_is_a_head_to_choose(monkeypatch, tmp_path):
    backbone = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    options = {"features": backbone, "seed": 0, "directory": tmp_path, "verbose": 0}
    x, y = pictures()
    names = np.array(["cat", "dog", "ship"])[y]
    auto = kb.AutoBalance(**options).fit(x, names)
    assert set(auto.scores) == set(HEADS)
    assert auto.table().count("*") == 1
    assert auto.cost == len(HEADS) + 2 + 1
    assert auto.class_names == ["cat", "dog", "ship"]
    assert len(auto.figure().axes[0].get_yticklabels()) == len(HEADS)
    assert "np.unique(y, return_inverse=True)" in auto.code()

    def never(*args):
        raise AssertionError

    monkeypatch.setattr(HeadTrainings, "_predictions", never)
    assert kb.AutoBalance(**options).fit(x, names).tau == auto.tau


def test_two_heads_are_joined_in_the_world_of_the_training_data():
    rng, counts = np.random.default_rng(0), np.array([20, 20, 4])
    backbone = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    few_shots = FewShotClassifier(backbone, 3, seed=0)
    linear = keras.layers.Dense(3, activation="softmax")
    rows = rng.normal(size=(5, 4)).astype("float32")
    plain = keras.ops.convert_to_numpy(linear(rows))
    natural = keras.ops.convert_to_numpy(few_shots.head(rows)) * counts
    both = np.sqrt(plain * natural / natural.sum(axis=1, keepdims=True))
    found = keras.ops.convert_to_numpy(joined(linear, few_shots, counts)(rows))
    wanted = both / both.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


@pytest.mark.once
def test_two_classes_of_which_one_is_too_small_to_hold_out():
    auto = fitted(*pictures((5, 1)), 1, build=lambda: build(2))
    assert (auto.choice, auto.cost) == ("plain", 1)
    assert "'plain' is the simplest; a class has too few images" in auto.why()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": 1, "build": build}, ValueError, "`features` must be None"),
        ({"features": np.ravel}, TypeError, "`features` must be a Keras model"),
        ({"recipes": ["magic"]}, ValueError, "'magic'"),
        ({"recipes": {"a": "repeat"}}, TypeError, "`kb.tuners.Recipe`"),
        ({"recipes": {}}, TypeError, "at least one"),
        ({"recipes": {1: Recipe()}}, TypeError, "with the name 1"),
        ({"build": "convnet"}, TypeError, "`build` must be a function"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"time_budget": -1}, ValueError, "time_budget=-1"),
        ({"directory": 3}, TypeError, "directory=3"),
        ({"target_prior": "natual"}, ValueError, "target_prior='natual'"),
        ({"target_prior": [1, -1]}, ValueError, r"target_prior=\[1, -1\]"),
        ({"seed": "a"}, TypeError, "seed='a'"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        kb.AutoBalance(**options)
