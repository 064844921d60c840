"""The blocks of figures in README and docs, filled from the kept results."""

import os
import pathlib
import re

from study.decision_tables import decision_tables
from study.field_table import field_table
from study.files import read_json, write_text
from study.generator_table import generator_table
from study.head_tables import heads_table, recommended_table
from study.line_tables import read_cells, tables_of
from study.places import DOCS, RESULTS, ROOT
from study.quality_table import quality_table
from study.regret_table import regret_table
from study.rows import ROWS
from study.summary import advice, picture_caption, summary
from study.tables import caption, choices, gap, is_as_paper, paper_table, table

PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
RARE = "ship"  # the class of README's picture
BLOCK = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write():
    """Fill the blocks of every page."""
    for page in PAGES:
        write_text(page, filled(page))


def filled(page):
    """Text of a page, its blocks filled with the tables of their rows."""
    pictures = os.path.relpath(DOCS, page.parent)
    return BLOCK.sub(
        lambda found: f"{found[1]}\n{block(found[2], pictures)}\n\n{found[3]}",
        page.read_text(encoding="utf-8"),
    )


def finished_rows():
    """Names of the rows whose figures are there, in the order of the study."""
    return [row for row in ROWS if (RESULTS / f"{row}.json").exists()]


def line_rows():
    """Files of the rows that keep a line a cell, by name."""
    return {path.stem: path for path in sorted(RESULTS.glob("*.jsonl"))}


def read_row(row):
    return read_json(RESULTS / f"{row}.json")


def block(row, pictures):
    """What is told of a row: how it was run, its table and picture, what follows."""
    if row == "summary":
        return summary([read_row(row) for row in finished_rows()])
    if row == "generators":
        rows = [read_row(row) for row in finished_rows()]
        return generator_table(rows, read_cells(line_rows()["fillings"]))
    if row == "picture":
        return picture_caption(read_cells(line_rows()["pretrained"]), RARE)
    if row == "advice":
        return advice(read_row, line_rows())
    if row == "decisions":
        return decision_tables(line_rows()[row])
    if row == "deep_smote":
        return field_table(line_rows()[row])
    if row == "heads":
        return heads_table(read_cells(line_rows()[row]))
    if row == "heads-recommended":
        return recommended_table(read_cells(line_rows()["heads"]))
    if row == "quality":
        return quality_table(read_cells(line_rows()[row]))
    if row == "regret":
        return regret_table(line_rows()[row])
    if row in line_rows():
        return tables_of(line_rows()[row])
    results = read_row(row)
    if is_as_paper(results):
        return f"{caption(results)}\n\n{paper_table(results)}"
    picture = f"![scores of every arm]({pathlib.Path(pictures, row)}.png)"
    parts = [caption(results), table(results), picture, gap(results)]
    return "\n\n".join(part for part in [*parts, choices(results)] if part)
