"""The arguments of `BalancedDataset`, checked at its boundary."""

import warnings

import keras
import numpy as np

from keras_balance.utils.numbers import choice, real_number, whole_number

_CHANNELS = (1, 3, 4)


def batch_size(value):
    """`batch_size` as a positive int."""
    return whole_number("batch_size", value, 1)


def leaves_all(sampling_strategy):
    """Whether a `sampling_strategy` leaves every class as it is: an empty dict."""
    return isinstance(sampling_strategy, dict) and not sampling_strategy


def data_format(value, x, shape):
    """`data_format` of images `(n, ...)` of a shape: as given, as `x` says, or Keras'.

    Warns where the shape speaks against what Keras is set to.
    """
    choice("data_format", value, (None, "channels_last", "channels_first"))
    found = value or getattr(x, "data_format", None)
    if found is not None:
        return found
    found = keras.config.image_data_format()
    is_last = found == "channels_last"
    other, *rest = shape[1:] if is_last else shape[:0:-1]
    if other in _CHANNELS and min(rest) > max(_CHANNELS):
        likely = "channels_first" if is_last else "channels_last"
        warnings.warn(
            f"Images of shape {tuple(shape[1:])} are taken for {found!r}, as Keras is "
            f'set to. Give `data_format="{likely}"`, or {found!r} where that is right, '
            "to `kb.data.LabelledImages` where the call takes none.",
            stacklevel=5,
        )
    return found


def options(kwargs):
    """`kwargs` as they are: arguments of `keras.utils.PyDataset`."""
    for name in kwargs.keys() - {"workers", "use_multiprocessing", "max_queue_size"}:
        raise TypeError(
            f"`BalancedDataset` has no argument `{name}`. "
            f"Received: {name}={kwargs[name]!r}"
        )
    return kwargs


def epoch(value):
    """`epoch` as a non-negative int."""
    return whole_number("epoch", value, 0)


def refresh(value):
    """`refresh` as it is: a bool or a non-negative number of epochs."""
    return value if isinstance(value, bool) else whole_number("refresh", value, 0)


def synthetic_weight(value):
    """`synthetic_weight` as a float, or None."""
    return None if value is None else real_number("synthetic_weight", value, 0)


def synthesizer(value):
    """`synthesizer` as it is: an object that generates images."""
    if not hasattr(value, "generate"):
        raise TypeError(
            "`synthesizer` must have `generate(labels, seed=None)`. "
            f"Received: synthesizer={value!r}"
        )
    return value


def can_mix(images):
    """Raise a `ValueError` for other entries, of which each is of one image."""
    if images.has_companions:
        raise ValueError(
            "`mix` must be None where `x` or `y` has other entries: these are of one "
            "image, and nobody knows them for a mixed one. Received: mix beside them"
        )


def batch_dtype(value, held, mix):
    """`dtype` as that of NumPy: float32, or the one in which integers are held.

    Args:
        value: The argument.
        held: NumPy dtype of the images.
        mix: `Mix` or None.
    """
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    allowed = ["float32"] + [str(held)] * (held.kind in "iu")
    if value is None or str(dtype) not in allowed:
        raise ValueError(
            f"`dtype` must be one of {allowed} for images of {held}. "
            f"Received: dtype={value!r}"
        )
    if dtype.kind != "f" and mix is not None and mix.kind == "mixup":
        raise ValueError(
            '`dtype` must be "float32" with `mix="mixup"`, whose pixels lie between '
            f"those of two images. Received: dtype={value!r}"
        )
    return dtype


def can_choose(images):
    """Raise a `ValueError` where a choice could be what other entries do not allow."""
    if images.has_companions:
        raise ValueError(
            "`synthesizer` must be no automatic choice where `x` or `y` has other "
            "entries, since it may choose a generator, for whose images nobody knows "
            "these. Let it choose for the images and their labels alone, and pass what "
            "is chosen. Received: x or y with other entries"
        )


def trainable(encoding):
    """Raise a `ValueError` for labels that are strings, which no loss takes."""
    if encoding.form != "one_hot" and encoding.dtype.kind in "US":
        raise ValueError(
            "A model must get numbers for labels. Give class indices, and the names to "
            "the reports: `names, indices = np.unique(y, return_inverse=True)`. "
            f"Received: y with the classes {encoding.classes.tolist()}"
        )


def fits_devices(total, batch_size):
    """Raise a `ValueError` where `keras.distribution` could not split a batch."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return
    mesh = distribution.device_mesh
    devices = mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]
    if batch_size % devices or total % devices:
        raise ValueError(
            f"With {devices} devices, `batch_size` and the images of an epoch must be "
            f"multiples of {devices}: `sampling_strategy` as a dict sets their number. "
            f"Received: batch_size={batch_size} and {total} images"
        )
