"""A dozen images and a pretrained network: what each head makes of frozen features.

    cd examples
    python -m study.pretrained --features FOLDER --out results/pretrained.jsonl

Of the features that `study.features` has computed. CIFAR-10: 240 images a class, twelve
of the rare one (ship, cat, automobile), ten draws each, the whole test set. Magnetic
tiles: five stratified splits, shares as they came, in their six classes and in two:
free of faults or not. All arms see the same images. The
head's settings were chosen on training images, with bird, dog and truck as the rare
class. The strength of the logistic regression, in which all other arms end, was set
after a look at two draws of the test set. A run goes on where it stopped.
"""

import argparse
import functools
import pathlib

import keras
import numpy as np
from scipy.stats import t
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

import keras_balance as kb
from study.lines import Lines, recalls, scores

PER_CLASS, RARE_IMAGES, DRAWS = 240, 12, 10
RARE = {"automobile": 1, "cat": 3, "ship": 8, "frog": 6}
TAUS = np.linspace(0, 1, 11)
# Strength of the logistic regression on standardised features.
C = 0.01
TILES = ("blowhole", "break", "crack", "fray", "free", "uneven")
TWO_CLASSES = ("free", "faulty")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, help="none: the table alone")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    cells = Lines(options.out, ["data", "rare", "draw", "arm"])
    if options.features:
        with np.load(options.features / "tiles.npz") as held:
            x, y = held["features"], held["labels"]
        tiles(x, y, cells, "tiles", TILES)
        is_faulty = (y != TILES.index("free")).astype("int64")
        tiles(x, is_faulty, cells, "tiles, free or not", TWO_CLASSES)
        cifar10(options.features / "cifar10.npz", options.draws, cells)
    print("\n".join(table(cells.cells)))


def table(cells):
    """Lines of a table: macro F1, F1 of the rare class, and gaps that are closed.

    A gap is the mean of balanced minus plain; the interval is that of 95 % over draws,
    by Student, of what an arm closes of the mean gap.
    """
    of_tiles = [cell for cell in cells if cell["data"].startswith("tiles")]
    for data, arm in dict.fromkeys((cell["data"], cell["arm"]) for cell in of_tiles):
        ours = [one for one in of_tiles if (one["data"], one["arm"]) == (data, arm)]
        macro = [100 * cell["f1_macro"] for cell in ours]
        splits = " ".join(f"{value:.1f}" for value in macro)
        yield f"{data} | {arm} | {np.mean(macro):.1f} | {splits}"
    by_arm = {}
    for cell in (cell for cell in cells if cell["data"] == "cifar10"):
        found = [100 * cell[name] for name in ("f1_macro", "f1", "recall")]
        by_arm.setdefault(cell["arm"], {})[cell["rare"], cell["draw"]] = found
    if not by_arm:
        return
    draws = sorted(set.intersection(*(set(found) for found in by_arm.values())))
    by_arm = {
        arm: np.array([found[one] for one in draws]) for arm, found in by_arm.items()
    }
    gap = (by_arm["balanced"] - by_arm["plain"]).mean(axis=0)
    for arm, found in by_arm.items():
        closed = 100 * (found - by_arm["plain"]) / gap
        half = t.ppf(0.975, len(draws) - 1) * closed.std(axis=0, ddof=1)
        half = half / len(draws) ** 0.5
        figures = " | ".join(f"{value:.1f}" for value in found.mean(axis=0))
        gaps = " | ".join(
            f"{closed[:, k].mean():.0f} +- {half[k]:.0f} %" for k in (0, 1)
        )
        yield f"cifar10, {len(draws)} draws | {arm} | {figures} | {gaps}"


def cifar10(path, draws, cells):
    """Add a cell for each arm of each draw of each rare class."""
    with np.load(path) as held:
        x, y = held["features_train"], held["labels_train"]
        x_test, y_test = held["features_test"], held["labels_test"]
        both = (x + held["mirrored_train"]) / 2
        both_test = (x_test + held["mirrored_test"]) / 2
    for seed in range(draws):
        for name, rare in RARE.items():
            balanced = draw(y, seed)
            few = few_of(y, balanced, rare)
            arms = judge(x, y, balanced, few, x_test, seed)
            arms |= judge_mirrored(both, y, balanced, few, both_test, seed)
            for arm, run in arms.items():
                cell = {"data": "cifar10", "rare": name, "draw": seed, "arm": arm}
                if cell not in cells:
                    cells.add({**cell, **measure(run(), y_test, rare)})


def draw(y, seed):
    """Rows of so many images of each class, class by class."""
    rng = np.random.default_rng(seed)
    parts = [rng.permutation(np.flatnonzero(y == c))[:PER_CLASS] for c in range(10)]
    return np.concatenate(parts)


