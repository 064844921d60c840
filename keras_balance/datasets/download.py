"""Downloads that are whole, checked, and kept where Keras keeps its own."""

import http.client
import urllib.request

import keras

from keras_balance.utils.files import atomic_path, sha256
from keras_balance.utils.keras_home import keras_home

_PIECE = 1 << 20
_TIMEOUT = 30  # seconds without a byte


def fetch(url, filename, sha256_hash):
    """Path of a file in the cache, downloaded when it is not there.

    The cache is Keras' own: `$KERAS_HOME/datasets`, `~/.keras/datasets` without
    that variable. Unlike `keras.utils.get_file`, which writes to the final path, a
    file is there whole and checked or not at all.

    Args:
        url: Address to download from.
        filename: Name of the file in the cache.
        sha256_hash: Hexadecimal SHA-256 that the file must have.

    Raises:
        OSError: When the file is not there and cannot be downloaded.
        ValueError: When it has another hash, whether found or downloaded. It is
            removed, so that the next call downloads it anew.
    """
    path = cache_folder() / filename
    if path.is_file():
        try:
            _check_hash(path, path, sha256_hash)
        except ValueError:
            path.unlink()
            raise
        return path
    with atomic_path(path) as temporary:
        try:
            _download(url, temporary)
        except (OSError, http.client.HTTPException) as error:
            raise OSError(
                f"Cannot download {url} to {path}: {error or type(error).__name__}. "
                f"Without a network, give `path=` a folder or file with the data."
            ) from error
        _check_hash(temporary, url, sha256_hash)
    return path


def cache_folder():
    """Folder of Keras' own data sets."""
    return keras_home() / "datasets"


def _download(url, path):
    with (
        urllib.request.urlopen(url, timeout=_TIMEOUT) as response,
        path.open("wb") as file,
    ):
        size = response.headers.get("Content-Length")
        size = None if size is None else int(size)
        progress = keras.utils.Progbar(size, unit_name="byte")
        while piece := response.read(_PIECE):
            file.write(piece)
            progress.update(file.tell(), finalize=False)
        progress.update(file.tell(), finalize=True)
        # A connection that is cut looks like an early end.
        if size is not None and file.tell() != size:
            raise OSError(f"the download ended after {file.tell()} of {size} bytes")


def _check_hash(path, origin, expected):
    received = sha256(path)
    if received != expected:
        raise ValueError(
            f"{origin} must have the SHA-256 {expected}; it was removed. "
            f"Received: {received} ({path.stat().st_size} bytes)"
        )
