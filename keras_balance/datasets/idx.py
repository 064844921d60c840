"""The idx format of MNIST and EMNIST.

Two zero bytes, the type (0x08: unsigned byte), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the bytes.
"""

import gzip
import math
import struct

import numpy as np

from keras_balance.datasets.archive import GARBLED

_PIECE = 1 << 20


def load_idx_pair(archive, images, labels):
    """Load the images and labels of one split.

    Args:
        archive: An open `Archive`.
        images: Name of the idx file of images, without `.gz`.
        labels: Name of the idx file of their labels, without `.gz`.

    Returns:
        `(x, y)`: uint8 `(n, rows, columns)` and int64 `(n,)`.

    Raises:
        FileNotFoundError: When one of the files is missing.
        ValueError: For a truncated or garbled file and for lengths that differ.
    """
    x, y = load_idx(archive, images, rank=3), load_idx(archive, labels, rank=1)
    if len(x) != len(y):
        raise ValueError(
            f"{images} and {labels} must hold the same number of items. "
            f"Received: {len(x)} images and {len(y)} labels in {archive.path}"
        )
    return x, y.astype("int64")


def load_idx(archive, filename, rank):
    """Load one idx file, plain or with `.gz`, as a uint8 array."""
    name = archive.find(f"{filename}.gz", filename)
    with archive.open(name) as file:
        if name.endswith(".gz"):
            with gzip.GzipFile(fileobj=file) as stream:
                return read_idx(stream, archive.describe(name), rank)
        return read_idx(file, archive.describe(name), rank)


def read_idx(stream, name, rank):
    """Read an idx stream as a uint8 array.

    Args:
        stream: A binary file.
        name: What to call it in error messages.
        rank: Number of dimensions that it must have.

    Raises:
        ValueError: For another kind of file, or another number of bytes than its
            header says. The message names the file and the byte count.
    """
    magic = bytes([0, 0, 0x08, rank])
    header_size = 4 + 4 * rank
    header = _read(stream, name, header_size)
    if len(header) < header_size or header[:4] != magic:
        raise ValueError(
            f"An idx file of unsigned bytes in {rank} dimensions must start with "
            f"0x{magic.hex()} and have a header of {header_size} bytes. "
            f"Received: {name}, which starts with 0x{header[:4].hex()} "
            f"({len(header)} bytes of header read)"
        )
    shape = struct.unpack(f">{rank}I", header[4:])
    size = math.prod(shape)
    content = _read(stream, name, size + 1)
    if len(content) != size or size == 0:
        received = f"{header_size + len(content)} bytes"
        raise ValueError(
            f"{name} must hold {header_size + size} bytes, as its header of shape "
            f"{shape} says, and at least one item. "
            f"Received: {f'at least {received}' if len(content) > size else received}"
        )
    return np.frombuffer(content, dtype="uint8").reshape(shape)


def _read(stream, name, limit):
    """Up to `limit` bytes, in pieces: a garbled header must not claim the memory."""
    content = bytearray()
    try:
        while len(content) < limit:
            piece = stream.read(min(_PIECE, limit - len(content)))
            if not piece:
                break
            content += piece
    except GARBLED as error:
        raise ValueError(
            f"{name} is truncated or garbled. "
            f"Received: {len(content)} readable bytes, then: {error}"
        ) from error
    return content