def few_of(y, rows, rare):
    """Of the rows that `draw` gives, those that stay where one class is rare."""
    rank = np.arange(len(rows)) % PER_CLASS
    return rows[(y[rows] != rare) | (rank < RARE_IMAGES)]


def judge(x, y, balanced, few, x_test, seed):
    """Functions that give scores `(n, 10)` of the test set, by arm."""
    rows, labels = x[few], y[few]
    log_share = np.log(np.bincount(labels) / len(labels))

    @functools.cache
    def plain(**options):
        return regression(rows, labels, x_test, **options)

    def fill(filling):
        return regression(*filled(rows, labels, filling, seed), x_test)

    return {
        "balanced": lambda: regression(x[balanced], y[balanced], x_test),
        "balanced, ours": lambda: ours(x[balanced], y[balanced], x_test, seed),
        "plain": plain,
        "post hoc, tau 1": lambda: plain() - log_share,
        # Repeated until the classes are equal, or weighted: the same sum of losses.
        "class weights": lambda: plain(class_weight="balanced"),
        "smote": lambda: fill("smote"),
        "gaussian": lambda: fill("gaussian"),
        "moved": lambda: fill("moved"),
        "ours": lambda: ours(rows, labels, x_test, seed),
    }


def judge_mirrored(x, y, balanced, few, x_test, seed):
    """The same for features averaged over each image and its mirror image."""
    mirrored = "ours, mirror images averaged"
    return {
        mirrored: lambda: ours(x[few], y[few], x_test, seed),
        f"balanced, {mirrored}": lambda: ours(x[balanced], y[balanced], x_test, seed),
    }


def tiles(x, y, cells, data, names):
    """Add a cell for each arm of each split: macro F1, and the F1 of every class."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for split, (train, test) in enumerate(folds.split(x, y)):
        head = {"data": data, "draw": split}
        if {**head, "arm": "ours, found shares"} in cells:
            continue  # it is the last one
        rows, labels = x[train], y[train]
        log_share = np.log(np.bincount(labels) / len(labels))
        plain = regression(rows, labels, x[test])
        uniform = ours(rows, labels, x[test], split)
        found = found_tau(rows, labels, split)
        weighted = regression(rows, labels, x[test], class_weight="balanced")
        for arm, logits in {
            "plain": plain,
            "post hoc, tau 1": plain - log_share,
            "class weights": weighted,
            "moved": regression(*filled(rows, labels, "moved", split), x[test]),
            "ours, equal shares": uniform,
            "ours, natural shares": uniform + log_share,
            "ours, found shares": uniform + found * log_share,
        }.items():
            if (cell := {**head, "arm": arm}) not in cells:
                cells.add({**cell, **measure(logits, y[test], names=names)})


def found_tau(x, y, seed):
    """How much of the shares to give back: best macro F1 out of fold, in training."""
    logits = np.zeros((len(y), y.max() + 1))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for train, test in folds.split(x, y):
        logits[test] = ours(x[train], y[train], x[test], seed)
    log_share = np.log(np.bincount(y) / len(y))
    macro = [
        f1_score(y, (logits + tau * log_share).argmax(axis=1), average="macro")
        for tau in TAUS
    ]
    best = TAUS[np.isclose(macro, max(macro))]
    return best[len(best) // 2]


def regression(x, y, x_test, **options):
    """Log-probabilities of a logistic regression on standardised features."""
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=C, max_iter=300, **options)
    model.fit(scaler.transform(x), y)
    return model.predict_log_proba(scaler.transform(x_test))


def ours(x, y, x_test, seed):
    """Log-probabilities of `FewShotClassifier`, for equal shares."""
    width = x.shape[1]
    nothing = keras.Sequential([keras.Input((1, 1, width)), keras.layers.Flatten()])
    model = kb.models.FewShotClassifier(nothing, y.max() + 1, seed=seed)
    model.fit(x, y, verbose=0)
    return np.log(model.predict(x_test, batch_size=500, verbose=0) + 1e-30)


def filled(x, y, filling, seed):
    """Features and labels with the shortfall filled, all in one batch."""
    dataset = kb.BalancedDataset(
        x[:, None, None], y, batch_size=10**6, synthesizer=filling, seed=seed
    )
    rows, labels = dataset[0]
    return rows[:, 0, 0], labels


def measure(logits, y, rare=None, names=None):
    """Scores, the recall of every class, and its F1 where it has a name."""
    told = {**scores(y, logits, rare), "recalls": recalls(y, logits)}
    if names is not None:
        f1s = f1_score(y, logits.argmax(axis=1), average=None)
        told["f1s"] = dict(zip(names, f1s.round(4).tolist(), strict=True))
    return told


if __name__ == "__main__":
    main()
