"""Files by name out of a folder or a zip, read where they lie.

Nothing is ever unpacked to disk, so no archive can write outside its place.
"""

import gzip
import os
import pathlib
import stat
import zipfile
import zlib

# What reading a truncated or garbled zip or gzip raises.
GARBLED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)


class Archive:
    """The files of a folder or a zip, by name.

    Args:
        path: Path of a folder or a zip on disk.

    Raises:
        TypeError: When `path` is no path.
        FileNotFoundError: When there is nothing at `path`.
        ValueError: When it is neither a folder nor a whole zip, or a zip with a
            member that is a link or points outside of it.

    Example:
        >>> with Archive("emnist/gzip.zip") as archive:
        ...     name = archive.find("emnist-digits-mapping.txt")
        ...     content = archive.read(name)
    """

    def __init__(self, path):
        self.path = check_path(path)
        self._zip = None if self.path.is_dir() else _open_zip(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._zip is not None:
            self._zip.close()

    def find(self, *filenames):
        """Name of the first of `filenames` that is there.

        Looks at any depth of a zip, and in a folder and the folders right in it.
        """
        for filename in filenames:
            for name in self._candidates(filename):
                return name
        raise FileNotFoundError(
            f"`path` must hold {' or '.join(filenames)}. "
            f"Received: path={str(self.path)!r}"
        )

    def names(self):
        """Sorted names of all files, with `/` between folders."""
        if self._zip is not None:
            return sorted(info.filename for info in self._zip.infolist())
        files = (file for file in self.path.rglob("*") if file.is_file())
        return sorted(file.relative_to(self.path).as_posix() for file in files)

    def open(self, name):
        """Open one file for reading bytes."""
        if self._zip is None:
            return (self.path / name).open("rb")
        try:
            return self._zip.open(name)
        except (RuntimeError, zipfile.BadZipFile) as error:
            # RuntimeError: a member that is encrypted or compressed unusually.
            raise ValueError(
                f"{self.describe(name)} cannot be read: {error}"
            ) from error

    def read(self, name):
        """Read one small file whole."""
        with self.open(name) as file:
            try:
                return file.read()
            except GARBLED as error:
                raise ValueError(
                    f"{self.describe(name)} is truncated or garbled: {error}"
                ) from error

    def describe(self, name):
        """One file as error messages name it."""
        return f"{self.path / name}"

    def _candidates(self, filename):
        if self._zip is not None:
            return [name for name in self.names() if name.split("/")[-1] == filename]
        found = [self.path / filename, *sorted(self.path.glob(f"*/{filename}"))]
        return [
            file.relative_to(self.path).as_posix() for file in found if file.is_file()
        ]


def check_path(path):
    """`path` as a `pathlib.Path` at which there is something."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"`path` must be the path of a folder or a zip. Received: path={path!r}"
        )
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"`path` must be a folder or a zip on disk. Received: path={str(path)!r}"
        )
    return path


def _open_zip(path):
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(
            "`path` must be a folder or a whole zip. "
            f"Received: path={str(path)!r} of {path.stat().st_size} bytes ({error})"
        ) from error
    for info in archive.infolist():
        if _escapes(info):
            archive.close()
            raise ValueError(
                "A zip must hold plain files that stay inside it. "
                f"Received: {info.filename!r} in path={str(path)!r}"
            )
    return archive


def _escapes(info):
    name = pathlib.PureWindowsPath(info.filename)  # knows / and \ and C:
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return is_link or name.anchor != "" or ".." in name.parts
