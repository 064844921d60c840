"""Magnetic tiles: whether it pays to train the last layers of the backbone as well.

    cd examples
    python -m study.unfrozen --features FOLDER --out results/unfrozen.json

Of the maps that `study.features` has computed: what the network gives before its last
block, so that training that block and the last convolution needs no more of it. Five
stratified splits, the same as in `study.pretrained`; macro F1 in percent, for equal
shares and for shares as they came.
"""

import argparse
import pathlib

import keras
import numpy as np
from sklearn.model_selection import StratifiedKFold

import keras_balance as kb
from study.efficientnet_lite import efficientnet_lite0
from study.features import CUT
from study.files import write_rows
from study.pretrained import measure

RATES = (3e-5, 3e-4)
EPOCHS = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with np.load(options.features / "tiles_maps.npz") as held:
        x, y = held["features"].astype("float32"), held["labels"]
    rows = []
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for split, (train, test) in enumerate(folds.split(x, y)):
        for rate in (0, *RATES):
            scores = scores_of(x[train], y[train], x[test], rate, split)
            log_share = np.log(np.bincount(y[train]) / len(train))
            for part in (0, 0.5, 1):
                macro = measure(scores + part * log_share, y[test], None)
                arm = f"unfrozen, rate {rate}" if rate else "frozen"
                rows.append(["tiles", split, f"{arm}, {part} of shares", *macro])
        write_rows(options.out, ["data", "draw", "arm", "f1_macro"], rows)


def scores_of(x, y, x_test, rate, seed):
    """Log-probabilities for equal shares; frozen where the rate is 0."""
    model = kb.models.FewShotClassifier(last_layers(), y.max() + 1, seed=seed)
    layers = {"unfreeze": "block15_expand_conv"} if rate else {}
    model.fit(
        x,
        y,
        fine_tuning_rate=rate,
        fine_tuning_epochs=EPOCHS,
        verbose=0,
        **layers,
    )
    return np.log(model.predict(x_test, verbose=0) + 1e-30)


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
