"""Tables and sentences about the rows, as Markdown."""

import collections
import statistics

import numpy as np

import keras_balance as kb
from study.cells import reports_of

# Accuracy of all, then precision, recall and F1 of class 0: the paper, table 1, 1 %.
PAPER = {
    "balanced": (0.955, 0.98, 1.00, 0.99),
    "imbalanced": (0.9125, 0.96, 0.60, 0.74),
    "bagan": (0.945, 0.97, 0.90, 0.94),
    "manual": (0.9425, 0.95, 0.97, 0.96),
}
SINGLE = (  # the ways of filling that the paper has, and halves of two
    "imbalanced",
    "oversampling",
    "manual",
    "bagan",
    "bagan+manual",
    "half bagan+manual, half manual",
)
CHOSEN_FROM = {
    "auto layer": (
        "oversampling",
        "shift, all classes",
        "flip, all classes",
        "manual, all classes",
        "elastic, all classes",
    ),
    "auto": (*SINGLE, "elastic"),
    "auto, no elastic": SINGLE,
}


def is_as_paper(results):
    """Tell whether a row has the paper's small test set, to stand beside its table."""
    return results["options"]["test_per_class"] is not None


def caption(results):
    """Tell what was run, in one sentence."""
    options, cells = results["options"], results["cells"]
    test_images = sum(map(sum, cells[0]["confusion_matrix"]))
    draws = "one draw"
    if options["seeds"] > 1:
        draws = f"mean of {options['seeds']} draws and its 95 % interval"
    backend = results["backend"]
    if backend == "tensorflow" and results["onednn"] == "1":
        backend += " with oneDNN"
    backend += where_run(results)
    return (
        f"{name_of(results)}; {results['steps']:,} optimiser steps in every arm, "
        f"{test_images:,} test images, {draws} "
        f"({backend}, Keras {results['versions']['keras']})."
    )


def where_run(results):
    """Tell of a GPU, and of the arms that were run elsewhere."""
    if not is_on_gpu(results):
        return ""
    elsewhere = {c["arm"]: None for c in results["cells"] if c.get("device") != "gpu"}
    told = ", ".join(f"`{arm}`" for arm in elsewhere)
    return " on a GPU" + (f", {told} on a CPU" if told else "")


def is_on_gpu(results):
    return any(cell.get("device") == "gpu" for cell in results["cells"])


def rarity(results):
    options = results["options"]
    rare = f", class {options['minority']} cut to {options['keep']:.0%}"
    if options["tail"] is not None:
        rare = f" falling to {options['tail']} from class to class"
    first = options.get("first_seed", 0)
    return f"{rare}, draws from {first} on" if first else rare


def table(results):
    """Markdown table: the scores, what they gain over two others, and the cost.

    On a GPU many trainings share it, so that the seconds of one tell nothing.
    """
    cells, rare = results["cells"], results["rare"]
    comparison = kb.metrics.compare_reports(reports_of(cells), classes=rare)
    others = [arm for arm in ("oversampling", "manual") if arm in comparison.arms]
    gains = {arm: comparison.against(arm) for arm in others}
    titles = ["macro F1"]
    for name in rare:
        titles += [f"{name} precision", f"{name} recall", f"{name} F1"]
    last = f"{rare[0]} F1" if len(rare) == 1 else "macro F1"
    head = ["arm", *titles, *(f"{last} over {arm}" for arm in gains)]
    head += [] if is_on_gpu(results) else ["CPU s"]
    rows = []
    for arm in comparison.arms:
        scores = [in_percent(comparison.interval(arm, title)) for title in titles]
        more = [
            signed(gain.interval(arm, last)) if arm in gain.arms else ""
            for gain in gains.values()
        ]
        rows.append([arm, *scores, *more, spent(cells, arm)][: len(head)])
    return markdown(head, rows)


def spent(cells, arm):
    """Processor seconds of an arm, the median over its cells."""
    seconds = [sum(c["processor_seconds"].values()) for c in cells if c["arm"] == arm]
    return f"{statistics.median(seconds):.0f}"


def paper_table(results):
    """Markdown table of the paper's own figures and of one draw of ours."""
    titles = ["accuracy", "0 precision", "0 recall", "0 F1"]
    head = ["arm"]
    for title in titles:
        head += [f"{title}, paper", f"{title}, ours"]
    rows = []
    for cell in results["cells"]:
        zero = cell["report"]["0"]
        ours = [cell["report"]["accuracy"]]
        ours += [zero["precision"], zero["recall"], zero["f1-score"]]
        pairs = zip(PAPER[cell["arm"]], ours, strict=True)
        scores = [f"{100 * value:.4g}" for pair in pairs for value in pair]
        rows.append([cell["arm"], *scores])
    return markdown(head, rows)


def markdown(head, rows, left=1):
    """Table of texts, all but the first columns to the right."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    lines.insert(1, "|---" * left + "|---:" * (len(head) - left) + "|")
    return "\n".join(lines)


def gap(results):
    """Tell what each arm closes of the gap between imbalanced and balanced."""
    values = macro_f1(results)
    if not {"imbalanced", "balanced"} <= values.keys():
        return None
    arms = [arm for arm in values if arm not in ("imbalanced", "balanced")]
    closed = ", ".join(f"{arm} {gap_closed(values, arm)}" for arm in arms)
    return f"Of the gap in macro F1 it closes: {closed}."


def gap_closed(values, arm):
    """Share of the gap between imbalanced and balanced that an arm closes.

    Where the gap is not twice its standard error, it is noise that would be shared out.
    """
    low = values["imbalanced"]
    gaps = values["balanced"] - low
    if gaps.mean() <= 2 * gaps.std(ddof=1) / np.sqrt(len(gaps)):
        return "no gap"
    return f"{(values[arm] - low).mean() / gaps.mean():.0%}"


def choices(results):
    """Tell what the package chose by itself, and how often."""
    told = []
    for arm in CHOSEN_FROM:
        chosen = collections.Counter(
            cell["choice"] for cell in results["cells"] if cell["arm"] == arm
        )
        names = ", ".join(f"{name} ({times})" for name, times in chosen.most_common())
        if names:
            told.append(f"What `{arm}` chose, and in how many draws: {names}.")
    return "\n\n".join(told) or None


def title_of(results):
    """What a row is called among the others."""
    return f"{name_of(results)}, {results['steps']:,} steps"


def name_of(results):
    """Data and rarity of a row."""
    options = results["options"]
    size = "all images"
    if options["per_class"]:
        size = f"{options['per_class']:,} images a class"
    dataset = options["dataset"].upper().replace("_", "-")
    return f"{dataset}, {size}{rarity(results)}"


def macro_f1(results):
    """Macro F1 of every arm as an array over the seeds."""
    comparison = kb.metrics.compare_reports(reports_of(results["cells"]), classes=[])
    return {arm: scores["macro F1"] for arm, scores in comparison.values.items()}


def gain_over(results, arm, other):
    """Paired difference in macro F1 with its interval; nothing without the other."""
    reports = reports_of(results["cells"])
    if other not in reports:
        return ""
    reports = {name: reports[name] for name in (other, arm)}
    comparison = kb.metrics.compare_reports(reports, classes=[])
    return signed(comparison.against(other).interval(arm, "macro F1"))


def in_percent(interval):
    mean, low, high = (100 * part for part in interval)
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def signed(interval):
    mean, low, high = (100 * part for part in interval)
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
