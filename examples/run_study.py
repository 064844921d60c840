"""The study: every row of the tables of results, made anew.

    python examples/run_study.py --emnist FOLDER --mnist FOLDER --fashion-mnist FOLDER
    python examples/run_study.py --cifar10 FOLDER --rows cifar-8-long
    python examples/run_study.py --emnist FOLDER --rows rare-0 rare-8 --jobs 2 --keep
    python examples/write_readme.py

Each row is one run of `reproduce_table.py`, which keeps its finished cells: a study
that is interrupted goes on where it stopped. The figures of a row come into
`examples/results/`, and from there into the tables: the arms that have all seeds, and
apart from them, as `unfinished`, what other cells there are. With `--keep` all these
are taken as finished: so a row grows, arm by arm and seed by seed.
"""

import argparse
import sys

from study.rows import ARMS, ROWS, run_row


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--emnist", help="folder or zip of EMNIST; without it, it is downloaded")
    add("--mnist", help="folder of MNIST; without it, it is downloaded")
    add("--fashion-mnist", help="folder of Fashion-MNIST; without it, it is downloaded")
    add("--cifar10", help="folder of CIFAR-10, binary; without it, it is downloaded")
    add(
        "--large",
        choices=("mnist", "emnist"),
        default="mnist",
        help="of the rows 20-percent and largest; the paper's is the whole EMNIST",
    )
    add("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add("--arms", nargs="+", choices=ARMS, metavar="ARM", help="only these arms")
    add("--seeds", type=int, help="only so many seeds of the rows")
    add("--jobs", type=int, default=1, help="processes side by side (default 1)")
    add("--keep", action="store_true", help="go on from examples/results/")
    add("--work", default="results/study", help="folder of the finished cells")
    options = parser.parse_args()
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds must be 1 or more. Received: --seeds {options.seeds}")
    for row in options.rows:
        print(f"\n== {row}", flush=True)
        try:
            run_row(row, options)
        except ValueError as error:
            sys.exit(f"run_study.py: {error}")


if __name__ == "__main__":
    main()
