"""MNIST."""

import numpy as np

from keras_balance.datasets.archive import GARBLED, Archive, check_path
from keras_balance.datasets.download import fetch
from keras_balance.datasets.idx import load_idx_pair

# The file of keras.datasets.mnist, shared with it in the cache.
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path=None):
    """Load MNIST, 70,000 handwritten digits.

    Args:
        path: Optional path, and then no network is used: a folder or a zip that
            holds the four idx files under their own names
            (`train-images-idx3-ubyte.gz` and so on, with `.gz` or without), or
            Keras' `mnist.npz` or a folder that holds it. Without it, `mnist.npz`
            is downloaded once into Keras' cache, and its SHA-256 checked.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(n, 28, 28)` in 0..255,
        white on black; labels int64 `(n,)` in 0..9; 60,000 and 10,000 of them.

    Raises:
        FileNotFoundError: When `path`, or a file in it, is missing.
        OSError: When there is no `path` and the download fails.
        ValueError: For a truncated, garbled or foreign file.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data("data/mnist")

    Reference:
        Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-Based Learning
        Applied to Document Recognition, 1998.
    """
    path = fetch(_URL, "mnist.npz", _SHA256) if path is None else check_path(path)
    if (path / "mnist.npz").is_file():
        path = path / "mnist.npz"
    if path.suffix == ".npz":
        return _load_npz(path)
    with Archive(path) as archive:
        return tuple(
            load_idx_pair(
                archive, f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
            )
            for part in ("train", "t10k")
        )


def _load_npz(path):
    try:
        # Opened here, since NumPy leaves a file that is no zip open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            splits = tuple(
                (content[f"x_{part}"], content[f"y_{part}"])
                for part in ("train", "test")
            )
    except (
        *GARBLED,
        KeyError,
        RuntimeError,  # encrypted, or packed in a way that nobody has
        OSError,  # a place in the zip that lies before its beginning
        TypeError,  # a lone array in place of an npz
        ValueError,  # also pickled content, which NumPy refuses
    ) as error:
        raise ValueError(
            "`path` must hold the plain arrays x_train, y_train, x_test, y_test. "
            f"Received: {path} of {path.stat().st_size} bytes ({error})"
        ) from error
    for x, y in splits:
        if x.dtype != "uint8" or x.ndim != 3 or y.shape != x.shape[:1]:
            raise ValueError(
                "`path` must hold uint8 images (n, rows, columns) and n labels. "
                f"Received: {path} with x {x.dtype} {x.shape} and y {y.dtype} {y.shape}"
            )
        if y.dtype.kind not in "iu" or not ((y >= 0) & (y < 10)).all():
            raise ValueError(
                "`path` must hold digits from 0 to 9 as labels. "
                f"Received: {path} with y {y.dtype} such as {y[:3].tolist()}"
            )
    return tuple((x, y.astype("int64")) for x, y in splits)
