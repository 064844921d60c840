"""Model files from anywhere."""

import os
import pathlib
import zipfile
import zlib

import keras

# What Keras raises for a file that is whole, but not what it should be.
_FOREIGN = (
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load_model(path):
    """Load a `.keras` file: whole and without code in it, or not at all.

    It is `keras.saving.load_model` in safe mode, with no switch to leave it, behind a
    check of every byte. What is wrong with a file is one `ValueError` that names it.

    Args:
        path: Path of a `.keras` file.

    Returns:
        The model, compiled as it was saved.

    Raises:
        TypeError: When `path` is no path.
        OSError: When there is no file.
        ValueError: For a file that is truncated, garbled or foreign, or that holds
            code, such as that of a `Lambda` layer. Nothing of it is run.

    Example:
        >>> bagan.save("bagan.keras")
        >>> images = load_model("bagan.keras").generate([0, 1, 2], seed=0)
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"`path` must be the path of a .keras file. Received: path={path!r}"
        )
    path = pathlib.Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end with .keras. Received: path={str(path)!r}")
    _check_whole(path)
    try:
        return keras.saving.load_model(path)
    except _FOREIGN as error:
        raise ValueError(
            "A model file must hold a model that Keras can rebuild without running "
            f"code from it. Received: path={str(path)!r} ({error})"
        ) from error


def _check_whole(path):
    try:
        with zipfile.ZipFile(path) as archive:
            garbled = archive.testzip()
    except (
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        garbled = error
    if garbled:
        raise ValueError(
            "A model file must be whole; this one is truncated or garbled. "
            f"Received: path={str(path)!r} of {path.stat().st_size} bytes ({garbled})"
        )
