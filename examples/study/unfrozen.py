"""Whether it pays to train the last layers of the backbone as well.

    cd examples
    python -m study.unfrozen --features FOLDER --out results/unfrozen.jsonl

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
from study.lines import Lines
from study.pretrained import RARE, TILES, draw, few_of, measure

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
    cells = Lines(options.out, ["data", "rare", "draw", "arm"])
    tiles(options.features / "tiles_maps.npz", cells)
    cifar10(options.features / "cifar10_maps.npz", options.draws, cells)


def tiles(path, cells):
    """Add the cells of each split."""
    with np.load(path) as held:
        x, y = held["features"].astype("float32"), held["labels"]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for split, (train, test) in enumerate(folds.split(x, y)):
        log_share = np.log(np.bincount(y[train]) / len(train))
        for arm in ARMS:
            wanted = {
                shares: {"data": "tiles", "draw": split, "arm": f"{arm}, {shares}"}
                for shares in SHARES
            }
            if all(cell in cells for cell in wanted.values()):
                continue
            logits = scores_of(x[train], y[train], x[test], arm, split)
            for shares, cell in wanted.items():
                given = logits + SHARES[shares] * log_share
                if cell not in cells:
                    cells.add({**cell, **measure(given, y[test], names=TILES)})


def cifar10(path, draws, cells):
    """Add the cells of each draw, scored on the whole test set."""
    with np.load(path) as held:
        x, y = held["train"], held["labels_train"]
        x_test, y_test = held["test"], held["labels_test"]

    def add(rows, arm, seed, told, rares):
        """Add what one training gives for some rare classes."""
        head = {"data": "cifar10", "draw": seed, "arm": told}
        new = [name for name in rares if {**head, "rare": name} not in cells]
        logits = scores_of(x[rows], y[rows], x_test, arm, seed) if new else None
        for name in new:
            cells.add({**head, "rare": name, **measure(logits, y_test, RARE[name])})

    for seed in range(draws):
        balanced = draw(y, seed)
        for arm in ARMS:
            for name, rare in RARE.items():
                add(few_of(y, balanced, rare), arm, seed, arm, [name])
            add(balanced, arm, seed, f"balanced, {arm}", RARE)


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
