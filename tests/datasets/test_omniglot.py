import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

import keras_balance as kb
from keras_balance.utils.files import sha256

omniglot = kb.datasets.omniglot
CHARACTERS = ["Greek/character01", "Greek/character02", "Latin/character01"]


def png(value, shape=(105, 105)):
    """A white image with one dark pixel at (value, 0), 1 bit as Omniglot's."""
    pixels = np.full(shape, 255, dtype="uint8")
    pixels[value, 0] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("1").save(buffer, "png")
    return buffer.getvalue()


def bomb(length=13):
    """A picture of 182 million pixels, by its head; or a head of another length."""
    head = struct.pack(">2I5B", 14000, 13000, 1, 0, 0, 0, 0)[:length]
    sum_of_head = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    start = png(1)[:8] + struct.pack(">I", length)
    return start + b"IHDR" + head + sum_of_head + png(1)[33:]


def files(characters, drawers=range(1, 21)):
    return {
        f"images_small/{character}/{index:04}_{drawer:02}.png": png(drawer)
        for index, character in enumerate(characters)
        for drawer in drawers
    }


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images_small/", "")
        for name, content in files.items():
            file.writestr(name, content)
    return path


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def check(data):
    for (x, y), drawers in zip(data, (range(1, 16), range(16, 21)), strict=True):
        assert x.shape == (3 * len(drawers), 105, 105)
        assert x.dtype == "uint8"
        np.testing.assert_array_equal(y, np.repeat([0, 1, 2], len(drawers)))
        assert y.dtype == "int64"
        dark = [tuple(np.argwhere(image == 0)[0]) for image in x]
        assert dark == [(drawer, 0) for drawer in drawers] * 3
        assert set(np.unique(x)) == {0, 255}


@pytest.mark.usefixtures("no_network")
def test_zip_folder_of_zips_and_folder_of_images(tmp_path):
    zips = tmp_path / "zips"
    zips.mkdir()
    one = write_zip(tmp_path / "one.zip", files(CHARACTERS))
    write_zip(zips / "images_background.zip", files(CHARACTERS[2:]))
    write_zip(zips / "images_evaluation.zip", files(CHARACTERS[:2]))
    # Its characters are among the others and must not count twice.
    write_zip(zips / "images_background_small1.zip", files(CHARACTERS[2:]))
    folder = write_folder(tmp_path / "folder", files(CHARACTERS))
    for path in (one, zips, folder, folder / "images_small"):
        check(omniglot.load_data(path))
        assert omniglot.class_names(path) == CHARACTERS


def test_cached_zips_need_no_network(cache, no_network, monkeypatch):
    cache.mkdir(parents=True)
    hashes = {}
    for name, part in (
        ("images_background.zip", CHARACTERS[2:]),
        ("images_evaluation.zip", CHARACTERS[:2]),
    ):
        path = write_zip(cache / f"omniglot-{name}", files(part))
        hashes[name] = sha256(path)
    assert omniglot._SHA256.keys() == hashes.keys()
    monkeypatch.setattr(omniglot, "_SHA256", hashes)
    check(omniglot.load_data())


def test_no_network_no_cache(cache, no_network):
    with pytest.raises(OSError, match=r"images_background\.zip to .*`path=`"):
        omniglot.load_data()


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", png(1)[:60], png(1, (28, 28)), bomb(), bomb(length=1)],
    ids=["empty", "web page", "truncated", "size", "bomb", "garbled"],
)
def test_bad_image_is_named(tmp_path, content):
    bad = "images_small/Greek/character02/0001_07.png"
    path = write_zip(tmp_path / "one.zip", files(CHARACTERS) | {bad: content})
    with pytest.raises(ValueError, match=f"Received: .*{bad}"):
        omniglot.load_data(path)


def test_character_without_test_images(tmp_path):
    content = files(CHARACTERS[:2]) | files(CHARACTERS[2:], range(1, 9))
    path = write_zip(tmp_path / "one.zip", content)
    with pytest.raises(ValueError, match="Latin/character01"):
        omniglot.load_data(path)


def test_no_images(tmp_path):
    (tmp_path / "image.png").write_bytes(png(1))
    with pytest.raises(FileNotFoundError, match="path="):
        omniglot.load_data(tmp_path)


def test_missing_path(no_network):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        omniglot.load_data("nowhere")
    assert no_network == []


def test_escaping_member_is_refused(tmp_path):
    content = files(CHARACTERS) | {"../../Evil/character01/0000_01.png": png(1)}
    path = write_zip(tmp_path / "one.zip", content)
    with pytest.raises(ValueError, match="Evil"):
        omniglot.load_data(path)
