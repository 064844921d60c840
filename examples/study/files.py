"""Files of the study, written as the package writes its own."""

import json

import numpy as np

from keras_balance.utils.files import atomic_path, write_json, write_text

__all__ = [
    "atomic_path",
    "read_json",
    "write_arrays",
    "write_json",
    "write_results",
    "write_text",
]


def write_arrays(path, **arrays):
    """Write arrays as one `.npz` file, its folder made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def write_results(path, results):
    """Write a row of the study: what was run, then a line a cell."""
    run = {name: value for name, value in results.items() if name != "cells"}
    lines = ",\n".join(json.dumps(_rounded(cell)) for cell in results["cells"])
    write_text(path, f'{json.dumps(run)[:-1]}, "cells": [\n{lines}\n]}}\n')


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _rounded(value):
    """As many digits of figures as a table could tell apart."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 8) if isinstance(value, float) else value
