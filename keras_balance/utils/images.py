"""Images as arrays: what is accepted, and the scales they are held in."""

import math
import struct
import zlib

import numpy as np

# What decoders of pictures raise for a file that is truncated, garbled or none of
# theirs; Pillow's `DecompressionBombError` comes on top.
BROKEN_PICTURE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
# Images, and numbers in them, that are looked at together: 16 MiB as float32.
_IMAGES, _NUMBERS = 4096, 2**22


def check_images(x, name="x"):
    """Check a batch of images without copying it.

    Args:
        x: Array-like `(n, height, width, channels)` (or channels first) of
            numbers, read in slices, so that a `numpy.memmap` or an HDF5
            data set stays where it is.
        name: Name of the argument in error messages.

    Raises:
        TypeError: When `x` is no array of numbers.
        ValueError: For another rank, no image, an empty image, or a pixel that
            is NaN or infinite (its index is given).
    """
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        raise TypeError(
            f"`{name}` must be an array of images. Received: {name} of type {type(x)}"
        )
    if len(x.shape) != 4:
        hint = f"Give {name}[..., None]. " if len(x.shape) == 3 else ""
        raise ValueError(
            f"`{name}` must have rank 4, (n, height, width, channels). {hint}"
            f"Received: {name} of shape {tuple(x.shape)}"
        )
    if 0 in tuple(x.shape):
        raise ValueError(
            f"`{name}` must hold at least one image of at least one pixel. "
            f"Received: {name} of shape {tuple(x.shape)}"
        )
    kind = _kind(x.dtype)
    if kind not in "biuf":
        raise TypeError(
            f"`{name}` must hold numbers. Received: {name} of dtype {x.dtype}"
        )
    if kind == "f":
        check_finite(x, name)


def check_finite(x, name="x"):
    """Raise a `ValueError` that names the first pixel that is NaN or infinite."""
    for start, some in chunks(x):
        finite = np.isfinite(some)
        if not finite.all():
            first = np.argwhere(~finite)[0]
            first[0] += start
            raise ValueError(
                f"`{name}` must hold finite pixels. "
                f"Received: {name}[{', '.join(map(str, first))}]="
                f"{np.asarray(x[first[0]])[tuple(first[1:])]}"
            )


def chunks(x):
    """Yield `(start, some rows)` of an array `(n, ...)`, which may lie in files."""
    length = max(1, min(_IMAGES, _NUMBERS // max(1, math.prod(x.shape[1:]))))
    for start in range(0, len(x), length):
        yield start, np.asarray(x[start : start + length])


def check_same_length(x, y, names=("x", "y")):
    """Raise a `ValueError` with both numbers when images and labels differ."""
    if len(x) != len(y):
        images, labels = names
        raise ValueError(
            f"`{images}` and `{labels}` must have the same length. "
            f"Received: len({images})={len(x)}, len({labels})={len(y)}"
        )


def check_value_range(value_range):
    """`value_range` as a `(low, high)` tuple of floats with low < high."""
    try:
        low, high = (float(limit) for limit in value_range)
    except (TypeError, ValueError):
        low = high = np.nan
    if isinstance(value_range, str) or not (
        np.isfinite([low, high]).all() and low < high
    ):
        raise ValueError(
            "`value_range` must be two finite numbers (low, high) with low < high. "
            f"Received: value_range={value_range!r}"
        )
    return low, high


def to_layout(images, data_format, wanted):
    """Turn images `(n, ...)` from one `data_format` to another."""
    if data_format == wanted:
        return images
    axes = (0, 2, 3, 1) if wanted == "channels_last" else (0, 3, 1, 2)
    return images.transpose(axes)


def rescale(images, from_range, to_range):
    """Map pixels linearly from one `(low, high)` to another."""
    (low, high), (new_low, new_high) = from_range, to_range
    return (images - low) * ((new_high - new_low) / (high - low)) + new_low


def _kind(dtype):
    """NumPy's letter for the kind of a dtype, TensorFlow's and torch's included."""
    if isinstance(dtype, np.dtype):
        return dtype.kind
    name = getattr(dtype, "name", str(dtype).rpartition(".")[2])
    try:
        return np.dtype(name).kind
    except TypeError:  # a dtype that NumPy does not have
        return "V"
