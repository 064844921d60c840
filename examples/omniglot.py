"""DAGAN on Omniglot: trained on some alphabets, used for characters it never saw.

    python examples/omniglot.py --path FOLDER

The folder holds `images_background_small1.zip` and `images_background_small2.zip`. A
DAGAN learns from all drawings of the first how drawings of one character differ. A
ConvNet then learns the characters of the second from 5, 10 or 15 drawings each, and is
tested on five other people's: plain, with five images of DAGAN's to each drawing, with
a layer of random distortions in front, and with both. Every arm takes as many steps.
"""

import argparse
import pathlib
import time

import keras
import numpy as np

import keras_balance as kb
from study.line_tables import tables_of
from study.lines import Lines

SIDE = 28
LENGTHS = ("dagan_steps", "gan_steps", "steps")  # of trainings, as the options say
GROWTH = 5  # images of a character from DAGAN, in parts of the real ones


def main(argv=None):
    options = parse(argv)
    folder, output = pathlib.Path(options.path), pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    (x, y), (x_more, y_more) = load(folder / "images_background_small1.zip")
    x, y = np.concatenate([x, x_more]), np.concatenate([y, y_more])
    dagan = fit_dagan(x, y, output, options)
    train, test = load(folder / "images_background_small2.zip")
    save_grid(output / "dagan.png", dagan, train)
    lengths = {name: getattr(options, name) for name in LENGTHS}
    cells = Lines(output / "omniglot.jsonl", ["data", "draw", "arm", *LENGTHS])
    for seed in range(options.seeds):
        for shots in options.shots:
            few = take(*train, shots, seed)
            for arm in ARMS:
                cell = {"data": f"{shots} drawings a character", "draw": seed}
                cell |= {"arm": arm, **lengths}
                if cell not in cells:
                    cells.add(cell | judge(arm, few, test, dagan, options, seed))
    print(tables_of(cells.path))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--path", required=True, help="folder of the two zips")
    add("--output", default="results/omniglot", help="folder of the results")
    add("--dagan-steps", type=int, default=1500, help="steps of DAGAN's first phase")
    add("--gan-steps", type=int, default=1000, help="steps of its second phase")
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


def fit_dagan(x, y, output, options):
    """Train a DAGAN, or go on where it was killed."""
    dagan = kb.models.DAGAN((SIDE, SIDE, 1), int(y.max()) + 1, seed=0)
    batches = int(np.ceil(len(x) / 64))
    first, last = (
        max(1, round(steps / batches))
        for steps in (options.dagan_steps, options.gan_steps)
    )
    begin = time.perf_counter()
    backup = kb.callbacks.ResumableBackup(output / f"dagan-{first}-{last}.backup")
    dagan.fit(
        x,
        y,
        autoencoder_epochs=first,
        epochs=last,
        callbacks=[backup],
        initial_epoch=backup.epoch,
        verbose=2,
    )
    seconds = time.perf_counter() - begin
    print(f"DAGAN: {(first + last) * batches} steps in {seconds:.0f} s")
    print(f"Usefulness by epoch: {dagan.candidate_scores}")
    return dagan


def feed(few, dagan, seed):
    """Batches of the real drawings and, in each epoch anew, several made of each."""
    if dagan is None:
        return kb.BalancedDataset(*few, batch_size=64, seed=seed)
    counts = np.bincount(few[1]) * (1 + GROWTH)
    return kb.BalancedDataset(
        *few,
        batch_size=64,
        synthesizer=dagan.starting_from(few),
        sampling_strategy=dict(enumerate(counts.tolist())),
        seed=seed,
    )


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
    """Accuracy on the other people's drawings, and seconds of the training."""
    with_dagan, with_layer = ARMS[arm]
    keras.utils.set_random_seed(seed)
    begin = time.perf_counter()
    network = kb.models.convnet((SIDE, SIDE, 1), int(test[1].max()) + 1)
    front = [distortions()] if with_layer else []
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), *front, network])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    # All arms take the same steps, whatever they have to learn from.
    data = feed(few, dagan if with_dagan else None, seed)
    for epoch in range(-(-options.steps // len(data))):
        left = options.steps - epoch * len(data)
        model.fit(data, steps_per_epoch=min(left, len(data)), verbose=0)
    accuracy = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    seconds = time.perf_counter() - begin
    return {"accuracy": round(accuracy, 4), "seconds": round(seconds, 1)}


def save_grid(path, dagan, train):
    """Draw eight new characters: a real drawing, a line, seven that DAGAN makes."""
    x, y = train
    rows = [np.flatnonzero(y == label)[0] for label in np.unique(y)[::17][:8]]
    made = [dagan.vary(np.repeat(x[[row]], 7, axis=0), seed=row) for row in rows]
    line = np.full((SIDE, 2, 1), 255)
    grid = np.concatenate(
        [
            np.concatenate([x[row], line, *some], axis=1)
            for row, some in zip(rows, made, strict=True)
        ]
    )
    grid = grid.repeat(2, axis=0).repeat(2, axis=1)
    keras.utils.save_img(path, grid, scale=False)


if __name__ == "__main__":
    main()
