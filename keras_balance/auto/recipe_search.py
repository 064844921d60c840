"""Successive halving over recipes: briefly, then in full, as long as it is open."""

import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.decision import paired_error, within_noise
from keras_balance.auto.recipe_trials import STRENGTHS
from keras_balance.metrics.adjustment import TAUS
from keras_balance.utils.priors import read_prior

BRIEF = 0.25  # of a training, which every recipe gets on one case
FINALISTS = 3  # at most so many are trained in full on the other cases
_NEARLY = 0.75  # of a full training: a brief one that is so long counts as one
_CLEARLY = 2  # errors of the paired difference from the best: more is out


class RecipeSearch:
    """Tries recipes on cases of the training data, the unpromising ones briefly.

    Recipes are compared by the mean log-likelihood of held-out images, each at its best
    strength: what is right by a hair and what is right by far count alike in F1, and of
    four images of a class that is all there is to see. But what has learnt its images
    by heart is too sure of all others, right or wrong: so of those to choose from, the
    ones that get fewer images right by more than the noise leave first.

    Args:
        recipes: dict of name to `Recipe`, from the simplest on.
        trainings: `Trainings`.
        target_prior: Shares of the classes that will be met, as `AutoBalance` takes
            them; `"natural"` is that of each case, in which a class may have been cut.
        progress: `Progress`.

    Attributes:
        trials: dict of round (`"brief"`, `"full"`) to dict of recipe to list, one a
            case, of what `Trainings.trial` gives.
        seconds: dict of recipe to the seconds of all its trials.
        cases: The cases that there were to try them on.

    Raises:
        FloatingPointError: From `run`, when every recipe gave probabilities that are
            NaN. One that did is not taken.
    """

    def __init__(self, recipes, trainings, target_prior, progress):
        self.recipes, self.trainings = recipes, trainings
        self.target_prior, self.progress = target_prior, progress
        self.trials = {"brief": {}, "full": {}}
        self.seconds = dict.fromkeys(recipes, 0.0)
        self.cases, self._finalists = [], []

    def run(self, cases):
        """Try the recipes; name of the one to take.

        Args:
            cases: List of `Case`: the first for all recipes, the others for the best.
        """
        self.cases = cases
        if self.trainings.kept.has(self._ended):
            self.progress.close()
        if not cases:  # a class is too small to hold anything out
            return self._choose()
        for name in self.recipes:
            if self._helped_alone(name):
                self._try("brief", name, cases, 0)
            else:
                self.progress.leave_out(("brief", name))
        finalists = self._finalists = self._best("brief", self.recipes)
        is_full = self._brief_is_full(cases[0])
        if is_full:
            self.trials["full"] = {n: list(self.trials["brief"][n]) for n in finalists}
        most = _most_in_full(self.recipes)
        for place in _full_cases(cases):
            open_ = self._best("full", finalists) if place > 1 else finalists
            if self.progress.is_over() and not any(
                self._is_kept("full", name, place) for name in open_
            ):
                break
            finalists = self._finalists = open_
            if len(finalists) == 1 or (is_full and place == 0):
                self.progress.leave_out(("full", place), most)
                continue
            self.progress.leave_out(("full", place), most - len(finalists))
            for name in finalists:
                self._try("full", name, cases, place)
        return self._choose()

    def end(self):
        """Keep that the search is over: again, so much time tries nothing new."""
        self.trainings.kept.get(self._ended, lambda: True)

    @property
    def _ended(self):
        return f"end-after-{self.progress.time_budget}"

    def _is_kept(self, round_, name, place):
        return self.trainings.kept.has(_key(round_, name, place))

    def _try(self, round_, name, cases, place):
        if self.progress.is_over() and not self._is_kept(round_, name, place):
            return
        result = self.trainings.trial(
            _key(round_, name, place),
            self.recipes[name],
            cases[place],
            self.target_prior,
            BRIEF if round_ == "brief" else 1.0,
        )
        self.trials[round_].setdefault(name, []).append(result)
        self.seconds[name] += result["seconds"]
        title = f"{cases[place].title}, {name}, {round_} training"
        self.progress.end(title, result["f1"].mean(axis=1).max())

    def tau(self, name):
        """Best strength of one recipe over its cases, by its longest trainings."""
        tried = self.trials["full"].get(name) or self.trials["brief"].get(name)
        if not tried:
            prior = read_prior(self.target_prior, self.trainings.images.counts)
            is_uniform = np.allclose(prior, prior[0])
            theory = self.trainings.tau_in_theory(self.recipes[name])
            return theory if is_uniform else 0.0
        return float(STRENGTHS[_best_strength(tried)])

    def of_images(self, round_, what="log_likelihood"):
        """Give what a round tells of images at the best strength, by recipe.

        Lists of `(n,)`, one array a case, of its held-out images.
        """
        tried = self.trials[round_]
        return {
            name: [one[what][_best_strength(tried[name])] for one in tried[name]]
            for name in self.recipes
            if name in tried
        }

    def macro_f1(self, round_):
        """Macro F1 of each recipe tried in a round, one a case, at its best `tau`."""
        found = {}
        for name in self.recipes:
            tried = self.trials[round_].get(name, [])
            if tried:
                place = np.argmin(np.abs(TAUS - STRENGTHS[_best_strength(tried)]))
                found[name] = np.array([one["f1"][place].mean() for one in tried])
        return found

    def errors(self):
        """Of each recipe tried in full, the error of its distance from the best."""
        compared = self._compared("full")
        best = max(compared.values(), key=np.mean, default=None)
        return {name: paired_error(best, found) for name, found in compared.items()}

    def longest(self):
        """Macro F1 of each recipe, one a case, in its longest trainings."""
        return self.macro_f1("brief") | self.macro_f1("full")

    def log_loss(self, round_):
        """Mean log-loss of each recipe that was tried in a round."""
        found = self.of_images(round_)
        return {name: -_mean(cases) for name, cases in found.items()}

    def accuracy(self):
        """Share of what will be met that each recipe gets right in long trainings."""
        found = self.of_images("brief", "right") | self.of_images("full", "right")
        return {name: _mean(cases) for name, cases in found.items()}

    def _helped_alone(self, name):
        """Whether a recipe is worth trying: what adds to a layer that helps alone."""
        recipe, tried = self.recipes[name], self.trials["brief"]
        if recipe.layer is None or recipe.mix is None:
            return True
        alone = {
            other
            for other in tried
            if self.recipes[other].layer == recipe.layer
            and self.recipes[other].mix is None
        }
        return not alone or bool(alone & {*self._still_open(tried, "brief")})

    def _still_open(self, names, round_):
        """Those of the names that were tried and are not clearly behind the best."""
        found = self._finite(round_)
        tried = [name for name in names if name in found]
        best = max(map(found.get, tried), key=_mean, default=None)
        return [n for n in tried if not _is_clearly_behind(best, found[n])]

    def _brief_is_full(self, case):
        steps = self.trainings.steps_on
        return steps(case.train, BRIEF) >= _NEARLY * steps(case.train)

    def _best(self, round_, names):
        """Those of the names that are best so far, and not clearly behind the best."""
        losses, open_ = self.log_loss(round_), self._still_open(names, round_)
        best = sorted(open_, key=losses.get)[:FINALISTS]
        return [name for name in open_ if name in best]

    def _choose(self):
        round_ = "full" if self._compared("full") else "brief"
        likely = self._compared(round_)
        if likely:
            often_right = within_noise(self._compared(round_, "right"))
            return within_noise({name: likely[name] for name in often_right})[0]
        left = [name for name in self.recipes if name not in self._diverged()]
        if not left:
            raise checks.diverged(f"each of recipes={list(self.recipes)}")
        return left[0]

    def _compared(self, round_, what="log_likelihood"):
        """Give what a round tells of the images of the cases that recipes share.

        In full trainings, those that the finalists share: where the time is over within
        a case, those who came to it do not win by that.
        """
        found = self._finite(round_, what)
        if round_ == "brief":
            return _on_shared_cases(found)
        diverged = self._diverged()
        finalists = [name for name in self._finalists if name not in diverged]
        return _on_shared_cases(found, finalists)

    def _finite(self, round_, what="log_likelihood"):
        """`of_images` of the recipes that never diverged."""
        diverged, found = self._diverged(), self.of_images(round_, what)
        return {name: found[name] for name in found if name not in diverged}

    def _diverged(self):
        return {
            name
            for tried in self.trials.values()
            for name, found in tried.items()
            if not all(np.isfinite(one["log_likelihood"]).all() for one in found)
        }


