"""DAGAN on Omniglot: trained on some alphabets, used for characters it never saw.

    python examples/omniglot.py --path FOLDER

The folder holds `images_background_small1.zip` and `images_background_small2.zip`. A
DAGAN learns from all drawings of the first how drawings of one character differ. A
ConvNet then learns the characters of the second from 5, 10 or 15 drawings each, and is
tested on five other people's: plain, with five images of DAGAN's to each drawing, with
a layer of random distortions in front, and with both. Every arm takes as many steps.
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np

import keras_balance as kb

SIDE = 28
GROWTH = 5  # images of a character from DAGAN, in parts of the real ones


def main(argv=None):
    options = parse(argv)
    folder, output = pathlib.Path(options.path), pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    (x, y), (x_more, y_more) = load(folder / "images_background_small1.zip")
    x, y = np.concatenate([x, x_more]), np.concatenate([y, y_more])
    dagan = fit_dagan(x, y, options)
    train, test = load(folder / "images_background_small2.zip")
    save_grid(output / "dagan.png", dagan, train)
    rows = []
    for seed in range(options.seeds):
        for shots in options.shots:
            few = take(*train, shots, seed)
            for arm in ARMS:
                accuracy, seconds = judge(arm, few, test, dagan, options, seed)
                rows.append({"arm": arm, "shots": shots, "seed": seed})
                rows[-1] |= {"accuracy": accuracy, "seconds": seconds}
                print(f"{shots:2} drawings, {arm:12} {accuracy:.3f} ({seconds:.0f} s)")
                (output / "omniglot.json").write_text(json.dumps(rows, indent=1))
    print(table(rows))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--path", required=True, help="folder of the two zips")
    add("--output", default="results/omniglot", help="folder of the results")
    add("--dagan-steps", type=int, default=2000, help="training steps of DAGAN")
    add("--steps", type=int, default=1000, help="training steps of each ConvNet")
    add("--shots", type=int, nargs="+", default=[5, 10, 15], help="real drawings")
    add("--seeds", type=int, default=1, help="draws of the real drawings")
    return parser.parse_args(argv)


def load(path):
    """Training and test drawings at 28 x 28 pixels, light ink on dark paper."""
    parts = kb.datasets.omniglot.load_data(path)
    return [(shrink(x), y) for x, y in parts]


def shrink(x):
    ink = 255.0 - x[..., None].astype("float32")
    small = keras.ops.image.resize(ink, (SIDE, SIDE), antialias=True)
    return np.rint(keras.ops.convert_to_numpy(small)).astype("uint8")


def take(x, y, shots, seed):
    """So many drawings of each character."""
    generator = np.random.default_rng(seed)
    rows = [
        generator.choice(np.flatnonzero(y == label), shots, replace=False)
        for label in np.unique(y)
    ]
    rows = np.concatenate(rows)
    return x[rows], y[rows]


def fit_dagan(x, y, options):
    dagan = kb.models.DAGAN((SIDE, SIDE, 1), int(y.max()) + 1, seed=0)
    batches = int(np.ceil(len(x) / 64))
    epochs = max(1, round(options.dagan_steps / batches))
    begin = time.perf_counter()
    first = max(1, epochs // 10)
    dagan.fit(x, y, autoencoder_epochs=first, epochs=epochs, verbose=2)
    seconds = time.perf_counter() - begin
    print(f"DAGAN: {(first + epochs) * batches} steps in {seconds:.0f} s")
    print(f"Usefulness by epoch: {dagan.candidate_scores}")
    return dagan


def grown(x, y, dagan, seed):
    """The real drawings, and several from DAGAN for each of them."""
    labels = np.repeat(y, GROWTH)
    made = dagan.generate(labels, seed=seed, images=(x, y))
    return np.concatenate([x, made]), np.concatenate([y, labels])


def distortions():
    """The layer that is found for characters: `"elastic"`."""
    return kb.layers.ManualAugmentation(
        translation_factor=0.07, elastic_factor=0.04, seed=0
    )


ARMS = {
    "plain": (False, False),
    "DAGAN": (True, False),
    "layer": (False, True),
    "DAGAN, layer": (True, True),
}


def judge(arm, few, test, dagan, options, seed):
    """Accuracy on the other drawers' characters, and seconds of the training."""
    with_dagan, with_layer = ARMS[arm]
    keras.utils.set_random_seed(seed)
    begin = time.perf_counter()
    x, y = grown(*few, dagan, seed) if with_dagan else few
    network = kb.models.convnet((SIDE, SIDE, 1), int(test[1].max()) + 1)
    front = [distortions()] if with_layer else []
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), *front, network])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    # All arms take the same steps, whatever they have to learn from.
    data = kb.BalancedDataset(x, y, batch_size=64, seed=seed)
    for epoch in range(-(-options.steps // len(data))):
        left = options.steps - epoch * len(data)
        model.fit(data, steps_per_epoch=min(left, len(data)), verbose=0)
    accuracy = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    return accuracy, time.perf_counter() - begin


def save_grid(path, dagan, train):
    """Draw eight new characters, a real drawing and seven that DAGAN makes of it."""
    x, y = train
    rows = [np.flatnonzero(y == label)[0] for label in np.unique(y)[::17][:8]]
    made = [dagan.vary(np.repeat(x[[row]], 7, axis=0), seed=row) for row in rows]
    pictures = [
        np.concatenate([x[[row]], some]) for row, some in zip(rows, made, strict=True)
    ]
    grid = np.concatenate([np.concatenate(list(one), axis=1) for one in pictures])
    keras.utils.save_img(path, grid, scale=False)


def table(rows):
    """Mean accuracy of each arm, by the number of real drawings."""
    shots = sorted({row["shots"] for row in rows})
    lines = ["| | " + " | ".join(f"{n} drawings" for n in shots) + " |"]
    lines.append("|---" * (len(shots) + 1) + "|")
    for arm in ARMS:
        cells = [100 * mean(rows, arm, n) for n in shots]
        lines.append(f"| {arm} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    return "\n".join(lines)


def mean(rows, arm, shots):
    return np.mean(
        [row["accuracy"] for row in rows if (row["arm"], row["shots"]) == (arm, shots)]
    )


if __name__ == "__main__":
    main()
