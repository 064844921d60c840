import stat
import zipfile

import pytest

from keras_balance.datasets.archive import Archive


@pytest.fixture(params=["folder", "zip"])
def archive(request, tmp_path):
    files = {"a.txt": b"top", "inner/b.txt": b"inside"}
    path = tmp_path / "data"
    if request.param == "zip":
        path = tmp_path / "data.zip"
        with zipfile.ZipFile(path, "w") as file:
            for name, content in files.items():
                file.writestr(name, content)
    else:
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    with Archive(path) as archive:
        yield archive


def test_folder_and_zip_are_the_same(archive):
    assert archive.names() == ["a.txt", "inner/b.txt"]
    assert archive.find("b.txt") == "inner/b.txt"
    assert archive.find("missing.txt", "a.txt") == "a.txt"
    with archive.open("inner/b.txt") as file:
        assert file.read() == b"inside"
    assert archive.read("a.txt") == b"top"


def test_missing_file_is_named(archive):
    with pytest.raises(FileNotFoundError, match=r"c\.txt or d\.txt.*data"):
        archive.find("c.txt", "d.txt")


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:\\evil.txt", "..\\evil"]
)
def test_member_that_escapes_is_refused(tmp_path, name):
    path = tmp_path / "inner" / "data.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("good.txt", "good")
        file.writestr(name, "evil")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="evil"):
        Archive(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_link_is_refused(tmp_path):
    path = tmp_path / "data.zip"
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="link"):
        Archive(path)


def test_encrypted_member(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "secret")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with Archive(path) as archive, pytest.raises(ValueError, match=r"a\.txt"):
        archive.open("a.txt")


def test_truncated_zip_names_file_and_bytes(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "content")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=rf"data\.zip' of {path.stat().st_size} bytes"):
        Archive(path)


def test_missing_path():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Archive("nowhere")


def test_path_of_another_type():
    with pytest.raises(TypeError, match="path=3"):
        Archive(3)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_garbled_member(tmp_path, method):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("a.txt", "some content, " * 9)
    content = bytearray(path.read_bytes())
    content[36] ^= 0xFF
    path.write_bytes(content)
    with Archive(path) as archive, pytest.raises(ValueError, match=r"a\.txt is trunc"):
        archive.read("a.txt")
