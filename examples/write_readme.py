"""The figures in README and docs, written from `examples/results/`.

    python examples/write_readme.py

Fills every block between `<!-- results: ROW -->` and `<!-- end -->`, of the README and
of the pages in `docs/results/`, with the table of `examples/results/ROW.json` and its
picture, which it draws. The block `summary` says of all rows what each way closes of
the gap, what the package chose by itself, and what the layer for handwriting gains;
the block `advice` what to use for what.
"""

from study.pictures import draw_before_and_after, draw_row
from study.readme import DOCS, finished_rows, read_row, write

SHOWN = "rare-8"  # the row of the README's picture

if __name__ == "__main__":
    write()
    picture = DOCS / "before-and-after.png"
    draw_before_and_after(read_row(SHOWN), "auto layer", picture)
    for row in finished_rows():
        draw_row(read_row(row), DOCS / f"{row}.png")
        print(f"{row}: table and picture written")
