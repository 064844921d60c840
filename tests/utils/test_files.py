import hashlib
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_balance.utils.files import (
    DamagedFileError,
    atomic_path,
    read_sealed,
    remove_temporaries,
    sha256,
    write_json,
    write_sealed,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_file_in_a_new_folder(tmp_path):
    path = tmp_path / "a" / "b" / "report.md"
    write_text(path, "süß\n")
    assert path.read_text(encoding="utf-8") == "süß\n"
    assert names(path.parent) == ["report.md"]


def test_json(tmp_path):
    write_json(tmp_path / "results.json", {"f1": [0.5, None]})
    assert json.loads((tmp_path / "results.json").read_text()) == {"f1": [0.5, None]}


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    assert json.loads(path.read_text()) == {"old": 1}
    assert names(tmp_path) == ["results.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_in_the_middle_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "report.png"
    path.write_bytes(b"old")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["report.png"]


def test_until_the_end_the_old_file_is_seen(tmp_path):
    path = tmp_path / "bagan.weights.h5"
    path.write_bytes(b"old")
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
        # Same folder: `os.replace` is one step only within a file system.
        assert temporary.parent == path.parent
        assert temporary.suffixes == [".weights", ".h5"]
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["bagan.weights.h5"]


def test_bytes_are_on_disk_before_the_name_is(tmp_path, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            f"keras_balance.utils.files.os.{name}",
            lambda *args, name=name, original=original: (
                steps.append(name),
                original(*args),
            ),
        )
    write_text(tmp_path / "report.md", "text")
    assert steps == ["fsync", "replace"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_the_usual_ones(tmp_path):
    previous = os.umask(0o027)
    try:
        write_text(tmp_path / "report.md", "text")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    script = (
        "import importlib.util, os, signal, sys\n"
        "spec = importlib.util.spec_from_file_location('files', sys.argv[1])\n"
        "files = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(files)\n"
        "with files.atomic_path(sys.argv[2]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    source = sys.modules["keras_balance.utils.files"].__file__
    process = subprocess.run([sys.executable, "-c", script, source, str(path)])
    assert process.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    remove_temporaries(path)
    assert names(tmp_path) == ["results.json"]


def test_temporaries_of_neighbours_stay(tmp_path):
    for name in ("backup2", "other"):
        (tmp_path / f".{name}-keras_balance-abcd1234").write_bytes(b"half")
    (tmp_path / "backup-keras_balance-abcd1234").write_bytes(b"whole")
    for name in (".backup-20261129", ".backup-original"):  # of the user's
        (tmp_path / name).write_bytes(b"whole")
    remove_temporaries(tmp_path / "backup")
    assert len(names(tmp_path)) == 5


@given(st.binary(max_size=50), st.data())
def test_a_sealed_file_comes_back_whole_or_not_at_all(content, data):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sealed"
        write_sealed(path, content)
        assert read_sealed(path) == content
        written = path.read_bytes()
        end = data.draw(st.integers(0, len(written) - 1))
        path.write_bytes(written[:end])
        with pytest.raises(DamagedFileError, match=r"sealed .*Received"):
            read_sealed(path)
        changed = bytearray(written)
        changed[end] ^= data.draw(st.integers(1, 255))
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"sealed .*Received"):
            read_sealed(path)


def test_another_kind_of_file_is_not_a_damaged_one(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"file,class\n")
    with pytest.raises(ValueError, match="must start with") as refused:
        read_sealed(path)
    assert not isinstance(refused.value, DamagedFileError)


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_sha256(tmp_path, size):
    path = tmp_path / "data"
    path.write_bytes(bytes(size))
    assert sha256(path) == hashlib.sha256(bytes(size)).hexdigest()
