"""Tables as text and as Markdown."""


def as_count(number):
    """Write a number of images, or the sum of their weights, as people read it."""
    is_whole = float(number).is_integer() or abs(number) >= 1000
    return f"{number:.0f}" if is_whole else f"{number:.4g}"


def text_table(header, rows):
    """Write a table in columns: the first flush left, the others flush right.

    Args:
        header: Sequence of the columns' titles.
        rows: Sequence of rows, each a sequence of as many strings.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def markdown_table(header, rows):
    """Write the same table in Markdown."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    escaped = ([cell.replace("|", r"\|") for cell in row] for row in [header, *rows])
    first, *others = ("| " + " | ".join(row) + " |" for row in escaped)
    return "\n".join([first, "| " + " | ".join(rule) + " |", *others]) + "\n"
