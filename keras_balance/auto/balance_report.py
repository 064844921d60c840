"""The page of an `AutoBalance`: what was tried, what was chosen, and how good it is."""

import pathlib

import numpy as np

from keras_balance.callbacks import held_out
from keras_balance.metrics import class_report, html_report
from keras_balance.utils import web_page
from keras_balance.utils.files import write_text

_NOT_KNOWN = (
    "How good it is cannot be told without other images: a class has a single one, or "
    "the time was over."
)
_BATCH_SIZE = 256


def write_page(directory, auto, images, adjustment):
    """Write `report.html` in a folder, atomically.

    Args:
        directory: The folder.
        auto: A fitted `AutoBalance`.
        images: `LabelledImages`.
        adjustment: `AutoAdjustment` of the images, each predicted without it; None
            where there is none.
    """
    alt = "Macro F1 of every recipe; the chosen one is marked"
    tried = web_page.preformatted(auto.table()), web_page.picture(auto.figure(), alt)
    parts = [
        web_page.preformatted(auto.why()),
        web_page.section("What was tried", *tried),
        web_page.section("How good it is", *_quality(auto, images, adjustment)),
        web_page.section("The code", web_page.preformatted(auto.code())),
    ]
    page = web_page.page(f"The recipe: {auto.choice}", parts)
    write_text(pathlib.Path(directory) / "report.html", page)


def _quality(auto, images, adjustment):
    if adjustment is None:
        return [web_page.paragraph(_NOT_KNOWN)]
    names = [str(name) for name in images.encoding.keys]
    indices = images.indices.astype("int64")
    outputs = adjustment.adjusted_probabilities()
    report = class_report(indices, outputs, names, target_prior=auto.target_prior)
    rarest = int(np.argmin(images.counts))
    misses = held_out.confident_misses(
        _batches(images, indices, outputs),
        lambda labels: labels == rarest,
        rarest,
        names,
        lambda outputs: None,
    )
    told = (
        "Of the training images, each predicted by the recipe trained without it; "
        f"classes as frequent as target_prior={auto.target_prior!r} says."
    )
    return [web_page.paragraph(told), *html_report.report_parts(report, misses)]


def _batches(images, indices, outputs):
    for start in range(0, len(indices), _BATCH_SIZE):
        rows = slice(start, start + _BATCH_SIZE)
        yield images.source[rows], indices[rows], outputs[rows], None
