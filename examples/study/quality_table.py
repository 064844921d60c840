"""The table of what the images of each generator are worth."""

from study.quality import REAL, SCORES
from study.tables import markdown

NAMES = {"agreement_all": "agreement, all", "agreement": "agreement, the rare"}
NAMES |= {name: name for name in (*SCORES[1:], "nearest")}


def quality_table(cells):
    """Markdown: a row for each generator, data set by data set."""
    rows = []
    for cell in cells:
        arm = cell["arm"] if cell["arm"] == REAL else f"`{cell['arm']}`"
        scores = (f"{cell[name]:.2f}" for name in NAMES)
        seconds = cell.get("processor_seconds")
        told = "" if seconds is None else f"{seconds:.0f}"
        rows.append([cell["data"], arm, *scores, told])
    return markdown(["", "", *NAMES.values(), "processor, s"], rows, left=2)
