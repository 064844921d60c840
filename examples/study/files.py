"""Files of the study, written as the package writes its own."""

import json

from keras_balance.utils.files import atomic_path, write_json, write_text

__all__ = ["atomic_path", "read_json", "write_json", "write_results", "write_text"]


def write_results(path, results):
    """Write the figures of a row, a line a figure: so a change of one is seen."""
    write_text(path, json.dumps(results, indent=1) + "\n")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))
