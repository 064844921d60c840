"""Tables of loss, mixing and decision: scores, and what is closed of the gap."""

import numpy as np

from study.line_tables import counted, mean, read_cells
from study.tables import in_percent, markdown, signed

LOW, HIGH, OTHER = "imbalanced", "balanced", "oversampling"
SCORES = {"f1_macro": "macro F1", "recall": "rare recall", "f1": "rare F1"}
HEAD = ["arm", *SCORES.values(), f"macro F1 over {OTHER}"]
HEAD += ["of the gap, macro F1", "of the gap, rare F1", "tau"]


def decision_tables(path):
    """Markdown: a table for each task, a row for each arm."""
    tasks = {}
    for cell in read_cells(path):
        tasks.setdefault(cell["data"], []).append(cell)
    return "\n\n".join(
        f"{name}, {counted(cells)}:\n\n{task_table(cells)}"
        for name, cells in tasks.items()
    )


def task_table(cells):
    """Table of one task; an arm is set against others on the draws that both have."""
    arms = {}
    for cell in cells:
        arms.setdefault(cell["arm"], {})[cell["draw"]] = cell
    return markdown(HEAD, [row(arms, arm) for arm in arms])


def row(arms, arm):
    """An arm's scores, its gain, its shares of the gaps, and its strengths."""
    ours = arms[arm].values()
    told = [mean([cell[key] for cell in ours], in_percent) for key in SCORES]
    gain, closed = "", ["", ""]
    if arm not in (OTHER, HIGH):
        gains = [pair[0] - pair[1] for pair in pairs(arms, "f1_macro", arm, OTHER)]
        gain = mean(gains, signed) if gains else ""
    if arm not in (LOW, HIGH):
        closed = [gap_closed(arms, arm, key) for key in ("f1_macro", "f1")]
    taus = span(cell["tau"] for cell in ours if "tau" in cell)
    return [arm, *told, gain, *closed, taus]


def pairs(arms, key, *names):
    """Scores of some arms, a tuple for each draw that all of them have."""
    shared = set.intersection(*(set(arms.get(name, ())) for name in names))
    return [tuple(arms[name][n][key] for name in names) for n in sorted(shared)]


def gap_closed(arms, arm, key):
    """Share of the gap from imbalanced to balanced, of the means over the draws."""
    found = np.array(pairs(arms, key, LOW, arm, HIGH))
    if not len(found):
        return ""
    low, own, high = found.mean(axis=0)
    return f"{(own - low) / (high - low):.0%}" if high > low else "no gap"


def span(values):
    """Least and greatest of some numbers."""
    values = sorted(values)
    return "-".join(f"{value:g}" for value in sorted({*values[:1], *values[-1:]}))
