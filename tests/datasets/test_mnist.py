import zipfile

import numpy as np
import pytest

import keras_balance as kb
from keras_balance.utils.files import sha256

load_data = kb.datasets.mnist.load_data
X = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype="uint8")
Y = np.array([3, 0, 9, 3, 1], dtype="uint8")


@pytest.fixture(params=["-ubyte", "-ubyte.gz"])
def folder(request, tmp_path, write_idx, no_network):
    folder = tmp_path / "mnist"
    for part, count in (("train", 5), ("t10k", 2)):
        write_idx(folder / f"{part}-images-idx3{request.param}", X[:count])
        write_idx(folder / f"{part}-labels-idx1{request.param}", Y[:count])
    return folder


def check(data):
    (x_train, y_train), (x_test, y_test) = data
    np.testing.assert_array_equal(x_train, X)
    np.testing.assert_array_equal(y_train, Y)
    np.testing.assert_array_equal(x_test, X[:2])
    np.testing.assert_array_equal(y_test, Y[:2])
    assert x_train.dtype == "uint8"
    assert y_train.dtype == y_test.dtype == "int64"


def test_folder_and_zip(folder, tmp_path):
    check(load_data(folder))
    with zipfile.ZipFile(tmp_path / "mnist.zip", "w") as file:
        for path in folder.iterdir():
            file.write(path, f"MNIST/{path.name}")
    check(load_data(str(tmp_path / "mnist.zip")))


def write_npz(path, **changes):
    arrays = {"x_train": X, "y_train": Y, "x_test": X[:2], "y_test": Y[:2]}
    np.savez_compressed(path, **(arrays | changes))
    return path


def test_npz_and_folder_of_npz(tmp_path, no_network):
    path = write_npz(tmp_path / "mnist.npz")
    check(load_data(path))
    check(load_data(tmp_path))


@pytest.mark.parametrize("labels", [Y + 0.5, Y - 100, Y.astype(str)])
def test_labels_that_are_no_digits_are_refused(tmp_path, labels):
    path = write_npz(tmp_path / "mnist.npz", y_train=labels)
    with pytest.raises(ValueError, match=r"digits from 0 to 9.*mnist\.npz"):
        load_data(path)


def test_cached_file_needs_no_network(cache, no_network, monkeypatch):
    cache.mkdir(parents=True)
    path = write_npz(cache / "mnist.npz")
    monkeypatch.setattr("keras_balance.datasets.mnist._SHA256", sha256(path))
    check(load_data())


def test_no_network_no_cache(cache, no_network):
    with pytest.raises(OSError, match=r"mnist\.npz.*`path=`"):
        load_data()


def test_wrong_hash(cache, no_network):
    cache.mkdir(parents=True)
    write_npz(cache / "mnist.npz")
    with pytest.raises(ValueError, match=r"731c5ac60275.*Received"):
        load_data()
    assert not (cache / "mnist.npz").exists()


class Bomb:
    def __reduce__(self):
        return print, ("executed",)


def test_pickled_npz_is_refused_and_runs_nothing(tmp_path, capsys):
    path = write_npz(tmp_path / "mnist.npz", y_train=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match=r"mnist\.npz"):
        load_data(path)
    assert "executed" not in capsys.readouterr().out


def test_truncated_npz(tmp_path):
    path = write_npz(tmp_path / "mnist.npz")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match=r"mnist\.npz of 700 bytes"):
        load_data(path)


def test_garbled_npz(tmp_path):
    path = write_npz(tmp_path / "mnist.npz")
    content = bytearray(path.read_bytes())
    content[400:500] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz"):
        load_data(path)


@pytest.mark.parametrize(("place", "byte"), [(6, 255), (8, 1), (10, 99), (42, 255)])
def test_any_byte_of_the_index_of_an_npz(tmp_path, place, byte):
    path = write_npz(tmp_path / "mnist.npz")
    content = bytearray(path.read_bytes())
    # Version, flags, packing and offset, in the zip's entry of the first array.
    content[content.index(b"PK\x01\x02") + place] = byte
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz"):
        load_data(path)


@pytest.mark.parametrize("changes", [{"x_train": X[:3]}, {"x_train": X / 255}])
def test_foreign_arrays(tmp_path, changes):
    with pytest.raises(ValueError, match="uint8 images"):
        load_data(write_npz(tmp_path / "mnist.npz", **changes))


def test_lone_array_in_place_of_npz(tmp_path):
    with (tmp_path / "mnist.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(ValueError, match=r"mnist\.npz"):
        load_data(tmp_path)


def test_missing_path_and_missing_file(tmp_path, no_network):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_data(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte\.gz"):
        load_data(tmp_path)
    assert no_network == []
