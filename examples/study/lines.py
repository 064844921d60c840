"""Finished cells, a JSON line each, and what is measured in one."""

import json
import pathlib

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from study.files import write_text


class Lines:
    """A file of cells that a run adds to, and does not compute twice.

    Args:
        path: The file; made when the first cell is added.
        key: Names of the entries that tell cells apart.
    """

    def __init__(self, path, key):
        self.path, self.key = pathlib.Path(path), key
        text = self.path.read_text("utf-8") if self.path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # a line that was cut off is made anew
        if whole != text:
            write_text(self.path, whole)
        self.cells = [json.loads(line) for line in whole.splitlines()]

    def __contains__(self, cell):
        wanted = self._identity(cell)
        return any(self._identity(one) == wanted for one in self.cells)

    def add(self, cell):
        """Write one more line, and show it."""
        self.cells.append(cell)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(cell) + "\n")
        print(json.dumps(cell), flush=True)

    def _identity(self, cell):
        return [cell.get(name) for name in self.key]


def scores(y, logits, rare=None, digits=4):
    """Accuracy, macro F1 and, of the rare class, precision, recall and F1.

    Of several rare classes, it is the mean of each score.
    """
    predicted = logits.argmax(-1)
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, predicted, labels=range(logits.shape[-1]), zero_division=0
    )
    told = {"accuracy": (predicted == y).mean(), "f1_macro": f1.mean()}
    if rare is not None:
        rare = np.atleast_1d(rare)
        told |= {"precision": precision[rare], "recall": recall[rare], "f1": f1[rare]}
    return {name: round(float(np.mean(value)), digits) for name, value in told.items()}


def logs_of(shares):
    """Logarithms of shares, finite where a share is 0."""
    return np.log(np.maximum(shares, 1e-30))


def recalls(y, logits):
    """Recall of every class."""
    right = logits.argmax(-1) == y
    return [round(float(right[y == label].mean()), 3) for label in np.unique(y)]
