"""How near the strength of adjustment that is found comes to the best one.

    cd examples
    python -m study.adjustment --features FOLDER --mnist FOLDER --fashion FOLDER

Trains logistic regressions where some classes are rare, finds `tau` by
`AutoAdjustment` from out-of-fold probabilities of the training data, and compares
F1 on the test data with no adjustment, with tau 1, with the best strength there is on
the test data, with class weights and, where there are more images, with balanced
training data. Writes `examples/results/adjustment.jsonl`.

`FOLDER` of features holds `cifar10.npz` (`features_train`, `labels_train`,
`features_test`, `labels_test`) and `tiles.npz` (`features`, `labels`), vectors of a
pretrained network; those of MNIST and Fashion-MNIST their four files. Tasks without
their data are left out.
"""

import argparse
import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_balance as kb
from study.files import write_text
from study.places import RESULTS
from study.regret import CLOTHES, only

LINES = RESULTS / "adjustment.jsonl"
NOTHING, ONE, FOUND = "no adjustment", "tau 1", "found tau"
BEST, WEIGHTS, BALANCED = "best tau of the test set", "class weights", "balanced data"
TAUS = np.linspace(0, 2.5, 51)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, help="folder of features")
    parser.add_argument("--mnist", type=pathlib.Path, help="folder of MNIST's files")
    parser.add_argument("--fashion", type=pathlib.Path, help="of Fashion-MNIST")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path, default=LINES)
    options = parser.parse_args()
    lines = []
    for name, (prior, strength, draw) in tasks(options).items():
        rows = [
            measure(*draw(seed), prior, strength, seed) for seed in range(options.draws)
        ]
        lines += [
            json.dumps({"data": name, "draw": seed, "arm": arm, **scores}) + "\n"
            for seed, row in enumerate(rows)
            for arm, scores in row.items()
        ]
        tell(name, rows)
        write_text(options.output, "".join(lines))


def tasks(options):
    """Target prior, strength of the regression and draws of each task, by name."""
    found = {}
    if options.features is not None:
        cifar = np.load(options.features / "cifar10.npz")
        train = cifar["features_train"], cifar["labels_train"]
        test = cifar["features_test"], cifar["labels_test"]
        names = cifar["classes"].tolist()
        for name in ("ship", "cat", "automobile", "frog"):
            counts = [12 if c == name else 240 for c in names]
            found[f"photographs, {name}"] = task("uniform", 0.003, train, test, counts)
        tail = np.geomspace(240, 12, 10).round().astype(int).tolist()
        found["photographs, long tail"] = task("uniform", 0.003, train, test, tail)
        pair = names.index("cat"), names.index("dog")
        counts, two = [12, 240], [only(part, pair) for part in (train, test)]
        found["photographs, cat or dog"] = task("uniform", 0.003, *two, counts)
        tiles = np.load(options.features / "tiles.npz")
        for prior in ("natural", "uniform"):
            draw = split_of(tiles["features"], tiles["labels"])
            found[f"tiles, {prior} shares"] = prior, 0.003, draw
    digits = kb.datasets.digits.load_data()
    found["8x8 digits, 8"] = pixels(digits, 120, {8: 12})
    found["8x8 digits, 3"] = pixels(digits, 120, {3: 12})
    if options.mnist is not None:
        mnist = kb.datasets.mnist.load_data(options.mnist)
        for c in (0, 5, 8):
            found[f"MNIST, {c}"] = pixels(mnist, 240, {c: 12})
        pair = [only(part, (3, 5)) for part in mnist]
        found["MNIST, 3 or 5"] = pixels(pair, 240, {1: 12})
    if options.fashion is not None:
        # Its files have the names of MNIST's.
        clothes = kb.datasets.mnist.load_data(options.fashion)
        for name, c in CLOTHES.items():
            found[f"clothes, {name}"] = pixels(clothes, 240, {c: 12})
        pair = [only(part, (0, CLOTHES["shirt"])) for part in clothes]
        found["clothes, T-shirt or shirt"] = pixels(pair, 240, {1: 12})
        tail = np.geomspace(240, 12, 10).round().astype(int).tolist()
        found["clothes, long tail"] = pixels(clothes, 240, dict(enumerate(tail)))
    return found