def _key(round_, name, place):
    return f"{round_}-{place}-of-{name}"


def course_of(recipes, cases):
    """Kinds of the trainings of a search in their order, for `Progress`."""
    if not cases:
        return []
    brief = [("brief", name) for name in recipes]
    each = range(_most_in_full(recipes))
    return brief + [("full", place) for place in _full_cases(cases) for _ in each]


def lengths_of(trainings, cases):
    """How long the trainings of each kind are beside each other, for `Progress`."""
    rows = cases[0].train if cases else slice(None)
    return {
        "brief": trainings.steps_on(rows, BRIEF),
        "full": trainings.steps_on(rows),
        "fold": trainings.steps_on(rows),
        "final": trainings.steps,
    }


def _full_cases(cases):
    """Places of the cases for full trainings: all but the first, if there are more."""
    return range(min(1, len(cases) - 1), len(cases))


def _most_in_full(recipes):
    return min(FINALISTS, len(recipes))


def _on_shared_cases(found, names=None):
    """Join what is told of images, `(n,)`, on the cases that all names were tried on.

    Of all recipes in `found` that were tried on as many; none without such cases.
    """
    names = found if names is None else names
    shared = min((len(found.get(name, [])) for name in names), default=0)
    if not shared:
        return {}
    return {
        name: np.concatenate(cases[:shared])
        for name, cases in found.items()
        if len(cases) >= shared
    }


def _is_clearly_behind(best, found):
    cases = min(len(best), len(found))  # of one, the time may be over
    best, found = np.concatenate(best[:cases]), np.concatenate(found[:cases])
    return best.mean() - found.mean() > _CLEARLY * paired_error(best, found)


def _mean(cases):
    return float(np.mean(np.concatenate(cases)))


def _best_strength(tried):
    """Place of the strength with the best mean over cases."""
    means = [one["log_likelihood"].mean(axis=1) for one in tried]
    return int(np.mean(means, axis=0).argmax())
