"""How often a class is there when a classifier says with so much certainty that it is.

    cd examples
    python -m study.reliability --features FOLDER
    python write_readme.py

Logistic regressions on the features of a pretrained network, photographs of CIFAR-10
with 12 of 240 images of one class, as in `study.adjustment`. The probability of the
rare class on test images, binned, as trained and behind `kb.layers.LogitAdjustment`
(its `tau` 1, and the one that `study.adjustment` has found), in two worlds: all
classes equally frequent, and the rare class as rare as in training. Writes
`examples/results/reliability.jsonl`, of which `write_readme.py` draws the picture.
"""

import argparse
import json
import pathlib

import keras
import numpy as np

import keras_balance as kb
from study.adjustment import FOUND, LINES, regression, tasks
from study.files import write_text
from study.line_tables import read_cells
from study.places import RESULTS

STRENGTH = 0.003
BINS = 10
EQUAL, NATURAL = "equally frequent", "as rare as in training"
RARE = ("ship", "cat", "automobile", "frog")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, required=True)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    options.mnist = options.fashion = None
    found, lines = tasks(options), []
    for name in (f"photographs, {rare}" for rare in RARE):
        for seed in range(options.draws):
            draw = found[name][-1](seed)
            taus = {"tau 1": 1.0, FOUND: kept_tau(name, seed)}
            for cell in cells(*draw[:2], taus, seed):
                lines.append(json.dumps({**cell, "draw": seed, "task": name}) + "\n")
    write_text(options.output / "reliability.jsonl", "".join(lines))


def kept_tau(name, seed):
    """The strength that was found on the training data of the same draw."""
    kept = read_cells(LINES)
    wanted = {"data": name, "draw": seed, "arm": FOUND}
    return next(one["tau"] for one in kept if wanted.items() <= one.items())


def cells(train, test, taus, seed):
    """Reliability of the rare class's probability, by world and decision."""
    counts = np.bincount(train[1])
    rare = int(np.argmin(counts))
    shares = regression(STRENGTH).fit(*train).predict_proba(test[0])
    adjusted = {"as trained": shares}
    for name, tau in taus.items():
        layer = kb.layers.LogitAdjustment(counts, tau=tau)
        adjusted[name] = keras.ops.convert_to_numpy(layer(shares))
    is_rare = test[1] == rare
    # As few of its test images as it has shares of the training images.
    fewer = np.random.default_rng(seed).random(len(is_rare)) < counts[rare] / max(
        counts
    )
    for world, chosen in ((EQUAL, slice(None)), (NATURAL, ~is_rare | fewer)):
        for name, values in adjusted.items():
            told = reliability(values[chosen, rare], is_rare[chosen])
            yield {"data": f"rare class {world}", "arm": name, **told}


def reliability(said, happened):
    """Brier score, calibration error and the bins of what was said and happened.

    Args:
        said: Probabilities `(n,)`.
        happened: bool `(n,)`.
    """
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    images = np.bincount(place, minlength=BINS)
    sums = [np.bincount(place, one, BINS) for one in (said, happened)]
    error = np.abs(sums[0] - sums[1]).sum() / len(said)
    return {
        "brier": round(float(np.mean((said - happened) ** 2)), 4),
        "calibration_error": round(float(error), 4),
        "images": images.tolist(),
        "said": sums[0].round(2).tolist(),
        "happened": sums[1].astype(int).tolist(),
    }


if __name__ == "__main__":
    main()