def task(prior, strength, train, test, counts):
    """Training data of so many images a class, drawn anew by seed."""

    def draw(seed):
        generator = np.random.default_rng(seed)
        rows = [
            generator.permutation(np.flatnonzero(train[1] == c))[:count]
            for c, count in enumerate(counts)
        ]
        rows = np.concatenate(rows)
        return (train[0][rows], train[1][rows]), test, balanced(generator)

    def balanced(generator):
        rows = [
            generator.permutation(np.flatnonzero(train[1] == c))[: max(counts)]
            for c in range(len(counts))
        ]
        rows = np.concatenate(rows)
        return train[0][rows], train[1][rows]

    return prior, strength, draw


def pixels(data, per_class, rare):
    """A task on pixels in [0, 1]."""
    parts = [(x.reshape(len(x), -1) / x.max(), y) for x, y in data]
    counts = [rare.get(c, per_class) for c in range(parts[0][1].max() + 1)]
    return task("uniform", 0.03, *parts, counts)


def split_of(x, y):
    """A fifth held out, another one by seed."""

    def draw(seed):
        parts = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
        x_train, x_test, y_train, y_test = parts
        return (x_train, y_train), (x_test, y_test), None

    return draw


def measure(train, test, balanced, prior, strength, seed):
    """Find the strength on the training data; score all on the test data."""
    (x, y), (x_test, y_test) = train, test
    counts = np.bincount(y)
    auto = kb.tuners.AutoAdjustment(target_prior=prior, seed=seed)
    auto.fit_predictions(out_of_fold(x, y, strength, seed), y, counts)
    shares = regression(strength).fit(x, y).predict_proba(x_test)
    of_test = np.bincount(y_test) if prior == "uniform" else np.ones(len(counts))
    weights = (1 / of_test)[y_test]
    scores = [
        f1_of(y_test, shares * (counts / counts.sum()) ** -tau, weights) for tau in TAUS
    ]
    models = {WEIGHTS: regression(strength, class_weight="balanced").fit(x, y)}
    if balanced is not None:
        models[BALANCED] = regression(strength).fit(*balanced)
    best = int(np.argmax(np.mean(scores, axis=1)))
    places = {NOTHING: 0, ONE: 20, BEST: best}
    places[FOUND] = int(np.argmin(np.abs(TAUS - auto.tau)))
    rare = int(np.argmin(counts))
    rows = {
        name: {"tau": round(float(TAUS[place]), 2), **summary(scores[place], rare)}
        for name, place in places.items()
    }
    for name, model in models.items():
        f1 = f1_of(y_test, model.predict_proba(x_test), weights)
        rows[name] = summary(f1, rare)
    return rows


def summary(f1, rare):
    return {
        "f1_macro": round(float(np.mean(f1)), 4),
        "f1": round(float(f1[rare]), 4),
    }


def out_of_fold(x, y, strength, seed):
    """Probabilities of each image by a regression that has not seen it."""
    shares = np.empty((len(y), y.max() + 1))
    for train, held_out in StratifiedKFold(10, shuffle=True, random_state=seed).split(
        x, y
    ):
        model = regression(strength).fit(x[train], y[train])
        shares[held_out] = model.predict_proba(x[held_out])
    return shares


def regression(strength, class_weight=None):
    classifier = LogisticRegression(
        C=strength, max_iter=300, tol=1e-3, class_weight=class_weight
    )
    return make_pipeline(StandardScaler(), classifier)


def f1_of(y, shares, weights):
    """F1 of each class."""
    guesses, size = shares.argmax(axis=1), shares.shape[1]
    hits = np.bincount(y, weights * (guesses == y), size)
    total = np.bincount(y, weights, size) + np.bincount(guesses, weights, size)
    return 2 * hits / total


def tell(name, rows):
    """Print the means of a task."""
    mean = {key: np.mean([row[key]["f1_macro"] for row in rows]) for key in rows[0]}
    lost = [row[BEST]["f1_macro"] - row[FOUND]["f1_macro"] for row in rows]
    gap = ""
    if BALANCED in mean:
        closed = (mean[FOUND] - mean[NOTHING]) / (mean[BALANCED] - mean[NOTHING])
        gap = f"  balanced {mean[BALANCED]:.3f}, {100 * closed:.0f} % of the gap"
    taus = " ".join(f"{row[FOUND]['tau']:g}" for row in rows)
    print(
        f"{name:26} tau 0 {mean[NOTHING]:.3f}  tau 1 {mean[ONE]:.3f}  "
        f"found {mean[FOUND]:.3f}  best {mean[BEST]:.3f}  "
        f"weights {mean[WEIGHTS]:.3f}{gap}  "
        f"lost {np.mean(lost):.4f}, at most {max(lost):.4f}  (tau {taus})",
        flush=True,
    )


if __name__ == "__main__":
    main()
