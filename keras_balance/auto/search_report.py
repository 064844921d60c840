"""What a `RecipeSearch` has found: a table, a picture, and a word of advice."""

import numpy as np

from keras_balance.utils import plots
from keras_balance.utils.tables import text_table

_GAINING = 0.01  # macro F1, faster than the chosen one


def table(search, choice):
    """Give what was tried as text; `*` marks the chosen recipe."""
    brief, full = search.log_loss("brief"), search.log_loss("full")
    columns = brief, full, search.errors(), search.accuracy(), search.longest()
    rows = [
        [
            name,
            *(_as_text(found.get(name)) for found in columns),
            f"{search.tau(name):.2f}" if name in brief else "",
            f"{search.seconds[name]:.0f}",
            "*" * (name == choice),
        ]
        for name in search.recipes
    ]
    titles = ["recipe", "brief", "full", "error", "accuracy", "macro f1"]
    return text_table([*titles, "tau", "seconds", "chosen"], rows)


def figure(search, choice):
    """Draw what was tried; the chosen recipe is marked."""
    titles = {"brief": "brief trainings", "full": "full trainings"}
    names, series = list(search.recipes), {}
    for round_, title in titles.items():
        found = search.log_loss(round_)
        errors = search.errors() if round_ == "full" else {}
        means = [-found.get(name, np.nan) for name in names]
        series[title] = means, [errors.get(name, np.nan) for name in names]
    xlabel = (
        "log-likelihood of held-out images; bars: error of the distance to the best"
    )
    return plots.marked_rows(series, names, names.index(choice), xlabel)


def advice(search, choice):
    """Name a stronger finalist that more steps may put ahead, or nothing."""
    brief, full = search.macro_f1("brief"), search.macro_f1("full")
    gains = {n: full[n].mean() - brief[n].mean() for n in full if n in brief}
    names = list(search.recipes)
    later = [n for n in gains if names.index(n) > names.index(choice)]
    ahead = [n for n in later if gains[n] > gains.get(choice, np.inf) + _GAINING]
    if not ahead:
        return ""
    name = max(ahead, key=gains.get)
    return f"More epochs may do better: {name!r} was still gaining.\n"


def _as_text(values):
    return "" if values is None else f"{np.mean(values):.4f}"
