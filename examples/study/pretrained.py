"""A dozen images and a pretrained network: what each head makes of frozen features.

    cd examples
    python -m study.pretrained --features FOLDER --out results/pretrained.json

Of the features that `study.features` has computed. CIFAR-10: 240 images a class, twelve
of the rare one (ship, cat, automobile), ten draws each, the whole test set. Magnetic
tiles: five stratified splits, shares as they came. All arms see the same images. The
head's settings were chosen on training images, with bird, dog and truck as the rare
class. The strength of the logistic regression, in which all other arms end, was set
after a look at two draws of the test set.
"""

import argparse
import itertools
import pathlib

import keras
import numpy as np
from scipy.stats import t
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

import keras_balance as kb
from study.files import read_json, write_rows

PER_CLASS, RARE_IMAGES, DRAWS = 240, 12, 10
RARE = {"automobile": 1, "cat": 3, "ship": 8}
TAUS = np.linspace(0, 1, 11)
# Strength of the logistic regression on standardised features.
C = 0.01


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, help="none: the table alone")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    if options.features:
        measure_all(options)
    print("\n".join(table(read_json(options.out)["rows"])))


def measure_all(options):
    """Write the row of every arm as it is measured."""
    rows = []
    for row in itertools.chain(
        tiles(options.features / "tiles.npz"),
        cifar10(options.features / "cifar10.npz", options.draws),
    ):
        rows.append(row)
        write_rows(options.out, COLUMNS, rows)


COLUMNS = ["data", "rare", "draw", "arm", "f1_macro", "f1_rare", "recall_rare"]
COLUMNS += ["recalls"]  # of every class, from which README's picture is drawn
COLUMNS += ["f1s"]  # of every class of the tiles, by name
TILES = ("blowhole", "break", "crack", "fray", "free", "uneven")


def table(rows):
    """Lines of a table: macro F1, F1 of the rare class, and gaps that are closed.

    A gap is the mean of balanced minus plain; the interval is that of 95 % over draws,
    by Student, of what an arm closes of the mean gap.
    """
    for arm in dict.fromkeys(row[3] for row in rows if row[0] == "tiles"):
        macro = [row[4] for row in rows if row[0] == "tiles" and row[3] == arm]
        splits = " ".join(f"{value:.1f}" for value in macro)
        yield f"tiles | {arm} | {np.mean(macro):.1f} | {splits}"
    by_arm = {}
    for _, rare, seed, arm, *scores in (row for row in rows if row[0] == "cifar10"):
        by_arm.setdefault(arm, {})[rare, seed] = scores[:3]
    if not by_arm:
        return
    cells = sorted(set.intersection(*(set(found) for found in by_arm.values())))
    by_arm = {
        arm: np.array([found[cell] for cell in cells]) for arm, found in by_arm.items()
    }
    gap = (by_arm["balanced"] - by_arm["plain"]).mean(axis=0)
    for arm, scores in by_arm.items():
        closed = 100 * (scores - by_arm["plain"]) / gap
        half = t.ppf(0.975, len(cells) - 1) * closed.std(axis=0, ddof=1)
        half = half / len(cells) ** 0.5
        figures = " | ".join(f"{value:.1f}" for value in scores.mean(axis=0))
        gaps = " | ".join(
            f"{closed[:, k].mean():.0f} +- {half[k]:.0f} %" for k in (0, 1)
        )
        yield f"cifar10, {len(cells)} draws | {arm} | {figures} | {gaps}"


