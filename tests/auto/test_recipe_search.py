import types

import numpy as np
import pytest

from keras_balance.auto import search_report
from keras_balance.auto.kept import Kept
from keras_balance.auto.progress import Progress
from keras_balance.auto.recipe_search import RecipeSearch, course_of, lengths_of
from keras_balance.auto.recipe_trials import STRENGTHS
from keras_balance.auto.recipes import RECIPES, Recipe
from keras_balance.metrics.adjustment import TAUS

pytestmark = pytest.mark.once

CLASSES, IMAGES = 6, 6
CASES = [types.SimpleNamespace(train=np.arange(40), title=f"{c}") for c in range(3)]


class Trainings:
    """Gives the log-likelihoods of a table; writes down what is asked for."""

    steps = 900

    def __init__(self, found, brief=0.25):
        self.found, self.brief, self.asked = found, brief, []
        self.kept = Kept(None, {})

    def steps_on(self, rows, share=1.0):
        return 600 * (1.0 if share == 1 else self.brief)

    def trial(self, name, recipe, case, prior, share):
        round_, place, recipe = name.replace("-of", "").split("-")
        self.asked.append((round_, int(place), recipe))
        rng = np.random.default_rng([int(place), *recipe.encode()])
        noise = rng.permutation(np.repeat([0.01, -0.01], IMAGES // 2))
        mean = np.full((len(STRENGTHS), IMAGES), self.found.get(recipe, -0.5))
        mean[3] += 0.001  # the best strength
        f1 = np.full((len(TAUS), CLASSES), 0.5)
        right = np.ones_like(mean)
        return {
            "f1": f1,
            "log_likelihood": mean + noise,
            "right": right,
            "seconds": 1.0,
        }


def searched(found, recipes=None, brief=0.25, cases=CASES):
    trainings = Trainings(found, brief)
    recipes = RECIPES if recipes is None else recipes
    course = [*course_of(recipes, cases), ("final", 0)]
    progress = Progress(course, np.inf, 0, lengths_of(trainings, cases))
    prior = np.full(CLASSES, 1 / CLASSES)
    search = RecipeSearch(recipes, trainings, prior, progress)
    choice = search.run(cases)
    # What was left out is not waited for.
    assert progress.plan[len(trainings.asked) :] == [("final", 0)]
    return choice, trainings.asked, search


def test_the_three_best_are_trained_in_full_on_the_other_cases():
    found = {"repeat": -0.2, "square root": -0.195, "mixup": -0.195}
    choice, asked, search = searched(found)
    full = [(place, name) for round_, place, name in asked if round_ == "full"]
    assert full == [(place, name) for place in (1, 2) for name in found]
    assert choice in found
    assert "*" in search_report.table(search, choice)


def test_what_is_clearly_behind_is_not_trained_on():
    found = {"repeat": -0.2, "square root": -0.195, "mixup": -0.3}
    choice, asked, _ = searched(found)
    assert choice in ("repeat", "square root")
    assert ("full", 1, "mixup") not in asked
    assert asked[-1] == ("full", 2, "square root")
    # One that is ahead of all others needs no other case.
    choice, asked, _ = searched({"shift": -0.1})
    assert choice == "shift"
    assert {round_ for round_, _, _ in asked} == {"brief"}


def test_what_mixes_behind_a_layer_waits_for_the_layer_alone():
    mixed = {"photo, mixup", "photo, cutmix"}
    _, asked, _ = searched({"repeat": -0.2})
    assert not mixed & {name for _, _, name in asked}
    _, asked, _ = searched({"repeat": -0.2, "photo": -0.2, "photo, mixup": -0.2})
    assert mixed < {name for _, _, name in asked}
    # Without the layer alone, nothing is known of it.
    recipes = {"repeat": Recipe(), "photo, mixup": RECIPES["photo, mixup"]}
    assert len(searched({"repeat": -0.1}, recipes)[1]) == 2


@pytest.mark.parametrize("brief", [0.8, 1.0])
def test_brief_trainings_that_are_nearly_full_ones_count_as_such(brief):
    found = {"repeat": -0.2, "square root": -0.2, "mixup": -0.2}
    _, asked, search = searched(found, brief=brief)
    alone = [name for name in RECIPES if not name.startswith("photo, ")]
    assert len(asked) == len(alone) + 3 + 3
    lengths = [len(found) for found in search.trials["full"].values()]
    assert sorted(lengths) == [3, 3, 3]
    search = searched(found, brief=0.7)[2]
    lengths = [len(found) for found in search.trials["full"].values()]
    assert sorted(lengths) == [2, 2, 2]


def test_what_gets_fewer_images_right_is_not_taken_however_likely_it_found_them():
    class Wavering(Trainings):
        """`plain` misses some images of each full training, and doubts the others."""

        missed = 0

        def trial(self, name, *args):
            result = super().trial(name, *args)
            if name.startswith("full") and name.endswith("plain"):
                result["right"][:, : self.missed] = 0
            return result

    recipes = {"plain": Recipe({}), "repeat": Recipe()}
    for missed, choice in ((0, "plain"), (1, "repeat"), (4, "repeat")):
        trainings = Wavering({"plain": -0.2, "repeat": -0.2002})
        trainings.missed = missed
        progress = Progress(course_of(recipes, CASES), np.inf, 0)
        prior = np.full(CLASSES, 1 / CLASSES)
        search = RecipeSearch(recipes, trainings, prior, progress)
        assert search.run(CASES) == choice
        assert search.accuracy()["plain"] == pytest.approx(1 - missed / IMAGES)


def test_without_a_case_the_simplest_is_taken():
    assert searched({}, cases=[])[:2] == ("plain", [])


class Hurried(Progress):
    """Its time is over after so many trainings."""

    def __init__(self, plan, trainings):
        super().__init__(plan, np.inf, 0)
        self.left = trainings

    def is_over(self, begun=0):
        return len(self._took) >= self.left


@pytest.mark.parametrize("left", range(2, 9))
def test_time_that_ends_within_a_case_is_no_lead(left):
    """`plain` comes first, looks as good in brief, and is behind in full."""

    class Changing(Trainings):
        def trial(self, name, *args):
            result = super().trial(name, *args)
            found = np.full(IMAGES, -0.2)
            if name.startswith("full") and name.endswith("plain"):
                # Behind by more than one error, and by less than two.
                found += 0.0015 * np.resize([1, -1], IMAGES) - 0.001
            found = np.broadcast_to(found, (len(STRENGTHS), IMAGES))
            return {**result, "log_likelihood": found}

    cases = [*CASES, *CASES[:1]]
    recipes = {"plain": Recipe({}), "repeat": Recipe()}
    progress = Hurried(course_of(recipes, cases), left)
    search = RecipeSearch(
        recipes, Changing({}), np.full(CLASSES, 1 / CLASSES), progress
    )
    assert search.run(cases) == ("repeat" if left >= 4 else "plain")


NAN = float("nan")


def test_a_recipe_that_diverged_is_not_taken():
    found = {"plain": NAN, "repeat": -0.2, "square root": -0.195, "photo": NAN}
    choice, asked, search = searched(found)
    assert choice in ("repeat", "square root")
    assert "photo, mixup" not in {name for _, _, name in asked}
    table = search_report.table(search, choice)
    row = next(line for line in table.splitlines() if "plain" in line)
    assert "nan" in row
    assert search_report.figure(search, choice) is not None


def test_where_all_diverged_an_error_names_them():
    with pytest.raises(FloatingPointError, match=r"recipes=\['plain', 'repeat'\]"):
        searched(
            {"plain": NAN, "repeat": NAN}, {"plain": Recipe({}), "repeat": Recipe()}
        )
