"""What decides on the batches of a data set, as plain data that can be compared."""

import dataclasses
import hashlib

import numpy as np

from keras_balance.data import LabelledImages
from keras_balance.utils.plain_data import is_plain

_NAMES = (
    "seed",
    "num_batches",
    "class_counts",
    "batch_size",
    "shuffle",
    "dtype",
    "mix",
    "refresh",
    "synthetic_weight",
)
# Bytes in memory that are looked at as a whole, which takes a part of a second.
_MOST = 2**28
_FEW = 32


def data_notes(dataset):
    """Note what decides on the batches, as far as a look at a few images tells.

    Args:
        dataset: A `BalancedDataset`, whose images are looked at: all where they lie in
            memory and are no more than a part of a second's work, else a few. Or
            another `PyDataset`; or None.

    Returns:
        dict of plain data by name; None for None.
    """
    if dataset is None:
        return None
    found = {name: _plain(getattr(dataset, name, None)) for name in _NAMES}
    images = getattr(dataset, "images", None)
    if isinstance(images, LabelledImages):
        found["images"] = _digest(images)
        found["synthesizer"] = _called(dataset.synthesizer)
    return found


def _plain(value):
    # Arrays do not say in a word whether they are equal.
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_plain(value):
        return value
    return repr(value) if dataclasses.is_dataclass(value) else _name(value)


def _called(synthesizer):
    """Name of what fills the classes; of a mixture, the share of each."""
    if isinstance(synthesizer, dict):
        return {_called(maker): float(part) for maker, part in synthesizer.items()}
    if synthesizer is None:
        return "repeat"
    return synthesizer if isinstance(synthesizer, str) else _name(synthesizer)


def _name(value):
    return getattr(value, "__name__", type(value).__name__)


def _digest(images):
    """Hash of images, their classes and weights."""
    source = images.source
    digest = hashlib.sha256(f"{source.shape} {source.dtype}".encode())
    digest.update(images.indices.astype("int64").tobytes())
    if images.sample_weight is not None:
        digest.update(np.ascontiguousarray(images.sample_weight))
    digest.update(_pixels(source))
    return digest.hexdigest()


def _pixels(source):
    """Pixels of all images in memory, of a few others; none where they are drawn."""
    size = np.prod(source.shape, dtype="int64") * source.dtype.itemsize
    if source.in_memory and size <= _MOST:
        return np.ascontiguousarray(source[:])
    rows = np.linspace(0, len(source) - 1, min(len(source), _FEW)).astype("int64")
    first, again = (np.ascontiguousarray(source.take(rows)) for _ in range(2))
    # What a torch data set gives may be augmented, by numbers that nobody keeps.
    return first if np.array_equal(first, again, equal_nan=True) else b""