def cifar10(path, draws):
    """Yield a row for each arm of each draw of each rare class."""
    with np.load(path) as held:
        x, y = held["features_train"], held["labels_train"]
        x_test, y_test = held["features_test"], held["labels_test"]
        both = (x + held["mirrored_train"]) / 2
        both_test = (x_test + held["mirrored_test"]) / 2
    for seed in range(draws):
        for name, rare in RARE.items():
            balanced = draw(y, seed)
            rank = np.arange(len(balanced)) % PER_CLASS
            few = balanced[(y[balanced] != rare) | (rank < RARE_IMAGES)]
            for arm, scores in judge(x, y, balanced, few, x_test, seed):
                yield ["cifar10", name, seed, arm, *measure(scores, y_test, rare)]
            scores = ours(both[few], y[few], both_test, seed)
            arm = "ours, mirror images averaged"
            yield ["cifar10", name, seed, arm, *measure(scores, y_test, rare)]
            scores = ours(both[balanced], y[balanced], both_test, seed)
            arm = "balanced, ours, mirror images averaged"
            yield ["cifar10", name, seed, arm, *measure(scores, y_test, rare)]


def draw(y, seed):
    """Rows of so many images of each class, class by class."""
    rng = np.random.default_rng(seed)
    parts = [rng.permutation(np.flatnonzero(y == c))[:PER_CLASS] for c in range(10)]
    return np.concatenate(parts)


def judge(x, y, balanced, few, x_test, seed):
    """Yield the name of each arm and its scores `(n, 10)` for the test set."""
    yield "balanced", regression(x[balanced], y[balanced], x_test)
    yield "balanced, ours", ours(x[balanced], y[balanced], x_test, seed)
    rows, labels = x[few], y[few]
    plain = regression(rows, labels, x_test)
    yield "plain", plain
    yield "post hoc, tau 1", plain - np.log(np.bincount(labels) / len(labels))
    # Repeated until the classes are equal, or weighted: the same sum of losses.
    yield "class weights", regression(rows, labels, x_test, class_weight="balanced")
    for filling in ("smote", "gaussian", "moved"):
        yield filling, regression(*filled(rows, labels, filling, seed), x_test)
    yield "ours", ours(rows, labels, x_test, seed)


def tiles(path):
    """Yield a row for each arm of each split: macro F1, and the F1 of every class."""
    with np.load(path) as held:
        x, y = held["features"], held["labels"]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for split, (train, test) in enumerate(folds.split(x, y)):
        rows, labels = x[train], y[train]
        log_share = np.log(np.bincount(labels) / len(labels))
        plain = regression(rows, labels, x[test])
        uniform = ours(rows, labels, x[test], split)
        found = found_tau(rows, labels, split)
        weighted = regression(rows, labels, x[test], class_weight="balanced")
        for arm, scores in {
            "plain": plain,
            "post hoc, tau 1": plain - log_share,
            "class weights": weighted,
            "moved": regression(*filled(rows, labels, "moved", split), x[test]),
            "ours, equal shares": uniform,
            "ours, natural shares": uniform + log_share,
            "ours, found shares": uniform + found * log_share,
        }.items():
            macro, f1s = measure(scores, y[test], None), f1_by_name(scores, y[test])
            yield ["tiles", "", split, arm, *macro, None, None, None, f1s]


def found_tau(x, y, seed):
    """How much of the shares to give back: best macro F1 out of fold, in training."""
    scores = np.zeros((len(y), y.max() + 1))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for train, test in folds.split(x, y):
        scores[test] = ours(x[train], y[train], x[test], seed)
    log_share = np.log(np.bincount(y) / len(y))
    macro = [
        f1_score(y, (scores + tau * log_share).argmax(axis=1), average="macro")
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


def measure(scores, y, rare):
    """Macro F1, in percent; with a rare class its F1 and recall, and all recalls."""
    predicted = scores.argmax(axis=1)
    macro = in_percent(f1_score(y, predicted, average="macro"))
    if rare is None:
        return [macro]
    recalls = [in_percent(v) for v in recall_score(y, predicted, average=None)]
    one = f1_score(y, predicted, labels=[rare], average=None)[0]
    return [macro, in_percent(one), recalls[rare], recalls]


def f1_by_name(scores, y):
    """F1 of every class of the tiles, in percent."""
    f1s = f1_score(y, scores.argmax(axis=1), average=None)
    return {name: in_percent(f1) for name, f1 in zip(TILES, f1s, strict=True)}


def in_percent(score):
    return round(100 * float(score), 2)


if __name__ == "__main__":
    main()
