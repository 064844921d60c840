"""Successive halving over recipes: briefly, then in full, as long as it is open."""

import numpy as np

from keras_balance.auto.decision import paired_error, simplest_within_noise
from keras_balance.metrics.adjustment import TAUS
from keras_balance.utils import plots
from keras_balance.utils.tables import text_table

BRIEF = 0.25  # of a training, which every recipe gets on one case
FINALISTS = 3, 2  # at most so many are trained in full on a second, a third case
_CLEARLY = 2  # errors of the paired difference from the best: more is out
_GAINING = 0.01  # macro F1, faster than the chosen one


class RecipeSearch:
    """Tries recipes on cases of the training data, the unpromising ones briefly.

    Args:
        recipes: dict of name to `Recipe`, from the simplest on.
        trainings: `Trainings`.
        prior: float array `(num_classes,)`, shares of the classes that will be met.
        progress: `Progress`.

    Attributes:
        scores: dict of round (`"brief"`, `"full"`) to dict of recipe to list, one a
            case, of the F1 of its classes at each of `TAUS`.
        seconds: dict of recipe to the seconds of all its trials.
    """

    def __init__(self, recipes, trainings, prior, progress):
        self.recipes, self.trainings = recipes, trainings
        self.prior, self.progress = prior, progress
        self.scores = {"brief": {}, "full": {}}
        self.seconds = dict.fromkeys(recipes, 0.0)

    def run(self, cases):
        """Try the recipes; name of the one to take.

        Args:
            cases: List of `Case`: the first for all recipes, the others for the best.
        """
        if not cases:  # a class is too small to hold anything out
            return self._choose()
        for name in self.recipes:
            if self._helped_alone(name):
                self._try("brief", name, cases, 0)
            else:
                self.progress.leave_out(("brief", name))
        finalists = self._best("brief", self.recipes, FINALISTS[0])
        is_full = self._brief_is_full(cases[0])
        if is_full:
            self.scores["full"] = {n: list(self.scores["brief"][n]) for n in finalists}
        for place, most in _full_cases(cases, len(self.recipes)):
            if place > 1:
                finalists = self._best("full", finalists, most)
            if len(finalists) == 1 or (is_full and place == 0):
                self.progress.leave_out(("full", place), most)
                continue
            self.progress.leave_out(("full", place), most - len(finalists))
            for name in finalists:
                self._try("full", name, cases, place)
        return self._choose()

    def _try(self, round_, name, cases, place):
        if self.progress.is_over:
            return
        result = self.trainings.trial(
            f"{round_}-{place}-of-{name}",
            self.recipes[name],
            cases[place],
            self.prior,
            BRIEF if round_ == "brief" else 1.0,
        )
        self.scores[round_].setdefault(name, []).append(result["f1"])
        self.seconds[name] += result["seconds"]
        title = f"{cases[place].title}, {name}, {round_} training"
        self.progress.end(title, result["f1"].mean(axis=1).max())

    def tau(self, name):
        """Best strength of one recipe over its cases, by its longest trainings."""
        scores = self.scores["full"].get(name) or self.scores["brief"].get(name)
        if not scores:
            is_uniform = np.allclose(self.prior, 1 / len(self.prior))
            return self.recipes[name].tau_in_theory if is_uniform else 0.0
        return float(TAUS[_best_tau(scores)])

    def class_f1(self, round_):
        """F1 of each recipe tried in a round at its best `tau`: `(cases, classes)`."""
        tried = self.scores[round_]
        return {
            name: np.stack([one[_best_tau(tried[name])] for one in tried[name]])
            for name in self.recipes
            if name in tried
        }

    def macro_f1(self, round_):
        """Macro F1 of each recipe tried in a round, one a case, at its best `tau`."""
        return {name: f1.mean(axis=1) for name, f1 in self.class_f1(round_).items()}

    def errors(self):
        """Of each recipe tried in full, the error of its distance from the best."""
        compared = self._compared()
        best = max(compared.values(), key=np.mean, default=None)
        return {name: paired_error(best, f1) for name, f1 in compared.items()}

    def longest(self):
        """Macro F1 of each recipe, one a case, in its longest trainings."""
        return self.macro_f1("brief") | self.macro_f1("full")

    def table(self, choice):
        """Give what was tried as text; `*` marks the chosen recipe."""
        brief, full = self.macro_f1("brief"), self.macro_f1("full")
        errors = self.errors()
        rows = [
            [
                name,
                _as_text(brief.get(name)),
                _as_text(full.get(name)),
                _as_text(errors.get(name)),
                f"{self.tau(name):.1f}" if name in brief else "",
                f"{self.seconds[name]:.0f}",
                "*" * (name == choice),
            ]
            for name in self.recipes
        ]
        titles = ["recipe", "brief", "full", "error", "tau", "seconds", "chosen"]
        return text_table(titles, rows)

    def figure(self, choice):
        """Draw what was tried; the chosen recipe is marked."""
        titles = {"brief": "brief trainings", "full": "full trainings"}
        names, series = list(self.recipes), {}
        for round_, title in titles.items():
            found = self.macro_f1(round_)
            errors = self.errors() if round_ == "full" else {}
            means = [np.mean(found.get(name, np.nan)) for name in names]
            series[title] = means, [errors.get(name, np.nan) for name in names]
        xlabel = (
            "macro F1 on cases of the training data; bars: of the distance to the best"
        )
        return plots.marked_rows(series, names, names.index(choice), xlabel)

    def advice(self, choice):
        """Name a stronger finalist that more steps may put ahead, or nothing."""
        brief, full = self.macro_f1("brief"), self.macro_f1("full")
        gains = {n: full[n].mean() - brief[n].mean() for n in full if n in brief}
        names = list(self.recipes)
        later = [n for n in gains if names.index(n) > names.index(choice)]
        ahead = [n for n in later if gains[n] > gains.get(choice, np.inf) + _GAINING]
        if not ahead:
            return ""
        name = max(ahead, key=gains.get)
        return f"More epochs may do better: {name!r} was still gaining.\n"

    def _helped_alone(self, name):
        """Whether a recipe is worth trying: what adds to a layer that helps alone."""
        recipe, tried = self.recipes[name], self.scores["brief"]
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
        """Those of the names that are not clearly behind the best of them so far."""
        found = self.class_f1(round_)
        tried = [found[name] for name in names if name in found]
        best = max(tried, key=np.mean, default=None)
        return [
            name
            for name in names
            if name not in found or not _is_clearly_behind(best, found[name])
        ]

    def _brief_is_full(self, case):
        steps = self.trainings.steps_on
        return steps(case.train, BRIEF) == steps(case.train)

    def _best(self, round_, names, most):
        """Those of the names that are best so far, and not clearly behind the best."""
        means = {name: f1.mean() for name, f1 in self.macro_f1(round_).items()}
        tried = [name for name in names if name in means]
        best = sorted(tried, key=means.get, reverse=True)[:most]
        return [name for name in self._still_open(tried, round_) if name in best]

    def _choose(self):
        compared = self._compared() or self.class_f1("brief")
        if not compared:
            return next(iter(self.recipes))
        return simplest_within_noise(compared)

    def _compared(self):
        """F1 of the recipes that were tried in full on the most cases."""
        full = self.class_f1("full")
        most = max(map(len, full.values()), default=0)
        return {name: f1 for name, f1 in full.items() if len(f1) == most}


