"""Omniglot: 1,623 characters of 50 alphabets, each drawn by 20 people."""

import contextlib
import io
import re
import typing

import keras
import numpy as np

from keras_balance.datasets.archive import Archive, check_path
from keras_balance.datasets.download import fetch
from keras_balance.utils.images import BROKEN_PICTURE

_URL = "https://github.com/brendenlake/omniglot/raw/master/python/"
# As pinned by tensorflow-datasets.
_SHA256 = {
    "images_background.zip": (
        "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"
    ),
    "images_evaluation.zip": (
        "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"
    ),
}
_IMAGE = re.compile(r"(?:^|/)([^/]+/character\d+)/\d+_(\d+)\.png$")
_SHAPE = (105, 105)
_TRAIN_DRAWERS = 15


def load_data(path=None):
    """Load Omniglot split by who drew: many classes with few images each.

    Every character is a class. Its first 15 drawers make the training images,
    drawers 16 to 20 the test images, so that both hold every class (Omniglot's
    own parts, background and evaluation, have no class in common).

    Args:
        path: Optional path, and then no network is used: one of Omniglot's zips of
            images, a folder with some of these zips, or a folder with what was in
            them. Without it, `images_background.zip` and `images_evaluation.zip`
            (15 MiB) are downloaded once into Keras' cache, and their SHA-256
            checked.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(n, 105, 105)`, 0 for ink
        and 255 for paper; labels int64 `(n,)`, the places of the characters in
        `class_names(path)`.

    Raises:
        FileNotFoundError: When there is nothing at `path`, or no image in it.
        OSError: When there is no `path` and the download fails.
        ValueError: For a truncated, garbled or foreign file.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data("images_background.zip")
        >>> class_names("images_background.zip")[y_train[0]]
        'Alphabet_of_the_Magi/character01'

    Reference:
        B. M. Lake, R. Salakhutdinov and J. B. Tenenbaum, Human-level concept
        learning through probabilistic program induction, Science, 2015.
    """
    with _open(path) as archives:
        drawings = _find_drawings(archives, path)
        labels = {name: label for label, name in enumerate(_characters(drawings))}
        train = [drawing for drawing in drawings if drawing.drawer <= _TRAIN_DRAWERS]
        test = [drawing for drawing in drawings if drawing.drawer > _TRAIN_DRAWERS]
        return tuple(
            (
                np.array([_read_image(drawing) for drawing in part]),
                np.array([labels[drawing.character] for drawing in part], "int64"),
            )
            for part in (train, test)
        )


def class_names(path=None):
    """List the characters, such as `"Balinese/character01"`, label by label.

    Args:
        path: As in `load_data`.

    Returns:
        Sorted list of strings: label `i` means `class_names[i]`.

    Raises:
        FileNotFoundError: When there is nothing at `path`, or no image in it.
        OSError: When there is no `path` and the download fails.
        ValueError: For a zip that is garbled.

    Example:
        >>> kb.datasets.omniglot.class_names("images_background_small1.zip")[0]
        'Balinese/character01'
    """
    with _open(path) as archives:
        return _characters(_find_drawings(archives, path))


class _Drawing(typing.NamedTuple):
    character: str
    drawer: int
    archive: Archive
    name: str


@contextlib.contextmanager
def _open(path):
    """Open what is at `path` and the zips of images right in it."""
    if path is None:
        sources = [
            fetch(_URL + name, f"omniglot-{name}", _SHA256[name]) for name in _SHA256
        ]
    else:
        path = check_path(path)
        sources = [path, *sorted(path.glob("images_*.zip"))]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Archive(source)) for source in sources]


def _find_drawings(archives, path):
    """All drawings, sorted; one that several archives hold counts once."""
    drawings = {}
    for archive in archives:
        for name in archive.names():
            if match := _IMAGE.search(name):
                character, drawer = match[1], int(match[2])
                drawings[character, drawer] = _Drawing(character, drawer, archive, name)
    found = [drawings[key] for key in sorted(drawings)]
    trained = {
        drawing.character for drawing in found if drawing.drawer <= _TRAIN_DRAWERS
    }
    tested = {drawing.character for drawing in found if drawing.drawer > _TRAIN_DRAWERS}
    if not found:
        raise FileNotFoundError(
            "`path` must hold images as <alphabet>/character<number>/<number>_<drawer>"
            f".png. Received: path={str(path)!r}"
        )
    if trained != tested:
        raise ValueError(
            f"Every character must have images of drawers up to {_TRAIN_DRAWERS} and "
            f"above. Received: path={str(path)!r}, incomplete in "
            f"{sorted(trained ^ tested)[0]!r}"
        )
    return found


def _characters(drawings):
    return sorted({drawing.character for drawing in drawings})


def _read_image(drawing):
    from PIL import Image

    content = drawing.archive.read(drawing.name)
    try:
        image = np.asarray(
            keras.utils.load_img(io.BytesIO(content), color_mode="grayscale")
        )
    except (*BROKEN_PICTURE, Image.DecompressionBombError) as error:
        raise _bad_image(drawing, f"{len(content)} bytes ({error})") from error
    if image.shape != _SHAPE:
        raise _bad_image(drawing, f"shape {image.shape}")
    return image


def _bad_image(drawing, received):
    return ValueError(
        f"Omniglot's images must be whole PNG files of {_SHAPE[0]} x {_SHAPE[1]} "
        f"pixels. Received: {drawing.archive.describe(drawing.name)} of {received}"
    )
