"""Successive halving over recipes: all of them briefly, the best ones in full."""

import numpy as np

from keras_balance.auto.decision import paired_error, simplest_within_noise
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

    def _finalists(self):
        brief = {name: scores.mean() for name, scores in self.macro_f1("brief").items()}
        best = sorted(brief, key=brief.get, reverse=True)[:FINALISTS]
        return [name for name in self.recipes if name in best]

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
    brief = [("brief", name) for name in recipes]
    finalists = range(min(FINALISTS, len(recipes)))
    return brief + [("full", place) for _ in _full_cases(cases) for place in finalists]


def _full_cases(cases):
    """Places of the cases for full trainings: all but the first, if there are more."""
    return range(min(1, len(cases) - 1), len(cases))


def _best_tau(scores):
    """Place of the strength with the best mean over cases and classes."""
    return int(np.mean(scores, axis=(0, 2)).argmax())


def _as_text(values):
    return "" if values is None else f"{np.mean(values):.4f}"
