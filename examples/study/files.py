"""Files of the study, written as the package writes its own."""

import json

from keras_balance.utils.files import atomic_path, write_json, write_text

__all__ = [
    "atomic_path",
    "read_json",
    "write_json",
    "write_results",
    "write_rows",
    "write_text",
]


def write_results(path, results):
    """Write the figures of a row, a line a figure: so a change of one is seen."""
    write_text(path, json.dumps(results, indent=1) + "\n")


def write_rows(path, columns, rows):
    """Write a table, a row a line."""
    lines = ",\n".join(json.dumps(row) for row in rows)
    write_text(path, f'{{"columns": {json.dumps(columns)}, "rows": [\n{lines}\n]}}\n')


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))
