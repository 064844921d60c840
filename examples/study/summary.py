"""Tables over all rows: the gaps, the automatic choices, the layer, and advice."""

import textwrap

import numpy as np

from study.line_tables import draws, read_cells
from study.regret import PHOTOGRAPHS
from study.tables import (
    CHOSEN_FROM,
    gain_over,
    gap_closed,
    macro_f1,
    markdown,
    title_of,
)

WIDTH = 88  # letters of a line of text
LAYER = "elastic, all classes"
TOLD_OF = (
    "auto layer",
    LAYER,
    "elastic",
    "bagan+manual",
    "class weights",
    "oversampling",
)
OTHERS = {  # title: arm that the layer is set against
    "imbalanced": "imbalanced",
    "oversampling": "oversampling",
    "manual, all classes": "manual, all classes",
    "bagan+manual, all classes": "bagan+manual, all classes",
    "bagan+elastic, all classes": "bagan+elastic, all classes",
    "balanced": "balanced",
    "balanced, augmented too": "balanced+elastic, all classes",
}
CROPS = tuple(f"crops, {name}" for name in PHOTOGRAPHS)
# What a reader has, what there is to use, and the row, the task in it where there are
# several, and its arms before and after, that show what it gave.
ADVICE = (
    (
        "a dozen photographs, a pretrained backbone",
        "`FewShotClassifier`",
        ("pretrained", "plain", "ours"),
    ),
    (
        "the same, and a plainly trained head",
        "`adjust_logits`",
        ("pretrained", "plain", "post hoc, tau 1"),
    ),
    (
        "a dozen photographs, nothing pretrained",
        "crops, and `retrain_head` "
        "([six lines](docs/guides/photographs.md#without-a-pretrained-network))",
        ("heads", "plain", "plain, crop, head, tau 1", *CROPS),
    ),
    (
        "a dozen images of a handwritten digit, the 8",
        "`AutoAugmentation`",
        ("rare-8", "imbalanced", "auto layer"),
    ),
    (
        "a trained network, a dozen small pictures of a boot",
        "`retrain_head`",
        ("heads", "plain", "plain, head, tau 1", "clothes, boot"),
    ),
    (
        "the same of a shirt, which looks like a coat",
        "`retrain_head`",
        ("heads", "plain", "plain, head, tau 1", "clothes, shirt"),
    ),
)


def summary(rows):
    """Tables over all rows: the gaps, the automatic choices, and the layer."""
    kept = {LAYER, "auto layer"}
    rows = [results for results in rows if kept & {*results["options"]["arms"]}]
    head = ["imbalanced", "balanced", *(f"`{arm}`" for arm in TOLD_OF)]
    table = [gaps_closed(results) for results in rows]
    parts = ["Of the gap in macro F1 between imbalanced and balanced data they close:"]
    parts += [markdown(["", *head], table)]
    head = ["", "macro F1", "over imbalanced", "best single choice", "over it"]
    for arm in CHOSEN_FROM:
        judged = [results for results in rows if arm in results["options"]["arms"]]
        if judged:
            table = [chosen(results, arm) for results in judged]
            parts += [f"`{arm}`:", markdown([*head, "standard error"], table)]
    layered = [results for results in rows if LAYER in results["options"]["arms"]]
    table = [gains_of_layer(results) for results in layered]
    parts += [f"`{LAYER}` in points of macro F1 over:"]
    parts += [markdown(["", *OTHERS], table)]
    return "\n\n".join(parts)


def gaps_closed(results):
    """Both ends of the gap, and what the arms close of it, one row of the summary."""
    values = macro_f1(results)
    ends = [f"{100 * values[arm].mean():.1f}" for arm in ("imbalanced", "balanced")]
    told = [gap_closed(values, arm) if arm in values else "" for arm in TOLD_OF]
    return [title_of(results), *ends, *told]


def gains_of_layer(results):
    """Paired differences of the layer, one row of the summary."""
    gains = (gain_over(results, LAYER, other) for other in OTHERS.values())
    return [title_of(results), *gains]


def chosen(results, arm):
    """What an automatic choice gave against the best of what it chose from."""
    values = macro_f1(results)
    single = [name for name in CHOSEN_FROM[arm] if name in values]
    best = max(single, key=lambda name: values[name].mean())
    gaps = values[arm] - values[best]
    error = 100 * gaps.std(ddof=1) / np.sqrt(len(gaps))
    over = gain_over(results, arm, "imbalanced")
    mean = f"{100 * values[arm].mean():.1f}"
    behind = f"{100 * gaps.mean():+.2f}"
    return [title_of(results), mean, over, best, behind, f"{error:.2f}"]


def advice(read_row, line_rows):
    """What to use for what, and what it gave: the README's table.

    Args:
        read_row: Function from a row's name to its results.
        line_rows: Files of rows that keep a line a cell, by name.
    """
    head = ["what you have", "what to use", "recall of the rare, before", "after"]
    head += ["macro F1, before", "after"]
    rows = []
    for have, use, (row, before, after, *task) in ADVICE:
        if row in line_rows:
            cells = read_cells(line_rows[row])
            cells = [cell for cell in cells if not task or cell["data"] in task]
            recall, f1 = (by_arm(cells, score) for score in ("recall", "f1_macro"))
        else:
            results = read_row(row)
            recall, f1 = rare_recall(results), macro_f1(results)
        scores = [
            f"{100 * values[arm].mean():.1f}"
            for values in (recall, f1)
            for arm in (before, after)
        ]
        rows.append([have, use, *scores])
    return markdown(head, rows, left=2)


def picture_caption(cells, rare):
    """What README's picture shows, and the scores behind it."""
    cells = [cell for cell in cells if cell.get("rare") == rare]
    recall, f1 = (by_arm(cells, score) for score in ("recall", "f1_macro"))
    changes = [
        f"{100 * values['plain'].mean():.0f} to {100 * values['ours'].mean():.0f} %"
        for values in (recall, f1)
    ]
    return textwrap.fill(
        f"CIFAR-10, twelve photographs of {rare}s and 240 of every other class, a "
        "frozen pretrained backbone. Recall of each class on the whole test set, mean "
        f"of {draws(cells)} draws: plain training (hollow) and `FewShotClassifier` "
        "(filled). "
        f"Of the {rare} it goes from {changes[0]}; macro F1 from {changes[1]}.",
        WIDTH,
    )


def by_arm(cells, score):
    """A score of every arm, over the cells that have a rare class."""
    scores = {}
    for cell in cells:
        if "recall" in cell:
            scores.setdefault(cell["arm"], []).append(cell[score])
    return {arm: np.array(values) for arm, values in scores.items()}


def rare_recall(results):
    """Mean recall of the rare classes, of every arm as an array over the seeds."""
    by_arm = {}
    for cell in results["cells"]:
        recall = [cell["report"][str(name)]["recall"] for name in results["rare"]]
        by_arm.setdefault(cell["arm"], []).append(np.mean(recall))
    return {arm: np.array(values) for arm, values in by_arm.items()}
