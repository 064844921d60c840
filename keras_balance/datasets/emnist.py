"""EMNIST: handwritten digits and letters."""

import numpy as np

from keras_balance.datasets.archive import Archive, check_path
from keras_balance.datasets.download import fetch
from keras_balance.datasets.idx import load_idx_pair
from keras_balance.utils.numbers import choice

_URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
_SHA256 = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"

_NUM_CLASSES = {
    "byclass": 62,
    "bymerge": 47,
    "balanced": 47,
    "letters": 26,
    "digits": 10,
    "mnist": 10,
}


def load_data(split="digits", path=None):
    """Load EMNIST, one of its six splits.

    Args:
        split: `"byclass"` (62 classes), `"bymerge"` (47), `"balanced"` (47),
            `"letters"` (26), `"digits"` (10) or `"mnist"` (10).
        path: Optional path, and then no network is used: EMNIST's `gzip.zip`, the
            folder `gzip` with its files, or a folder that holds one of them.
            Without it, `gzip.zip` (536 MiB) is downloaded once into Keras' cache,
            and its SHA-256 checked.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(n, 28, 28)` in 0..255,
        white on black and upright (the files hold them transposed); labels int64
        `(n,)` in `0..num_classes - 1`, those of `"letters"` too, which the files
        count from 1. `n` is what the files say.

    Raises:
        FileNotFoundError: When `path`, or a file in it, is missing.
        OSError: When there is no `path` and the download fails.
        ValueError: For an unknown split and a truncated, garbled or foreign file.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data("letters", "data/emnist")
        >>> class_names("letters", "data/emnist")[y_train[0]]
        'W'

    Reference:
        G. Cohen, S. Afshar, J. Tapson and A. van Schaik, EMNIST: Extending MNIST to
        Handwritten Letters, 2017.
    """
    _check_split(split)
    with _open(path) as archive:
        return tuple(_load_part(archive, split, part) for part in ("train", "test"))


def class_names(split="digits", path=None):
    """Read the characters of a split's labels from its mapping file.

    Args:
        split: As in `load_data`.
        path: As in `load_data`.

    Returns:
        List of one-character strings: label `i` means `class_names[i]`. A class
        of both cases goes by the capital.

    Raises:
        FileNotFoundError: When `path`, or a file in it, is missing.
        OSError: When there is no `path` and the download fails.
        ValueError: For an unknown split and a garbled file.

    Example:
        >>> class_names("digits", "data/emnist")
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
    """
    _check_split(split)
    with _open(path) as archive:
        name = archive.find(f"emnist-{split}-mapping.txt")
        content = archive.read(name)
    try:
        rows = [
            [int(number) for number in line.split()] for line in content.splitlines()
        ]
        codes = {row[0] - _first_label(split): row[1] for row in rows if row}
        return [chr(codes[label]) for label in range(_NUM_CLASSES[split])]
    except (IndexError, KeyError, OverflowError, ValueError) as error:
        raise ValueError(
            "A mapping file must hold a line `label code` for each of the "
            f"{_NUM_CLASSES[split]} classes. "
            f"Received: {archive.describe(name)} of {len(content)} bytes"
        ) from error


def _open(path):
    if path is None:
        return Archive(fetch(_URL, "emnist-gzip.zip", _SHA256))
    path = check_path(path)
    zipped = path / "gzip.zip"
    return Archive(zipped if zipped.is_file() else path)


def _load_part(archive, split, part):
    x, y = load_idx_pair(
        archive,
        f"emnist-{split}-{part}-images-idx3-ubyte",
        f"emnist-{split}-{part}-labels-idx1-ubyte",
    )
    y -= _first_label(split)
    if y.min() < 0 or y.max() >= _NUM_CLASSES[split]:
        first, last = y.min() + _first_label(split), y.max() + _first_label(split)
        raise ValueError(
            f"The {_NUM_CLASSES[split]} classes of split={split!r} must count from "
            f"{_first_label(split)}. Received: labels {first}..{last} in {archive.path}"
        )
    return np.ascontiguousarray(x.transpose(0, 2, 1)), y


def _first_label(split):
    return 1 if split == "letters" else 0


def _check_split(split):
    choice("split", split, sorted(_NUM_CLASSES))
