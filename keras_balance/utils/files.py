"""Files that are whole or not there."""

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile


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
    # The suffix stays: writers such as Keras' and matplotlib's read it.
    handle, temporary = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
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


def write_text(path, text):
    """Write a text file whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Write indented JSON whole or not at all."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def sha256(path):
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current
