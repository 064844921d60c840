"""Whether it pays to train the last layers of the backbone as well.

    cd examples
    python -m study.unfrozen --features FOLDER --out results/unfrozen.json

Of the maps that `study.features` has computed: what the network gives before its last
block, so that training that block and the last convolution needs no more of it.
Magnetic tiles, five stratified splits, shares as they came; CIFAR-10, 240 images a
class and twelve of the rare one: splits and draws as in `study.pretrained`. Rate and
epochs were chosen on training images of the tiles' first split, a fourth of them held
out. A run goes on where it stopped.
"""

import argparse
import pathlib

import keras
import numpy as np
from sklearn.model_selection import StratifiedKFold

import keras_balance as kb
from study.efficientnet_lite import efficientnet_lite0
from study.features import CUT
from study.files import read_json, write_rows
from study.pretrained import COLUMNS, PER_CLASS, RARE, RARE_IMAGES, draw, measure

FIRST = "block15_expand_conv"  # behind the cut
RATE, EPOCHS = 3e-4, 8
ARMS = ("frozen", "unfrozen")
SHARES = {"equal shares": 0, "half of the shares": 0.5, "natural shares": 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, required=True)
    parser.add_argument("--draws", type=int, default=2, help="of CIFAR-10")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    table = Table(options.out)
    tiles(options.features / "tiles_maps.npz", table)
    cifar10(options.features / "cifar10_maps.npz", options.draws, table)


class Table:
    """Rows of a file, which is written anew with each of them."""

    def __init__(self, path):
        self.path = path
        self.rows = read_json(path)["rows"] if path.exists() else []

    def has(self, *cell):
        return any(row[:4] == list(cell) for row in self.rows)

    def add(self, *row):
        self.rows.append(list(row))
        write_rows(self.path, COLUMNS, self.rows)
        print(row[:6], flush=True)


def tiles(path, table):
    """Macro F1 of each split."""
    with np.load(path) as held:
        x, y = held["features"].astype("float32"), held["labels"]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for split, (train, test) in enumerate(folds.split(x, y)):
        log_share = np.log(np.bincount(y[train]) / len(train))
        for arm in ARMS:
            names = [f"{arm}, {shares}" for shares in SHARES]
            if table.has("tiles", "", split, names[-1]):
                continue
            scores = scores_of(x[train], y[train], x[test], arm, split)
            for name, part in zip(names, SHARES.values(), strict=True):
                macro = measure(scores + part * log_share, y[test], None)
                table.add("tiles", "", split, name, *macro)


def cifar10(path, draws, table):
    """Macro F1, and F1 and recall of the rare class, on the whole test set."""
    with np.load(path) as held:
        x, y = held["train"], held["labels_train"]
        x_test, y_test = held["test"], held["labels_test"]
    for seed in range(draws):
        balanced = draw(y, seed)
        rank = np.arange(len(balanced)) % PER_CLASS
        for name, rare in RARE.items():
            for arm in ARMS:
                if not table.has("cifar10", name, seed, arm):
                    rows = balanced[(y[balanced] != rare) | (rank < RARE_IMAGES)]
                    scores = scores_of(x[rows], y[rows], x_test, arm, seed)
                    row = measure(scores, y_test, rare)
                    table.add("cifar10", name, seed, arm, *row)
        for arm in ARMS:
            if not table.has("cifar10", name, seed, f"balanced, {arm}"):
                scores = scores_of(x[balanced], y[balanced], x_test, arm, seed)
                for name, rare in RARE.items():
                    row = measure(scores, y_test, rare)
                    table.add("cifar10", name, seed, f"balanced, {arm}", *row)


def scores_of(x, y, x_test, arm, seed):
    """Log-probabilities for equal shares."""
    model = kb.models.FewShotClassifier(last_layers(), y.max() + 1, seed=seed)
    layers = {"unfreeze": FIRST} if arm == "unfrozen" else {}
    model.fit(
        x.astype("float32"),
        y,
        fine_tuning_rate=RATE,
        fine_tuning_epochs=EPOCHS,
        verbose=0,
        **layers,
    )
    parts = [
        model.predict(x_test[start : start + 500].astype("float32"), verbose=0)
        for start in range(0, len(x_test), 500)
    ]
    return np.log(np.concatenate(parts) + 1e-30)


def last_layers():
    """The network behind the cut, from maps to features."""
    network = efficientnet_lite0()
    place = network.layers.index(network.get_layer(CUT))
    maps = x = keras.Input(network.layers[place].output.shape[1:])
    for layer in network.layers[place + 1 :]:
        x = layer(x)
    return keras.Model(maps, x)


if __name__ == "__main__":
    main()
