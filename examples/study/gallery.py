"""The pictures of `docs/gallery.md`, made anew.

    cd examples
    python -m study.gallery --emnist FOLDER --fashion FOLDER --cifar10 ZIP --tiles ZIP \
        --features FOLDER

EMNIST's and Fashion-MNIST's own files, the zips of `study.features`, and the features
that it has computed. What has no data is left out. The generators take
minutes each, all else seconds; `--only` makes some parts alone.
"""

import argparse
import pathlib
import tempfile
import zipfile

import keras
import numpy as np
from matplotlib.image import imsave
from PIL import Image, ImageOps
from sklearn.model_selection import StratifiedKFold

import keras_balance as kb
from study import features, pretrained
from study.arms import ELASTIC, SHIFT
from study.cifar import CLASSES
from study.experiment import draw, load
from study.files import atomic_path
from study.gallery_pictures import save_copies, save_mixed
from study.places import DOCS, GALLERY

SIDE = 96  # of a magnetic tile in the pictures
RARE_DIGIT, RARE_TILE, RARE_PHOTOGRAPH = 8, "crack", "ship"
DIGITS = [*"0123456789"]
CLOTHES = [
    *("top", "trousers", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
]
OTHERS = 24  # images of each other class that are mixed
SEED = 0
GENERATORS = {
    "bagan": kb.models.BAGAN,
    "vae": kb.models.VAE,
    "cvae_gan": kb.models.CVAEGAN,
}
PARTS = ("layers", "mixing", "ships", "curves", *GENERATORS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--emnist", help="folder of EMNIST's files, for digits and generators")
    add("--fashion", help="folder of Fashion-MNIST's files")
    add("--cifar10", help="zip of class folders in train/ and test/")
    add("--tiles", help="zip of class folders")
    add("--features", type=pathlib.Path, help="folder of `study.features`")
    add("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    options = parser.parse_args()
    sets = image_sets(options)
    for part in options.only:
        for name, images in sets.items():
            if part == "layers":
                save_copies(GALLERY / f"layers_{name}.png", layers(), first(images))
            elif part == "mixing":
                save_mixed(GALLERY / f"mixing_{name}.png", *some(*images), seed=SEED)
        if part == "ships" and options.cifar10:
            save_ships(options.cifar10)
        elif part == "curves" and options.features:
            save_curves(options.features)
        elif part in GENERATORS and options.emnist:
            save_generator(part, sets["digits"])


def image_sets(options):
    """Images, labels, names of the classes, and the rare class, by data set."""
    sets = {}
    if options.emnist:
        sets["digits"] = few_of_a_class("emnist", options.emnist, DIGITS, RARE_DIGIT)
    if options.fashion:
        clothes = "fashion_mnist", options.fashion, CLOTHES, CLOTHES.index("boot")
        sets["clothes"] = few_of_a_class(*clothes)
    if options.tiles:
        sets["tiles"] = tiles(options.tiles)
    if options.cifar10:
        sets["photographs"] = photographs(options.cifar10)
    return sets


def few_of_a_class(dataset, path, names, rare):
    """240 images a class, twelve of the rare one."""
    task = draw(load(dataset, path), SEED, ".", minority=rare, per_class=240)
    return *task.imbalanced, names, rare


def tiles(path):
    """Some tiles of each class, cut to a square."""
    files, labels = features.index(path, "magnetic_tiles/")
    names = sorted({name.split("/")[-2] for name in files})
    rows = np.concatenate([np.flatnonzero(labels == c)[:OTHERS] for c in range(6)])
    with zipfile.ZipFile(path) as archive:
        pictures = [Image.open(archive.open(name)).convert("L") for name in files[rows]]
        x = np.stack([np.asarray(ImageOps.fit(p, (SIDE, SIDE))) for p in pictures])
    return x[..., None], labels[rows], names, names.index(RARE_TILE)


def photographs(path):
    """The twelve ships of the study's first draw, and some of every other class."""
    files, labels = features.index(path, "cifar10/train/")
    pool = features.draw_pool(labels)
    rows = pool[pretrained.draw(labels[pool], SEED)].reshape(10, -1)
    rare = CLASSES.index(RARE_PHOTOGRAPH)
    rows = [
        some[: pretrained.RARE_IMAGES if c == rare else OTHERS]
        for c, some in enumerate(rows)
    ]
    rows = np.concatenate(rows)
    with zipfile.ZipFile(path) as archive:
        x = np.stack([np.asarray(Image.open(archive.open(n))) for n in files[rows]])
    return x, labels[rows], CLASSES, rare


def first(images):
    """The first image of the rare class, `(1, height, width, channels)`."""
    x, y, _, rare = images
    return x[y == rare][:1]


def some(x, y, names, rare):
    """At most so many images of each class."""
    rows = [np.flatnonzero(y == c)[:OTHERS] for c in np.unique(y)]
    rows = np.concatenate(rows)
    return x[rows], y[rows], names, rare


def layers():
    """What can stand in front of a model, by name."""
    still = {"rotation_factor": 0, "zoom_factor": 0, "noise_factor": 0}
    return {
        "noise": kb.layers.RandomGaussianNoise(0.1, seed=SEED),
        "shift": kb.layers.ManualAugmentation(**SHIFT, fill_mode="reflect", seed=SEED),
        "manual": kb.layers.ManualAugmentation(fill_mode="reflect", seed=SEED),
        "bent": kb.layers.ManualAugmentation(
            **still,
            elastic_factor=ELASTIC["elastic_factor"],
            fill_mode="reflect",
            seed=SEED,
        ),
        "elastic": kb.layers.ManualAugmentation(
            **ELASTIC, fill_mode="reflect", seed=SEED
        ),
        "crop, flip": kb.layers.PhotoAugmentation(
            colour_factor=0, erase_factor=0, seed=SEED
        ),
        "photo": kb.layers.PhotoAugmentation(seed=SEED),
    }


def save_ships(path):
    """Write the ships of the first draw side by side, for the README's picture."""
    x, y, _, rare = photographs(path)
    with atomic_path(DOCS / "ships.png") as temporary:
        imsave(temporary, np.concatenate([*x[y == rare]], axis=1), format="png")


def save_generator(name, images):
    """Train a generator; keep what it makes as it learns, as the paper's Figure 4."""
    x, y, _, _ = images
    keras.utils.set_random_seed(SEED)
    model = GENERATORS[name](x.shape[1:], 10, seed=SEED)
    with tempfile.TemporaryDirectory() as folder:
        pictures = kb.callbacks.GeneratedImages(folder)
        model.fit(x, y, callbacks=[pictures], verbose=2)
        strip = Image.open(pathlib.Path(folder, "strip.png")).convert("L")
        with atomic_path(GALLERY / f"{name}.png") as temporary:
            strip.save(temporary, format="png", optimize=True)


def save_curves(folder):
    """Draw what each strength of the adjustment finds: ships, and magnetic tiles."""
    with np.load(folder / "cifar10.npz") as held:
        x, y = held["features_train"], held["labels_train"]
        test = held["features_test"], held["labels_test"]
    rows, rare = pretrained.draw(y, SEED), CLASSES.index(RARE_PHOTOGRAPH)
    rows = pretrained.few_of(y, rows, rare)
    save_curve("ship", (x[rows], y[rows]), test, "uniform", CLASSES, [rare])
    with np.load(folder / "tiles.npz") as held:
        x, y = held["features"], held["labels"]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    train, test = next(folds.split(x, y))
    train, test = (x[train], y[train]), (x[test], y[test])
    save_curve("tiles", train, test, "natural", pretrained.TILES, [0, 1, 2, 3])


def save_curve(name, train, test, prior, names, rare):
    """Draw the scores on the test set, and mark what was found on the training data."""
    x, y = train
    counts = np.bincount(y)
    auto = kb.tuners.AutoAdjustment(target_prior=prior, seed=SEED)
    auto.fit_predictions(out_of_fold(x, y), y, counts)
    probabilities = np.exp(pretrained.regression(x, y, test[0]))
    kb.metrics.save_adjustment_curves(
        GALLERY / f"curves_{name}.png",
        test[1],
        probabilities,
        counts,
        rare,
        auto.tau,
        prior,
        names,
    )


def out_of_fold(x, y):
    """Probabilities of images that the regression was not trained on."""
    given = np.zeros((len(y), y.max() + 1))
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    for train, left_out in folds.split(x, y):
        given[left_out] = np.exp(pretrained.regression(x[train], y[train], x[left_out]))
    return given


if __name__ == "__main__":
    main()
