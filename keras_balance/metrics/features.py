"""Rows that a judge compares images by: pixels, or what a backbone sees in them."""

import hashlib
import io
import pathlib
import time
import warnings

import keras
import numpy as np
from sklearn.decomposition import PCA

from keras_balance.utils.files import (
    DamagedFileError,
    file,
    read_sealed,
    write_sealed,
)

_COMPONENTS = 50
_SIDE = 32  # pixels; a judge of pixels shrinks larger pictures
_BATCH = 32
_CLOSE = 1e-3  # to the largest feature: processors round otherwise
_MOST_KEPT = 2**28  # bytes: of 1,280 features each, 50,000 images
_SAVE_EVERY = 60  # seconds: what an interruption may cost
_HELD = {"weights", "keys", "rows"}  # by a file of the cache


class Features:
    """Turns images into rows of numbers, each image once.

    What a backbone has given for an image is kept, and found again by the image's
    content: batches of a feed repeat the same images, in any order.

    Args:
        backbone: Keras model, or other function, from images to vectors `(n, d)`, such
            as `keras.applications.MobileNetV3Small(include_top=False,
            pooling="avg")`. The preprocessing that belongs to it is its own affair: put
            it into the model. None for the pixels themselves.
        side: Pixels that height and width are shrunk to where they are larger and there
            is no backbone; None for as they are.
        name: Name of the argument in error messages.
        cache: Optional path of a file that keeps the rows from one run to the next. It
            is written every minute, by `save`, and anew where it is damaged, and where
            the backbone, a Keras model, has other weights, or makes something else of
            an image.

    Raises:
        TypeError: When `backbone` cannot be called, and `cache` is no path.
        ValueError: For a `cache` that is a folder, or a file of something else, which
            stays as it is; when called, for a backbone that gives no `(n, d)`, or
            features that are NaN or infinite.
        OSError: When the folder of `cache` cannot be made.

    Example:
        >>> rows = Features(None)(np.zeros((5, 8, 8, 1), "uint8"))
        >>> rows.shape, rows.dtype
        ((5, 64), dtype('float32'))
    """

    def __init__(self, backbone=None, side=_SIDE, name="features", cache=None):
        if backbone is not None and not callable(backbone):
            raise TypeError(
                f"`{name}` must be a Keras model, or another function, from images to "
                f"vectors. Received: {name}={backbone!r}"
            )
        self.backbone, self.side, self.name = backbone, side, name
        self._kept, self._bytes, self._unsaved = {}, 0, False
        self._saved_at = time.monotonic()
        file("cache", cache)
        self._cache = None if cache is None else pathlib.Path(cache)
        self._weights, self._is_checked = None, True
        if self._cache is not None:
            # An error, if any, before the work that is to be kept.
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            self._keep(_read_cache(self._cache, backbone))
            self._weights, self._is_checked = _fingerprint(backbone), False

    def __call__(self, images):
        """Float32 rows `(n, d)` of images, as they come from a feed."""
        images = np.asarray(images)
        if self.backbone is None:
            return pixel_rows(images, self.side)
        # As float32: a feed gives that of what the user holds as uint8.
        keys = [_digest(np.asarray(image, "float32")) for image in images]
        if not self._is_checked:
            self._check(images, keys)
        new = {key: row for row, key in enumerate(keys) if key not in self._kept}
        fresh = {}
        if new:
            rows = self.compute(images[list(new.values())])
            fresh = dict(zip(new, rows, strict=True))
            self._keep(fresh)
            self._unsaved = True
            if time.monotonic() - self._saved_at > _SAVE_EVERY:
                self.save()
        return np.stack([fresh[k] if k in fresh else self._kept[k] for k in keys])

    def refresh(self):
        """Forget the rows where the backbone has got other weights since."""
        weights = _fingerprint(self.backbone)
        if weights != self._weights:
            self._forget()
            self._weights = weights

    def _check(self, images, keys):
        """Forget rows that another network of the same weights has given."""
        known = [place for place, key in enumerate(keys) if key in self._kept]
        if not known:
            return
        self._is_checked = True
        # The one of most contrast: of a black image, many networks make the same.
        place = max(known, key=lambda one: np.std(images[one]))
        kept, row = self._kept[keys[place]], self.compute(images[place : place + 1])[0]
        close = _CLOSE * np.abs(row).max()
        if kept.shape != row.shape or not np.allclose(kept, row, atol=close):
            self._forget()

    def _forget(self):
        self._kept, self._bytes, self._unsaved = {}, 0, False

    def compute(self, images):
        """Rows of images that are not looked up, nor kept."""
        return backbone_rows(self.backbone, images, self.name)

    def save(self):
        """Write the file of the cache, if there is one and something new for it."""
        if self._cache is not None and self._unsaved:
            _write_cache(self._cache, self.backbone, self._kept)
            self._unsaved, self._saved_at = False, time.monotonic()

    def _keep(self, fresh):
        for key, row in fresh.items():
            if self._bytes + row.nbytes > _MOST_KEPT:
                return
            self._kept[key] = row
            self._bytes += row.nbytes


