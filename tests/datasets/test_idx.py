import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_balance.datasets.archive import Archive
from keras_balance.datasets.idx import load_idx, load_idx_pair, read_idx

IMAGES = np.arange(2 * 3 * 5, dtype="uint8").reshape(2, 3, 5)


@given(
    array=hnp.arrays("uint8", hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)),
    cut=st.integers(0, 300),
)
@settings(max_examples=40, deadline=None)
def test_reads_back_what_is_whole_and_nothing_else(array, cut):
    header = np.array([0x0803, *array.shape], ">u4").tobytes()
    whole = header + array.tobytes()
    np.testing.assert_array_equal(read_idx(io.BytesIO(whole), "f", 3), array)
    if cut < len(whole):
        with pytest.raises(ValueError, match="f"):
            read_idx(io.BytesIO(whole[:cut]), "f", 3)


@pytest.mark.parametrize("name", ["a-ubyte", "a-ubyte.gz"])
def test_plain_and_gzipped(tmp_path, write_idx, name):
    write_idx(tmp_path / name, IMAGES)
    with Archive(tmp_path) as archive:
        np.testing.assert_array_equal(load_idx(archive, "a-ubyte", rank=3), IMAGES)


def test_truncated_file_names_file_and_bytes(tmp_path, write_idx):
    path = write_idx(tmp_path / "a-ubyte", IMAGES)
    path.write_bytes(path.read_bytes()[:-7])
    with (
        Archive(tmp_path) as archive,
        pytest.raises(
            ValueError, match=r"a-ubyte must hold 46 bytes.*Received: 39 bytes"
        ),
    ):
        load_idx(archive, "a-ubyte", rank=3)


def test_file_that_is_too_long(tmp_path, write_idx):
    path = write_idx(tmp_path / "a-ubyte", IMAGES)
    path.write_bytes(path.read_bytes() + b"12345")
    with (
        Archive(tmp_path) as archive,
        pytest.raises(
            ValueError, match=r"a-ubyte must hold 46 bytes.*at least 47 bytes"
        ),
    ):
        load_idx(archive, "a-ubyte", rank=3)


def test_truncated_gzip_names_file_and_bytes(tmp_path, write_idx):
    noise = np.random.default_rng(0).integers(0, 256, (9, 28, 28))
    path = write_idx(tmp_path / "a-ubyte.gz", noise)
    path.write_bytes(path.read_bytes()[:4000])
    with (
        Archive(tmp_path) as archive,
        pytest.raises(
            ValueError, match=r"a-ubyte\.gz is truncated.*Received: \d+ read"
        ),
    ):
        load_idx(archive, "a-ubyte", rank=3)


@pytest.mark.parametrize("place", [3, 15, 40, 300, -6])
def test_garbled_gzip(tmp_path, write_idx, place):
    pattern = np.random.default_rng(0).integers(0, 3, (9, 28, 28))
    path = write_idx(tmp_path / "a-ubyte.gz", pattern)
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    with Archive(tmp_path) as archive, pytest.raises(ValueError, match=r"a-ubyte\.gz"):
        load_idx(archive, "a-ubyte", rank=3)


def test_web_page_in_place_of_a_file(tmp_path):
    (tmp_path / "a-ubyte.gz").write_bytes(b"<html>moved</html>")
    with Archive(tmp_path) as archive, pytest.raises(ValueError, match=r"a-ubyte\.gz"):
        load_idx(archive, "a-ubyte", rank=3)


def test_labels_in_place_of_images(tmp_path, write_idx):
    write_idx(tmp_path / "a-ubyte", np.zeros(3))
    with (
        Archive(tmp_path) as archive,
        pytest.raises(ValueError, match="must start with 0x00000803"),
    ):
        load_idx(archive, "a-ubyte", rank=3)


@pytest.mark.parametrize("magic", [0x0801, 0x0D03, 0x01000803])
def test_garbled_start_of_a_file_of_the_right_length(magic):
    header = np.array([magic, *IMAGES.shape], ">u4").tobytes()
    with pytest.raises(ValueError, match="f, which starts with 0x"):
        read_idx(io.BytesIO(header + IMAGES.tobytes()), "f", 3)


def test_header_claiming_terabytes_claims_no_memory(tmp_path):
    header = np.array([0x0803, 2**32 - 1, 1000, 1000], ">u4").tobytes()
    path = tmp_path / "f"
    path.write_bytes(header + b"123")
    # A file, unlike `BytesIO`, makes room for all that it is asked for.
    with (
        path.open("rb") as file,
        pytest.raises(ValueError, match="Received: 19 bytes"),
    ):
        read_idx(file, "f", 3)


def test_no_items():
    header = np.array([0x0801, 0], ">u4").tobytes()
    with pytest.raises(ValueError, match="at least one item"):
        read_idx(io.BytesIO(header), "f", 1)


def test_pair_of_different_lengths(tmp_path, write_idx):
    write_idx(tmp_path / "x", IMAGES)
    write_idx(tmp_path / "y", np.zeros(3))
    with (
        Archive(tmp_path) as archive,
        pytest.raises(ValueError, match="2 images and 3 labels"),
    ):
        load_idx_pair(archive, "x", "y")


def test_gzip_reads_no_further_than_needed(tmp_path):
    """A bomb behind a small header is not unpacked."""
    header = np.array([0x0801, 4], ">u4").tobytes()
    stream = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(header + bytes(10**7))))
    with pytest.raises(ValueError, match="at least 13 bytes"):
        read_idx(stream, "bomb", 1)
    assert stream.tell() < 100
