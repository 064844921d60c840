"""Tables of the rows that keep a line a cell: features, photographs, long tails."""

import json

import numpy as np

from study.tables import in_percent, markdown

# Keys that part tables; scores, and their titles.
GROUPS = ("data", "network", "rare")
SCORES = {
    "accuracy": "accuracy",
    "f1_macro": "macro F1",
    "precision": "rare precision",
    "recall": "rare recall",
    "f1": "rare F1",
    "brier": "Brier score of the rare class",
    "calibration_error": "its calibration error",
}


def read_cells(path):
    """Read cells as dicts, a line each."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tables_of(path):
    """Markdown: a table for each group of cells, a row for each arm."""
    groups = {}
    for cell in read_cells(path):
        group = ", ".join(str(cell[key]) for key in GROUPS if cell.get(key))
        groups.setdefault(group, []).append(cell)
    return "\n\n".join(
        f"{group}, {counted(cells)}:\n\n{table(cells)}"
        for group, cells in groups.items()
    )


def draws(cells):
    """Count the draws of some cells."""
    return len({cell["draw"] for cell in cells})


def counted(cells):
    """Say how many draws some cells are of."""
    number = draws(cells)
    return "one draw" if number == 1 else f"{number} draws"


def table(cells):
    """Markdown table of a group: mean and 95 % interval of every score of every arm.

    The F1 of every class, where it is known, is its mean alone: for want of room.
    """
    arms = list(dict.fromkeys(cell["arm"] for cell in cells))
    known = [name for name in SCORES if any(name in cell for cell in cells)]
    classes = list(cells[0].get("f1s", ()))
    rows = []
    for arm in arms:
        ours = [cell for cell in cells if cell["arm"] == arm]
        columns = ([cell[name] for cell in ours if name in cell] for name in known)
        row = [mean(one, in_percent) if one else "" for one in columns]
        of_classes = ([cell["f1s"][name] for cell in ours] for name in classes)
        rows.append([arm, *row, *(f"{100 * np.mean(one):.1f}" for one in of_classes)])
    head = [SCORES[name] for name in known]
    return markdown(["arm", *head, *(f"F1 of {name}" for name in classes)], rows)


def mean(values, text):
    """Mean and 95 % interval as text; one draw has none."""
    told = text(interval(values))
    return told if len(values) > 1 else told.split(" [")[0]


def interval(values, resamples=2000):
    """Mean of values, and the ends of its bootstrap interval of 95 %."""
    values = np.asarray(values)
    rng = np.random.default_rng(0)
    means = rng.choice(values, (resamples, len(values))).mean(axis=1)
    return values.mean(), *np.quantile(means, (0.025, 0.975))
