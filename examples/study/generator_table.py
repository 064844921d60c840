"""In each row, the best recipe with a generator against the best without one."""

import numpy as np

from study.fillings import GENERATORS
from study.line_tables import counted, interval
from study.tables import gain_over, macro_f1, markdown, signed, title_of

# In the names of arms: of the rows of handwriting, and of `study.fillings`.
GENERATIVE = ("bagan", "autoencoder", "published", *GENERATORS)
EITHER = ("auto", "auto, no elastic")  # arms that choose among both


def generator_table(rows, fillings):
    """Markdown: both and their paired difference in macro F1, a line a row.

    Args:
        rows: Results of the rows that keep a report a cell.
        fillings: Cells of `study.fillings`.
    """
    head = ["", "the best with a generator", "macro F1", "the best without", "macro F1"]
    table = [best_of_reports(results) for results in rows]
    for name in dict.fromkeys(cell["data"] for cell in fillings):
        ours = [cell for cell in fillings if cell["data"] == name]
        table.append(best_of_cells(name, ours))
    return markdown([*head, "ahead by"], [line for line in table if line])


def best_of_reports(results):
    """The line of a row that keeps reports; none where one draw tells nothing."""
    values = macro_f1(results) if results["options"]["seeds"] > 1 else {}
    values = {arm: scores for arm, scores in values.items() if arm not in EITHER}
    best = best_of_both(values)
    if best is None:
        return None
    return [title_of(results), *told(values, best), gain_over(results, *best)]


def best_of_cells(name, cells):
    """The line of a row of `study.fillings`, of the arms that all its draws have."""
    draws = sorted({cell["draw"] for cell in cells})
    scores = {}
    for cell in cells:
        scores.setdefault(cell["arm"], {})[cell["draw"]] = cell["f1_macro"]
    values = {
        arm: np.array([by_draw[draw] for draw in draws])
        for arm, by_draw in scores.items()
        if len(by_draw) == len(draws)
    }
    best = best_of_both(values)
    if best is None:
        return None
    gains = values[best[0]] - values[best[1]]
    gained = f"{100 * gains[0]:+.1f}" if len(draws) == 1 else signed(interval(gains))
    return [f"{name}, {counted(cells)}", *told(values, best), gained]


def best_of_both(values):
    """The best arm with a generator and the best without; None where one is missing.

    Balanced data are nobody's choice.
    """
    arms = [arm for arm in values if not arm.startswith("balanced")]
    made = [arm for arm in arms if any(name in arm for name in GENERATIVE)]
    parts = made, [arm for arm in arms if arm not in made]
    if not all(parts):
        return None
    return [max(part, key=lambda arm: values[arm].mean()) for part in parts]


def told(values, best):
    """Names and means of both arms."""
    return [text for arm in best for text in (arm, f"{100 * values[arm].mean():.1f}")]
