"""What decides on the batches of a data set, as plain data that can be compared."""

import dataclasses

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
        found["images"] = images.fingerprint(at_a_glance=True)
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
