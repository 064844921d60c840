"""Results that a long search keeps, so that it goes on where it was killed."""

import hashlib
import json
import pathlib
import re

from keras_balance.utils.files import (
    read_sealed,
    remove_temporaries,
    write_json,
    write_sealed,
)
from keras_balance.utils.plain_data import from_bytes, to_bytes

_SETTING = "setting.json"
_HINTS = {
    "data": " (other images, or in another order)",
    "build": " (another model, of other first weights, or compiled otherwise)",
}


class Kept:
    """Results by name, in memory, and in a folder where one is given.

    Args:
        directory: Folder of the files, made when missing; None for memory alone.
        setting: Dict that JSON can hold, of all that the results depend on.

    Raises:
        ValueError: When the folder holds the results of another setting, or a file that
            is not of a search.
    """

    def __init__(self, directory, setting):
        self._directory = None if directory is None else pathlib.Path(directory)
        self._results = {}
        if self._directory is not None:
            self._open(json.loads(json.dumps(setting)))

    def get(self, name, make):
        """Give the result of a name; `make()` it, and keep it, where there is none."""
        if name not in self._results:
            found = self._read(name)
            self._results[name] = self._keep(name, make()) if found is None else found
        return self._results[name]

    def has(self, name):
        """Whether the result of a name is there."""
        if name not in self._results:
            found = self._read(name)
            if found is None:
                return False
            self._results[name] = found
        return True

    def path(self, name):
        """Path of a file in the folder, None without a folder."""
        return None if self._directory is None else self._directory / name

    def _open(self, setting):
        found = kept_setting(self._directory)
        if found is None:
            remove_temporaries(self._directory / _SETTING)
            write_json(self._directory / _SETTING, setting)
            return
        differing = [key for key in setting if found.get(key) != setting[key]]
        if differing:
            name = differing[0]
            hint = _HINTS.get(name, "")
            raise ValueError(
                "`directory` must be that of the same search, or a new one: it holds "
                f"one with {name}={found.get(name)!r}{hint}. "
                f"Received: {name}={setting[name]!r}"
            )

    def _read(self, name):
        path = self.path(_file_name(name))
        if path is None or not path.exists():
            return None
        content = read_sealed(path)
        try:
            return from_bytes(content)
        except ValueError as error:
            raise ValueError(f"{path} is no result of a search: {error}") from error

    def _keep(self, name, result):
        path = self.path(_file_name(name))
        if path is not None:
            remove_temporaries(path)
            write_sealed(path, to_bytes(result))
        return result


def kept_setting(directory):
    """Give the setting of the search that a folder keeps; None where it keeps none yet.

    Raises:
        ValueError: For a file that holds something else.
    """
    path = pathlib.Path(directory) / _SETTING
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        found = json.loads(content)
    except ValueError:  # no JSON, or no text
        found = None
    if not isinstance(found, dict):
        raise ValueError(
            f"{path} must hold the setting of a search, as JSON. "
            f"Received: {content[:40]!r} ({len(content)} bytes)"
        )
    return found


def _file_name(name):
    safe = re.sub(r"\W+", "-", name)
    if safe != name:  # others may be written alike
        safe += "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return safe + ".trial"