def backbone_rows(backbone, images, name="features"):
    """Float32 rows `(n, d)` that a backbone gives for images, in batches.

    Args:
        backbone: Keras model or other function from images to vectors.
        images: Images `(n, ...)` that slices can be taken of.
        name: Name of the argument in error messages.

    Raises:
        ValueError: For a backbone that gives no `(n, d)`, and for features that are NaN
            or infinite.
    """
    rows = [
        _batch_rows(backbone, np.asarray(images[start : start + _BATCH]), name, start)
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(rows)


def pixel_rows(images, side=None):
    """Float32 rows `(n, pixels)` of images, shrunk to `side` where they are larger."""
    images = np.asarray(images, dtype="float32")
    sides = _sides(images)
    size = tuple(min(length, side or length) for length in sides)
    if size != sides:
        shrunk = keras.ops.image.resize(images, size, antialias=True)
        images = keras.ops.convert_to_numpy(shrunk)
    return images.reshape(len(images), -1)


def principal_components(rows, svd_solver=None, copy=True):
    """Make a PCA, not fitted yet, to 50 components, or as many as the rows have.

    So many rows less one: the last component would be the rounding error of their mean,
    which whoever scales the components takes for the largest.

    Args:
        rows: Rows `(n, d)` that it will be fitted to.
        svd_solver: As in scikit-learn. By default the covariance's where there are
            more rows than columns and these are few, which is exact and takes a
            third of the time of the randomised one.
        copy: Whether what it is fitted to is kept as it is, which lies twice in memory.
    """
    number = min(_COMPONENTS, max(1, len(rows) - 1), rows.shape[1])
    if svd_solver is None:
        by_covariance = rows.shape[1] <= min(len(rows), _SIDE**2)
        svd_solver = "covariance_eigh" if by_covariance else "auto"
    return PCA(number, svd_solver=svd_solver, copy=copy, random_state=0)


def warn_of_pixels(shape, judge):
    """Warn where pixels tell a judge little: in large pictures in colour.

    Args:
        shape: Shape `(n, height, width, channels)` of the images.
        judge: What judges, for the text.
    """
    first = keras.config.image_data_format() == "channels_first"
    channels = shape[1 if first else 3]
    sides = shape[2:4] if first else shape[1:3]
    if channels >= 3 and max(sides) > _SIDE:
        warnings.warn(
            f"{judge} judges large pictures in colour by their pixels, which tell it "
            "little about photographs. Give `features=` a pretrained model from images "
            "to vectors, such as "
            "`keras.applications.MobileNetV3Small(include_top=False, pooling='avg')`. "
            f"Received: images of shape {tuple(shape)}",
            stacklevel=4,
        )


def _read_cache(path, backbone):
    """Rows by digest; none where there is no such file, or one of other weights."""
    if not path.exists():
        return {}
    try:
        held = np.load(io.BytesIO(read_sealed(path)), allow_pickle=False)
    except DamagedFileError as error:
        warnings.warn(f"The cache of features begins anew: {error}", stacklevel=4)
        return {}
    if set(held) != _HELD:
        raise ValueError(
            "`cache` must be the path of a file of features, or of none. "
            f"Received: cache={str(path)!r}, a file with {sorted(held)[:5]}"
        )
    if held["weights"].tobytes() != _fingerprint(backbone):
        return {}
    keys = (key.tobytes() for key in held["keys"])
    return dict(zip(keys, held["rows"], strict=True))


def _write_cache(path, backbone, kept):
    content = io.BytesIO()
    np.savez(
        content,
        weights=np.frombuffer(_fingerprint(backbone), "uint8"),
        keys=np.stack([np.frombuffer(key, "uint8") for key in kept]),
        rows=np.stack(list(kept.values())),
    )
    write_sealed(path, content.getvalue())


def _fingerprint(backbone):
    """Digest of a model's weights; the states of its seeds are others in each run."""
    # Named after what images are known by: files of another version begin anew.
    digest = hashlib.blake2b(digest_size=16, person=b"shape, pixels")
    for variable in getattr(backbone, "weights", []):
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)))
    return digest.digest()


def _batch_rows(backbone, images, name, start):
    # Filled up to a power of two: every other shape would be another compilation.
    missing = 2 ** (len(images) - 1).bit_length() - len(images)
    padded = np.concatenate([images, np.repeat(images[-1:], missing, axis=0)])
    if isinstance(backbone, keras.Model):
        rows = backbone.predict_on_batch(padded)
    else:
        rows = backbone(padded)
    if keras.ops.is_tensor(rows):
        rows = keras.ops.convert_to_numpy(rows)
    if getattr(rows, "shape", ())[:1] != (len(padded),) or len(rows.shape) != 2:
        raise ValueError(
            f"`{name}` must turn n images into vectors (n, d): a model of "
            '`keras.applications` does with `include_top=False, pooling="avg"`. '
            f"Received: {name} whose output for {len(padded)} images has shape "
            f"{getattr(rows, 'shape', None)}"
        )
    rows = np.asarray(rows, dtype="float32")[: len(images)]
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(
            f"`{name}` must give finite numbers. Received: "
            f"{rows[row, column]} as number {column} of image {start + row}"
        )
    return rows


def _digest(image):
    digest = hashlib.blake2b(str(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image))
    return digest.digest()


def _sides(images):
    """Height and width, wherever the channels are."""
    axes = (2, 3) if keras.config.image_data_format() == "channels_first" else (1, 2)
    return tuple(images.shape[axis] for axis in axes)
