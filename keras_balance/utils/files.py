"""Files that are whole or not there."""

import contextlib
import glob
import hashlib
import json
import os
import pathlib
import tempfile

_SEAL = b"keras_balance 1 "
_DIGEST_SIZE = 64
_MARK = "keras_balance"  # in the names of temporary files, which are removed by it


class DamagedFileError(ValueError):
    """A file of this package whose content is not what was written."""


@contextlib.contextmanager
def atomic_path(path):
    """Give a temporary path in the same folder, moved to `path` on success.

    A reader sees the old file or the new one, never a part of it, even when the
    process is killed or the machine loses power.

    Example:
        >>> with atomic_path("report.png") as temporary:
        ...     figure.savefig(temporary)
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffixes stay: writers such as Keras' and matplotlib's read them.
    stem, suffixes = _split(path)
    handle, temporary = tempfile.mkstemp(
        prefix=f".{stem}-{_MARK}-", suffix=suffixes, dir=path.parent
    )
    os.close(handle)
    try:
        yield pathlib.Path(temporary)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def folder(name, value):
    """`value` as it is, the path of a folder, or None.

    Args:
        name: Name of the argument, for the error.
        value: What was given.

    Raises:
        TypeError: When it is something else.
    """
    return _path("folder", name, value)


def file(name, value):
    """`value` as it is, the path of a file, or None.

    Args:
        name: Name of the argument, for the error.
        value: What was given.

    Raises:
        TypeError: When it is something else.
        ValueError: For a folder.
    """
    if value is not None and os.path.isdir(_path("file", name, value)):
        raise ValueError(
            f"`{name}` must be the path of a file. Received: {name}={value!r}, a folder"
        )
    return value


def write_text(path, text):
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Write indented JSON atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_sealed(path, content):
    """Write bytes atomically, behind a line with their SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    with atomic_path(path) as temporary:
        temporary.write_bytes(_SEAL + digest.encode() + b"\n" + content)


def read_sealed(path):
    """Read the bytes that `write_sealed` wrote.

    Raises:
        OSError: When the file cannot be read.
        DamagedFileError: For one that is truncated or garbled.
        ValueError: For another kind of file.
    """
    whole = pathlib.Path(path).read_bytes()
    start = len(_SEAL) + _DIGEST_SIZE + 1
    if whole[: len(_SEAL)] != _SEAL[: len(whole)]:
        raise ValueError(
            f"{path} must start with {_SEAL!r}. "
            f"Received: {whole[: len(_SEAL)]!r} ({len(whole)} bytes)"
        )
    expected = whole[len(_SEAL) : start].decode("latin-1")
    received = hashlib.sha256(whole[start:]).hexdigest() + "\n"
    if received != expected:
        raise DamagedFileError(
            f"{path} is truncated or garbled: its content must have the SHA-256 "
            f"{expected!r}. Received: {received!r} ({len(whole)} bytes)"
        )
    return whole[start:]


def remove_temporaries(path):
    """Remove what writers of `path` that were killed have left beside it.

    For a file with one writer at a time.
    """
    path = pathlib.Path(path)
    stem, suffixes = map(glob.escape, _split(path))
    pattern = f".{stem}-{_MARK}-????????{suffixes}"
    for left in path.parent.glob(pattern):
        left.unlink(missing_ok=True)


def sha256(path):
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split(path):
    """Stem and all suffixes of a path's name."""
    suffixes = "".join(path.suffixes)
    return path.name.removesuffix(suffixes) if suffixes else path.name, suffixes


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current


def _path(kind, name, value):
    if value is not None and not isinstance(value, (str, os.PathLike)):
        raise TypeError(
            f"`{name}` must be the path of a {kind}. Received: {name}={value!r}"
        )
    return value
