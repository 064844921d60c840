"""Small files in the data sets' own formats, and a cache of one's own."""

import gzip
import struct

import pytest


@pytest.fixture
def write_idx():
    """Write an array as an idx file, gzipped when the name says so."""

    def write(path, array):
        header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        content = header + array.astype("uint8").tobytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty Keras cache; returns its folder of data sets."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    return tmp_path / "keras-home" / "datasets"


@pytest.fixture
def no_network(monkeypatch):
    """Every attempt to open an address fails, and is listed."""
    asked = []

    def refuse(url, **kwargs):
        asked.append(url)
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    return asked
