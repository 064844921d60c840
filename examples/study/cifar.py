"""CIFAR-10, the original or pictures in class folders, and the parts taken of it."""

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
PATH_HELP = "CIFAR-10: folder of its binary version, or a zip of class folders"


def parser(doc):
    """Build a parser of the options that every script on these photographs has."""
    found = argparse.ArgumentParser(description=doc.splitlines()[0])
    found.add_argument("--path", required=True, help=PATH_HELP)
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
    """Read the folder of the binary version, or a zip of pictures in class folders.

    A copy in class folders has numbers for names, from 0 on in the original's order
    within each class: then both give the same images in the same order, and any draw
    of them is the same.
    """
    path = pathlib.Path(path)
    read = _read_binary if path.is_dir() else _read_zip
    images, labels, numbers, is_test = read(path)
    order = np.lexsort((numbers, labels, ~is_test))
    images, labels, is_test = images[order], labels[order], is_test[order]
    ranks = _ranks()
    rank = np.array([ranks[c][n] for c, n in zip(labels, numbers[order], strict=True)])
    ranked = []
    for label in range(len(CLASSES)):
        mine = np.flatnonzero(~is_test & (labels == label))
        ranked.append(mine[np.argsort(rank[mine])])
    return Photographs(images, labels, ranked, np.flatnonzero(is_test))


def load_data(path):
    """Read it as Keras' loaders give their data: `((x, y), (x_test, y_test))`."""
    found = load(path)
    is_test = np.isin(np.arange(len(found.labels)), found.test)
    return [(found.images[rows], found.labels[rows]) for rows in (~is_test, is_test)]


def long_tail(largest, smallest):
    """Counts of the classes that fall by the same factor from one to the next."""
    ratio = smallest / largest
    return [int(largest * ratio ** (n / 9)) for n in range(10)]


def _read_zip(path):
    """Images, classes, numbers within the class, and which are for testing."""
    with zipfile.ZipFile(path) as archive:
        names = _pictures(archive)
        contents = [archive.read(name) for name in names]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_decode, contents, chunksize=200)))
    splits, labels, files = zip(*map(_parts, names), strict=True)
    labels = np.array([CLASSES.index(label) for label in labels])
    numbers = np.array([_number(file) for file in files])
    return images, labels, numbers, np.array(splits) == "test"


def _read_binary(folder):
    """The same of the binary version's files, numbered as they come."""
    training = [f"data_batch_{number}.bin" for number in range(1, 6)]
    parts = []
    for names, is_test in ((training, False), (["test_batch.bin"], True)):
        values = np.concatenate([np.fromfile(folder / name, "uint8") for name in names])
        rows = values.reshape(-1, 1 + 3 * 32 * 32)  # a label, then red, green, blue
        labels = rows[:, 0].astype(int)
        numbers = np.empty_like(labels)
        for label in range(len(CLASSES)):
            mine = labels == label
            numbers[mine] = np.arange(mine.sum())
        images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        parts.append((images, labels, numbers, np.full(len(labels), is_test)))
    return [np.concatenate(one) for one in zip(*parts, strict=True)]


def _pictures(archive):
    return sorted(n for n in archive.namelist() if n.endswith((".jpg", ".png")))


def _parts(name):
    """Training or test, class, file."""
    return pathlib.PurePosixPath(name).parts[-3:]


def _ranks():
    """A rank for every number of a file, class by class."""
    return [np.random.default_rng([0, n]).permutation(PER_CLASS) for n in range(10)]


def _number(file):
    return int(pathlib.PurePosixPath(file).stem)


def _decode(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
