"""Nested plain data as bytes and back, exactly, with no code in them."""

import io
import json
import zipfile

import numpy as np

# Turns, marked so that JSON gives back what was there.
_ARRAY, _SCALAR, _TUPLE, _DICT = "array", "scalar", "tuple", "dict"


def to_bytes(content):
    """Write nested plain data as an `npz` of its arrays and one JSON text.

    Args:
        content: Dicts, lists and tuples of None, bools, ints, floats, strings, NumPy
            numbers and NumPy arrays of numbers.

    Raises:
        TypeError: For anything else.

    Example:
        >>> from_bytes(to_bytes({"epoch": 3, 7: (0.5, None)}))
        {'epoch': 3, 7: (0.5, None)}
    """
    arrays = []
    text = json.dumps(_mark(content, arrays))
    stream = io.BytesIO()
    names = {str(place): array for place, array in enumerate(arrays)}
    np.savez(stream, json=np.frombuffer(text.encode(), dtype="uint8"), **names)
    return stream.getvalue()


def from_bytes(content):
    """Read what `to_bytes` wrote.

    Arrays of types that NumPy does not know itself, such as bfloat16, come back as
    raw items (dtype kind `"V"`) of the same size.

    Raises:
        ValueError: For other content.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _unmark(json.loads(arrays["json"].tobytes()), arrays)
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            "Only what `to_bytes` wrote can be read. "
            f"Received: {content[:20]!r} ({len(content)} bytes)"
        ) from error


def is_plain(content):
    """Whether `to_bytes` takes it."""
    try:
        _mark(content, [])
    except TypeError:
        return False
    return True


def _mark(content, arrays):
    # First of all: NumPy's doubles and strings are Python's, too.
    if isinstance(content, (np.generic, np.ndarray)) and content.dtype.kind != "O":
        arrays.append(content)
        kind = _SCALAR if isinstance(content, np.generic) else _ARRAY
        return {kind: str(len(arrays) - 1)}
    if content is None or isinstance(content, (bool, int, float, str)):
        return content
    if isinstance(content, list):
        return [_mark(entry, arrays) for entry in content]
    if isinstance(content, tuple):
        return {_TUPLE: [_mark(entry, arrays) for entry in content]}
    if isinstance(content, dict):
        # Pairs, since the keys of JSON are strings.
        pairs = [[_mark(key, arrays), _mark(content[key], arrays)] for key in content]
        return {_DICT: pairs}
    raise TypeError(
        f"Only plain data can be kept. Received: a {type(content).__name__}"
    )


def _unmark(content, arrays):
    if isinstance(content, list):
        return [_unmark(entry, arrays) for entry in content]
    if not isinstance(content, dict):
        return content
    ((kind, entries),) = content.items()
    if kind == _ARRAY:
        return arrays[entries]
    if kind == _SCALAR:
        return arrays[entries][()]
    if kind == _TUPLE:
        return tuple(_unmark(entries, arrays))
    return {_unmark(key, arrays): _unmark(entry, arrays) for key, entry in entries}
