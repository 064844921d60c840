import zipfile

import numpy as np
import pytest

import keras_balance as kb

emnist = kb.datasets.emnist
X = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype="uint8")
SPLITS = {
    "byclass": (0, 61),
    "bymerge": (0, 46),
    "balanced": (0, 46),
    "letters": (1, 26),
    "digits": (0, 9),
    "mnist": (0, 9),
}


@pytest.fixture
def folder(tmp_path, write_idx, no_network):
    """A folder `emnist` with `gzip/` as EMNIST writes it: transposed."""
    folder = tmp_path / "emnist" / "gzip"
    for split, (first, last) in SPLITS.items():
        for part, count in (("train", 6), ("test", 2)):
            stem = folder / f"emnist-{split}-{part}"
            labels = np.array([first, last] * 3)[:count]
            stored = X[:count].transpose(0, 2, 1)
            write_idx(stem.with_name(f"{stem.name}-images-idx3-ubyte.gz"), stored)
            write_idx(stem.with_name(f"{stem.name}-labels-idx1-ubyte.gz"), labels)
        lines = [f"{label} {40 + label}" for label in range(first, last + 1)]
        (folder / f"emnist-{split}-mapping.txt").write_text("\n".join(lines) + "\r\n")
    return folder


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_is_upright_and_counts_from_0(folder, split):
    (x_train, y_train), (x_test, y_test) = emnist.load_data(split, folder)
    first, last = SPLITS[split]
    np.testing.assert_array_equal(x_train, X)
    np.testing.assert_array_equal(x_test, X[:2])
    np.testing.assert_array_equal(y_train, [0, last - first] * 3)
    assert y_test.tolist() == [0, last - first]
    assert x_train.dtype == "uint8"
    assert y_train.dtype == "int64"
    assert x_train.flags.c_contiguous


def test_folder_above_zip_and_folder_of_zip(folder, tmp_path):
    path = tmp_path / "zipped" / "gzip.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        for member in folder.iterdir():
            file.write(member, f"gzip/{member.name}")
    for place in (folder.parent, path, path.parent):
        (x_train, _), _ = emnist.load_data(path=place)
        np.testing.assert_array_equal(x_train, X)


def test_count_is_the_headers(folder, write_idx):
    write_idx(folder / "emnist-digits-test-images-idx3-ubyte.gz", X[:1])
    write_idx(folder / "emnist-digits-test-labels-idx1-ubyte.gz", np.array([4]))
    assert len(emnist.load_data("digits", folder)[1][0]) == 1


def test_class_names_follow_the_mapping(folder):
    assert emnist.class_names("digits", folder) == [chr(40 + i) for i in range(10)]
    letters = [f"{i} {64 + i} {96 + i}" for i in range(1, 27)]
    (folder / "emnist-letters-mapping.txt").write_text("\n".join(letters))
    assert (
        "".join(emnist.class_names("letters", folder)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )


@pytest.mark.parametrize("content", ["", "0 48", "0 48\n1 x", "<html>", "0\n"])
def test_garbled_mapping_names_file_and_bytes(folder, content):
    (folder / "emnist-digits-mapping.txt").write_text(content)
    with pytest.raises(ValueError, match=f"mapping.txt of {len(content)} bytes"):
        emnist.class_names("digits", folder)


@pytest.mark.parametrize(("split", "label"), [("digits", 10), ("letters", 0)])
def test_label_outside_of_the_split(folder, write_idx, split, label):
    write_idx(
        folder / f"emnist-{split}-test-labels-idx1-ubyte.gz", np.array([1, label])
    )
    with pytest.raises(ValueError, match=rf"split='{split}'.*labels \d+\.\.\d+"):
        emnist.load_data(split, folder)


def test_truncated_file_in_a_zip_names_file_and_bytes(folder, tmp_path):
    name = "emnist-digits-train-images-idx3-ubyte.gz"
    path = tmp_path / "gzip.zip"
    with zipfile.ZipFile(path, "w") as file:
        for member in folder.iterdir():
            content = member.read_bytes()
            content = content[:1500] if member.name == name else content
            file.writestr(f"gzip/{member.name}", content)
    with pytest.raises(ValueError, match=rf"{name} is truncated.*\d+ readable bytes"):
        emnist.load_data("digits", path)


def test_garbled_zip_member(folder, tmp_path):
    path = tmp_path / "gzip.zip"
    with zipfile.ZipFile(path, "w") as file:
        for member in folder.glob("emnist-digits-*"):
            file.write(member, f"gzip/{member.name}")
    content = bytearray(path.read_bytes())
    content[1000:1100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="truncated or garbled"):
        emnist.load_data("digits", path)


@pytest.mark.parametrize("split", ["digit", None, 3])
def test_unknown_split(split):
    with pytest.raises(ValueError, match=f"split={split!r}"):
        emnist.load_data(split)


def test_missing_path_and_missing_file(tmp_path, no_network):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        emnist.load_data(path=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="emnist-digits-train-images-idx3"):
        emnist.load_data(path=tmp_path)
    assert no_network == []


def test_no_network_no_cache(cache, no_network):
    with pytest.raises(OSError, match=r"EMNIST/gzip\.zip to .*`path=`"):
        emnist.load_data()


def test_web_page_in_the_cache(cache, no_network):
    cache.mkdir(parents=True)
    (cache / "emnist-gzip.zip").write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError, match=r"fb9bb67e33.*Received"):
        emnist.load_data()
