"""The table of what `kb.AutoBalance` loses against the best single recipe."""

import numpy as np

from study.line_tables import read_cells
from study.tables import markdown

AUTO, PLAIN, BALANCED = "AutoBalance", "plain", "balanced data"
NO_RECIPE = (AUTO, BALANCED)


def regret_table(path):
    """Markdown: a row for each task, from the kept cells."""
    tasks = {}
    for cell in read_cells(path):
        tasks.setdefault(cell["data"], []).append(cell)
    rows = [[name, *_row(cells)] for name, cells in tasks.items()]
    head = [
        "task",
        "draws",
        "plain",
        "balanced data",
        "best single recipe",
        "AutoBalance",
        "behind the best",
        "behind, worst draw",
        "of the gap",
        "what it chose",
        "trainings",
    ]
    return markdown(head, rows)


def regrets(cells):
    """Give what is lost against the best single recipe of a task, one a draw.

    The best one is that of the highest mean over the draws: a best one for each draw
    would be chosen by noise.
    """
    scores = _by_arm(cells)
    return scores[best_single(scores)] - scores[AUTO]


def best_single(scores):
    """Name of the recipe with the highest mean."""
    single = [arm for arm in scores if arm not in NO_RECIPE]
    return max(single, key=lambda arm: scores[arm].mean())


def _row(cells):
    scores = _by_arm(cells)
    best, lost = best_single(scores), regrets(cells)
    chosen = [_chosen(cell) for cell in cells if cell["arm"] == AUTO]
    names = (f"{name} ({chosen.count(name)})" for name in dict.fromkeys(chosen))
    return [
        str(len(lost)),
        _percent(scores[PLAIN]),
        _percent(scores[BALANCED]) if BALANCED in scores else "-",
        f"{_percent(scores[best])} ({best})",
        _percent(scores[AUTO]),
        f"{100 * lost.mean():+.1f}",
        f"{100 * lost.max():+.1f}",
        _gap(scores),
        ", ".join(names),
        _cost(cells),
    ]


def _chosen(cell):
    """Name the choice; an asterisk says that earlier rules made it."""
    return cell["choice"] + "*" * ("rules" in cell)


def _cost(cells):
    costs = [cell["cost"] for cell in cells if cell.get("cost")]
    return f"{np.mean(costs):.1f}" if costs else "-"


def _by_arm(cells):
    """Macro F1 of every arm that was run in all draws of `AutoBalance`."""
    found = {}
    for cell in cells:
        found.setdefault(cell["arm"], {})[cell["draw"]] = cell["f1_macro"]
    draws = sorted(found[AUTO])
    return {
        arm: np.array([one[d] for d in draws])
        for arm, one in found.items()
        if one.keys() >= {*draws}
    }


def _gap(scores):
    if BALANCED not in scores:
        return "-"
    gap = (scores[BALANCED] - scores[PLAIN]).mean()
    closed = (scores[AUTO] - scores[PLAIN]).mean()
    return f"{closed / gap:.0%}" if gap > 0 else "no gap"


def _percent(values):
    return f"{100 * values.mean():.1f}"
