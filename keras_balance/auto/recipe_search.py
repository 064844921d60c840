"""Successive halving over recipes: all of them briefly, the best ones in full."""

import numpy as np

from keras_balance.auto.decision import simplest_near_the_best, standard_error
from keras_balance.metrics.adjustment import TAUS
from keras_balance.utils import plots
from keras_balance.utils.tables import text_table

# Share of the steps that all recipes get, on one case, and the full ones of a few.
BRIEF = 0.4
FINALISTS = 3
LENGTHS = {"brief": BRIEF, "full": 1.0, "fold": 1.0, "final": 1.0}  # of a training
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
            case, of the macro F1 at each of `TAUS`.
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
        for name in self.recipes:
            self._try("brief", name, cases, 0)
        finalists = self._finalists()
        for place in _full_cases(cases):
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
        macro_f1 = result["f1"].mean(axis=1)
        self.scores[round_].setdefault(name, []).append(macro_f1)
        self.seconds[name] += result["seconds"]
        title = f"{cases[place].title}, {name}, {round_} training"
        self.progress.end(title, macro_f1.max())

    def tau(self, name):
        """Best strength of one recipe over its cases, by its longest trainings."""
        scores = self.scores["full"].get(name) or self.scores["brief"].get(name)
        return float(TAUS[np.mean(scores, axis=0).argmax()]) if scores else 1.0

    def macro_f1(self, round_):
        """Macro F1 of each recipe tried in a round, one a case, at its best `tau`."""
        found = {}
        for name in self.recipes:
            scores = self.scores[round_].get(name)
            if scores:
                best = np.mean(scores, axis=0).argmax()
                found[name] = np.array([one[best] for one in scores])
        return found

    def longest(self):
        """Macro F1 of each recipe, one a case, in its longest trainings."""
        return self.macro_f1("brief") | self.macro_f1("full")

    def table(self, choice):
        """Give what was tried as text; `*` marks the chosen recipe."""
        brief, full = self.macro_f1("brief"), self.macro_f1("full")
        rows = [
            [
                name,
                _as_text(brief.get(name), np.mean),
                _as_text(full.get(name), np.mean),
                _as_text(_several(full.get(name)), standard_error),
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
        series = {
            title: self._means_and_errors(round_) for round_, title in titles.items()
        }
        names = list(self.recipes)
        return plots.marked_rows(
            series, names, names.index(choice), "macro F1 on cases of the training data"
        )

    def _means_and_errors(self, round_):
        found = self.macro_f1(round_)
        shown = np.full((2, len(self.recipes)), np.nan)
        for place, name in enumerate(self.recipes):
            if name in found:
                shown[:, place] = found[name].mean(), standard_error(found[name])
        return shown

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

    def _finalists(self):
        brief = {name: scores.mean() for name, scores in self.macro_f1("brief").items()}
        best = sorted(brief, key=brief.get, reverse=True)[:FINALISTS]
        return [name for name in self.recipes if name in best]

    def _choose(self):
        full = self.macro_f1("full")
        most = max(map(len, full.values()), default=0)
        compared = {
            name: scores for name, scores in full.items() if len(scores) == most
        }
        compared = compared or self.macro_f1("brief")
        if not compared:
            return next(iter(self.recipes))
        return simplest_near_the_best(compared)


def course_of(recipes, cases):
    """Kinds of the trainings of a search in their order, for `Progress`."""
    brief = [("brief", name) for name in recipes]
    finalists = range(min(FINALISTS, len(recipes)))
    return brief + [("full", place) for _ in _full_cases(cases) for place in finalists]


def _full_cases(cases):
    """Places of the cases for full trainings: all but the first, if there are more."""
    return range(min(1, len(cases) - 1), len(cases))


def _several(values):
    return values if values is not None and len(values) > 1 else None


def _as_text(values, summary):
    return "" if values is None else f"{summary(values):.4f}"