def course_of(recipes, cases):
    """Kinds of the trainings of a search in their order, for `Progress`."""
    if not cases:
        return []
    brief = [("brief", name) for name in recipes]
    cases = _full_cases(cases, len(recipes))
    return brief + [("full", place) for place, most in cases for _ in range(most)]


def lengths_of(trainings, cases):
    """How long the trainings of each kind are beside each other, for `Progress`."""
    rows = cases[0].train if cases else slice(None)
    return {
        "brief": trainings.steps_on(rows, BRIEF),
        "full": trainings.steps_on(rows),
        "fold": trainings.steps_on(rows),
        "final": trainings.steps,
    }


def _full_cases(cases, number):
    """Places of the cases for full trainings, and how many recipes get them, at most.

    All but the first case, if there are more.
    """
    places = range(min(1, len(cases) - 1), len(cases))
    return [
        (place, min(most, number))
        for place, most in zip(places, FINALISTS, strict=False)
    ]


def _is_clearly_behind(best, f1):
    cases = min(len(best), len(f1))  # of one, the time may be over
    best, f1 = best[:cases], f1[:cases]
    return best.mean() - f1.mean() > _CLEARLY * paired_error(best, f1)


def _best_tau(scores):
    """Place of the strength with the best mean over cases and classes."""
    return int(np.mean(scores, axis=(0, 2)).argmax())


def _as_text(values):
    return "" if values is None else f"{np.mean(values):.4f}"
