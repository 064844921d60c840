"""The figures in README and docs, written from `examples/results/`.

    python examples/write_readme.py

Fills every block between `<!-- results: ROW -->` and `<!-- end -->`, of the README and
of the pages in `docs/results/`, with the table of `examples/results/ROW.json` and its
picture, which it draws. The block `summary` says of all rows what each way closes of
the gap, what the package chose by itself, and what the layer for handwriting gains;
the block `advice` what to use for what, the block `picture` what README's shows.
"""

from study.line_tables import read_cells
from study.pictures import (
    draw_before_and_after,
    draw_reliability,
    draw_row,
)
from study.places import DOCS
from study.readme import RARE, finished_rows, line_rows, read_row, write

if __name__ == "__main__":
    write()
    picture = DOCS / "before-and-after.png"
    cells = read_cells(line_rows()["pretrained"])
    draw_before_and_after(cells, RARE, DOCS / "ships.png", picture)
    cells = read_cells(line_rows()["reliability"])
    draw_reliability(cells, DOCS / "reliability.png")
    for row in finished_rows():
        draw_row(read_row(row), DOCS / f"{row}.png")
        print(f"{row}: table and picture written")
