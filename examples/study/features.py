"""Features of EfficientNet-Lite0 for the study: CIFAR-10 and the magnetic tiles.

    cd examples
    python -m study.features --cifar10 cifar10.zip --tiles tiles.zip --out FOLDER

Pictures come to 224 by 224 pixels (Pillow, bicubic). Of CIFAR-10: 600 training images a
class, drawn with a fixed seed, and the whole test set. Less than an hour on two cores.
"""

import argparse
import io
import pathlib
import zipfile

import keras
import numpy as np
from PIL import Image

from study.efficientnet_lite import efficientnet_lite0
from study.files import write_arrays

SIDE, POOL, POOL_SEED, BATCH = 224, 600, 20261127, 32
# Where the network is cut for training its last layers.
CUT = "block14_add"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cifar10", help="zip of class folders in train/ and test/")
    parser.add_argument("--tiles", help="zip of class folders")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    network = efficientnet_lite0()
    front = keras.Model(network.input, network.get_layer(CUT).output)
    if options.tiles:
        files, labels = index(options.tiles, "magnetic_tiles/")
        write_arrays(
            options.out / "tiles.npz",
            features=look(network, options.tiles, files),
            labels=labels,
        )
        maps = look(front, options.tiles, files, dtype="float16")
        write_arrays(options.out / "tiles_maps.npz", features=maps, labels=labels)
    if options.cifar10:
        files, labels = index(options.cifar10, "cifar10/train/")
        pool = draw_pool(labels)
        test, test_labels = index(options.cifar10, "cifar10/test/")
        write_arrays(
            options.out / "cifar10.npz",
            features_train=look(network, options.cifar10, files[pool]),
            mirrored_train=look(network, options.cifar10, files[pool], mirror=True),
            labels_train=labels[pool],
            features_test=look(network, options.cifar10, test),
            mirrored_test=look(network, options.cifar10, test, mirror=True),
            labels_test=test_labels,
        )
        write_arrays(
            options.out / "cifar10_maps.npz",
            train=look(front, options.cifar10, files[pool], dtype="float16"),
            labels_train=labels[pool],
            test=look(front, options.cifar10, test, dtype="float16"),
            labels_test=test_labels,
        )


def index(path, top):
    """Paths in a zip, and class indices, in the order of the sorted folders."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
    files = np.array([name for name in names if name.startswith(top)])
    folders = [name.split("/")[-2] for name in files]
    return files, np.unique(folders, return_inverse=True)[1]


def draw_pool(labels):
    """Rows of 600 images of each class."""
    rng = np.random.default_rng(POOL_SEED)
    rows = [rng.permutation(np.flatnonzero(labels == c))[:POOL] for c in range(10)]
    return np.concatenate([np.sort(part) for part in rows])


def look(network, path, files, mirror=False, dtype="float32"):
    """What a network gives for the files of a zip."""
    given = []
    with zipfile.ZipFile(path) as archive:
        for start in range(0, len(files), BATCH):
            images = [read(archive, name) for name in files[start : start + BATCH]]
            images = np.stack(images)[:, :, ::-1] if mirror else np.stack(images)
            given.append(network.predict(images, verbose=0).astype(dtype))
    return np.concatenate(given)


def read(archive, name):
    image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
    return np.asarray(image.resize((SIDE, SIDE), Image.BICUBIC), "float32")


if __name__ == "__main__":
    main()
