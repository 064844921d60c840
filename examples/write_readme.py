"""The figures in the READMEs, written from `examples/results/`.

    python examples/write_readme.py

Fills every block between `<!-- results: ROW -->` and `<!-- end -->`, of the README and
of that in `examples/results/`, with the table of `examples/results/ROW.json` and its
picture, which it draws; the block `summary` tells of all rows what each way closes of
the gap, what the package chose by itself, and what the layer for handwriting gains.
"""

from study.readme import draw_picture, finished_rows, write

if __name__ == "__main__":
    write()
    for row in finished_rows():
        draw_picture(row)
        print(f"{row}: table and picture written")
