"""Tables of what the last layer is worth, trained anew."""

import numpy as np

from study.heads import HEAD, ROWS, TAU, TRAININGS, WAYS, arm_of
from study.line_tables import mean
from study.tables import markdown, signed

RECOMMENDED = "repeat, layer"  # of the trainings, what the rows recommend
COPY = ", a JPEG copy"  # in the names of rows that had no original


def heads_table(cells):
    """Markdown: macro F1 / rare F1 of each training in each row, by each decision.

    Of the draws in which all trainings were run that the row has.
    """
    rows = []
    for name, by_arm in _by_row(cells).items():
        arms = [arm_of(training, _row(name)) for training in TRAININGS]
        draws = sorted(set.intersection(*(set(by_arm[a]) for a in arms if a in by_arm)))
        number = str(len(draws))
        for way, title in WAYS.items():
            rows.append([name, number, title])
            rows[-1] += [_percent(by_arm.get(arm + way), draws) for arm in arms]
            name = number = ""  # told once
        rows.append(["", "", "gained by the last layer"])
        rows[-1] += [_gain(by_arm, arm, draws) for arm in arms]
    return markdown(["", "draws", "decided", *TRAININGS], rows, left=3)


def recommended_table(cells):
    """Markdown: what the last layer adds to the way that the rows recommend."""
    rows = []
    for name, by_arm in _by_row(cells).items():
        arm = arm_of(RECOMMENDED, _row(name))
        if arm not in by_arm:
            continue
        draws = sorted(by_arm[arm])
        gains = _gains(by_arm, arm, draws, before=arm)
        told = [_percent(by_arm[one], draws) for one in (arm, arm + HEAD)]
        told += [mean(one, signed) for one in gains.T]
        rows.append([name, str(len(draws)), *told, str(int((gains[:, 0] < 0).sum()))])
    head = ["", "draws", "as trained", "last layer anew", "gained, macro F1"]
    return markdown([*head, "gained, rare F1", "draws behind, macro F1"], rows)


def _row(name):
    return ROWS[name.replace(COPY, "")]


def _by_row(cells):
    """Macro and rare F1 of each draw: dicts by row, arm and draw."""
    found = {}
    for cell in cells:
        arms = found.setdefault(cell["data"], {})
        arms.setdefault(cell["arm"], {})[cell["draw"]] = cell["f1_macro"], cell["f1"]
    return found


def _gains(by_arm, arm, draws, before):
    """By how much the last layer is ahead of an arm: `(draws, 2)`."""
    return np.array(
        [np.subtract(by_arm[arm + HEAD][d], by_arm[before][d]) for d in draws]
    )


def _percent(scores, draws):
    if scores is None:
        return ""
    means = np.mean([scores[draw] for draw in draws], axis=0)
    return " / ".join(f"{100 * score:.1f}" for score in means)


def _gain(by_arm, arm, draws):
    if arm not in by_arm:
        return ""
    means = _gains(by_arm, arm, draws, before=arm + TAU).mean(axis=0)
    return " / ".join(f"{100 * score:+.1f}" for score in means)
