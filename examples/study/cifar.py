"""CIFAR-10 from a zip of JPEG files in class folders, and the parts taken of it."""

import argparse
import concurrent.futures
import dataclasses
import io
import pathlib
import zipfile

import numpy as np
from PIL import Image

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PER_CLASS = 5000


def parser(doc):
    """Build a parser of the options that every script on these photographs has."""
    found = argparse.ArgumentParser(description=doc.splitlines()[0])
    found.add_argument("--path", required=True, help="zip of JPEGs in class folders")
    found.add_argument("--out", required=True, type=pathlib.Path, help="folder")
    found.add_argument("--replicas", type=int, default=1)
    found.add_argument("--budget", type=float, default=1e9, help="seconds")
    return found


@dataclasses.dataclass(frozen=True)
class Photographs:
    """All images in one array, and where to find which.

    Attributes:
        images: uint8 `(n, 32, 32, 3)`, training and test images.
        labels: Class of each.
        ranked: For each class, indices of its training images in a drawn order that
            is the same whatever part of the file is there.
        test: Indices of the test images.
    """

    images: np.ndarray
    labels: np.ndarray
    ranked: list
    test: np.ndarray

    def training(self, counts, first=(0,) * 10):
        """Indices of so many images of each class from a rank on, and their classes."""
        taken = [
            one[begin : begin + count]
            for one, count, begin in zip(self.ranked, counts, first, strict=True)
        ]
        short = [len(one) for one in taken]
        if short != list(counts):
            raise ValueError(
                f"There must be {list(counts)} training images. Received: {short}"
            )
        taken = np.concatenate(taken)
        return taken, self.labels[taken]


def load(path):
    """Read the zip, or a smaller one that `pack` has made."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))
        contents = [archive.read(name) for name in names]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_decode, contents, chunksize=200)))
    parts = [pathlib.PurePosixPath(name).parts[-3:] for name in names]
    labels = np.array([CLASSES.index(label) for _, label, _ in parts])
    is_test = np.array([split == "test" for split, _, _ in parts])
    ranks = _ranks()
    rank = np.array([ranks[CLASSES.index(c)][_number(f)] for _, c, f in parts])
    ranked = []
    for label in range(len(CLASSES)):
        mine = np.flatnonzero(~is_test & (labels == label))
        ranked.append(mine[np.argsort(rank[mine])])
    return Photographs(images, labels, ranked, np.flatnonzero(is_test))


def load_data(path):
    """Read the zip as Keras' loaders give their data: `((x, y), (x_test, y_test))`."""
    found = load(path)
    is_test = np.isin(np.arange(len(found.labels)), found.test)
    return [(found.images[rows], found.labels[rows]) for rows in (~is_test, is_test)]


def pack(source, target, counts):
    """Copy the test images and the first `counts` ranked training images of a class."""
    ranks = _ranks()
    with (
        zipfile.ZipFile(source) as archive,
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as smaller,
    ):
        for name in sorted(n for n in archive.namelist() if n.endswith(".jpg")):
            split, label, file = pathlib.PurePosixPath(name).parts[-3:]
            place = CLASSES.index(label)
            if split == "test" or ranks[place][_number(file)] < counts[place]:
                smaller.writestr(f"{split}/{label}/{file}", archive.read(name))


def long_tail(largest, smallest):
    """Counts of the classes that fall by the same factor from one to the next."""
    ratio = smallest / largest
    return [int(largest * ratio ** (n / 9)) for n in range(10)]


def _ranks():
    """A rank for every number of a file, class by class."""
    return [np.random.default_rng([0, n]).permutation(PER_CLASS) for n in range(10)]


def _number(file):
    return int(pathlib.PurePosixPath(file).stem)


def _decode(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
