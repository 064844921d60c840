"""DeepSMOTE's table: what was published beside what this package's parts reach."""

import numpy as np

from study.line_tables import counted, mean, read_cells
from study.tables import in_percent, markdown

# Dablain et al. 2021, "DeepSMOTE: Fusing Deep Learning and SMOTE for Imbalanced Data":
# mean recall of the classes (which is accuracy where all are tested alike), macro F1.
PUBLISHED = {
    "SMOTE": {
        "MNIST": (0.880, 0.850),
        "Fashion-MNIST": (0.706, 0.681),
        "CIFAR-10": (0.279, 0.251),
    },
    "BAGAN": {
        "MNIST": (0.931, 0.928),
        "Fashion-MNIST": (0.815, 0.809),
        "CIFAR-10": (0.434, 0.403),
    },
    "DeepSMOTE": {
        "MNIST": (0.961, 0.960),
        "Fashion-MNIST": (0.836, 0.833),
        "CIFAR-10": (0.454, 0.434),
    },
}


def field_table(path):
    """Markdown: accuracy and macro F1, a row for each way, a column for each data."""
    cells = read_cells(path)
    names = list(dict.fromkeys(cell["data"] for cell in cells))
    rows = [
        [f"{way}, published", *(_pair(*scores[name]) for name in names)]
        for way, scores in PUBLISHED.items()
    ]
    for arm in dict.fromkeys(cell["arm"] for cell in cells):
        ours = [cell for cell in cells if cell["arm"] == arm]
        found = ([cell for cell in ours if cell["data"] == name] for name in names)
        rows.append([arm, *(_scores(one) for one in found)])
    return markdown(["accuracy / macro F1", *names], rows)


def _scores(cells):
    """Both scores of the draws of one arm, and how many these are."""
    if not cells:
        return ""
    accuracy, f1 = ([cell[key] for cell in cells] for key in ("accuracy", "f1_macro"))
    told = f"{mean(accuracy, in_percent)} / {100 * np.mean(f1):.1f}"
    return f"{told} ({counted(cells)})"


def _pair(accuracy, f1):
    return f"{100 * accuracy:.1f} / {100 * f1:.1f}"
