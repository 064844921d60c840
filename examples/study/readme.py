"""The READMEs' blocks of figures, filled from the kept results."""

import os
import pathlib
import re

import keras_balance as kb
from study.cells import reports_of
from study.files import read_json, write_text
from study.rows import RESULTS, ROWS
from study.tables import (
    caption,
    choices,
    gap,
    is_as_paper,
    paper_table,
    summary,
    table,
)

READMES = (RESULTS.parents[1] / "README.md", RESULTS / "README.md")
BLOCK = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write():
    """Fill the blocks of every README."""
    for readme in READMES:
        write_text(readme, filled(readme))


def filled(readme):
    """Text of a README, its blocks filled with the tables of their rows."""
    pictures = os.path.relpath(RESULTS, readme.parent)
    return BLOCK.sub(
        lambda found: f"{found[1]}\n{block(found[2], pictures)}\n\n{found[3]}",
        readme.read_text(encoding="utf-8"),
    )


def finished_rows():
    """Names of the rows whose figures are there, in the order of the study."""
    return [row for row in ROWS if (RESULTS / f"{row}.json").exists()]


def read_row(row):
    return read_json(RESULTS / f"{row}.json")


def block(row, pictures):
    """What is told of a row: how it was run, its table and picture, what follows."""
    if row == "summary":
        return summary([read_row(row) for row in finished_rows()])
    results = read_row(row)
    if is_as_paper(results):
        return f"{caption(results)}\n\n{paper_table(results)}"
    picture = f"![scores of every arm]({pathlib.Path(pictures, row)}.png)"
    parts = [caption(results), table(results), picture, gap(results)]
    return "\n\n".join(part for part in [*parts, choices(results)] if part)


def draw_picture(row):
    """Draw the row's macro F1 and its rare classes' F1; none beside the paper."""
    results = read_row(row)
    if is_as_paper(results):
        return
    comparison = kb.metrics.compare_reports(
        reports_of(results["cells"]), classes=results["rare"]
    )
    scores = ["macro F1", *(f"{name} F1" for name in results["rare"])]
    comparison.save_picture(RESULTS / f"{row}.png", scores)
