"""Resampling images at moved coordinates, once whatever the number of moves.

Images are `(n, height, width, channels)`; `ops` is the `backend` of an image
layer. Coordinates are pixel indices: 0 is the centre of the first pixel.
"""

import functools
import itertools
import math

from keras_balance.layers import draws
from keras_balance.layers.factors import draw

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")


def affine_matrix(ops, size, rotation, zoom, shear, shift_y, shift_x):
    """Affine maps from output to input pixels, about the centre of the image.

    Their effect on the picture, in this order: rotation counter-clockwise,
    shear to the right at the top, zoom out, shift down and right.

    Args:
        ops: See above.
        size: `(height, width)`.
        rotation: `(n,)` fractions of a full turn.
        zoom: `(n,)` zoom factors, 0 for none, positive to zoom out.
        shear: `(n,)` columns a row moves by, per row from the centre.
        shift_y: `(n,)` fractions of the height.
        shift_x: `(n,)` fractions of the width.

    Returns:
        float32 `(n, 8)`, as `keras.ops.image.affine_transform` takes them.
    """
    height, width = (ops.cast(length, "float32") for length in size)
    center_y, center_x = (height - 1) / 2, (width - 1) / 2
    angle = rotation * (2 * math.pi)
    cos, sin = ops.numpy.cos(angle), ops.numpy.sin(angle)
    scale = 1 + zoom
    # Rotation @ [[1, shear], [0, 1]] * scale
    xx, xy = scale * cos, scale * (shear * cos - sin)
    yx, yy = scale * sin, scale * (shear * sin + cos)
    from_y, from_x = center_y + shift_y * height, center_x + shift_x * width
    x0 = center_x - xx * from_x - xy * from_y
    y0 = center_y - yx * from_x - yy * from_y
    zero = ops.numpy.zeros_like(xx)
    return ops.numpy.stack([xx, xy, x0, yx, yy, y0, zero, zero], axis=1)


def affine_coordinates(ops, matrix, size):
    """Input coordinates `(y, x)`, `(n, height, width)` each, of all output pixels."""
    height, width = size
    rows = ops.numpy.reshape(ops.numpy.arange(height, dtype="float32"), (1, -1, 1))
    columns = ops.numpy.reshape(ops.numpy.arange(width, dtype="float32"), (1, 1, -1))
    xx, xy, x0, yx, yy, y0 = _entries(ops, matrix)
    return yx * columns + yy * rows + y0, xx * columns + xy * rows + x0


def affine_boxes(ops, matrix, boxes):
    """Boxes `(n, boxes, 4)`, "xyxy", that hold the moved corners of `boxes`."""
    xx, xy, x0, yx, yy, y0 = _entries(ops, matrix)
    left, top, right, bottom = (boxes[..., i, None] for i in range(4))
    determinant = xx * yy - xy * yx
    moved_x, moved_y = [], []
    for side, end in itertools.product((left, right), (top, bottom)):
        # A box tells edges, half a pixel off the centres that the matrix tells.
        x, y = side - 0.5 - x0, end - 0.5 - y0
        moved_x.append((yy * x - xy * y) / determinant + 0.5)
        moved_y.append((xx * y - yx * x) / determinant + 0.5)
    # Two by two: without any box there is no least of all.
    edges = [
        functools.reduce(extreme, corners)
        for extreme in (ops.numpy.minimum, ops.numpy.maximum)
        for corners in (moved_x, moved_y)
    ]
    return ops.numpy.concatenate(edges, axis=-1)


def elastic_displacement(ops, n, size, factor, smoothness, seed):
    """Smooth random displacements (Simard et al. 2003, section 2).

    White noise under a gaussian filter, of the same variance at every pixel.

    Args:
        ops: See above.
        n: Number of images.
        size: `(height, width)`.
        factor: Standard deviation in fractions of height and width, or a pair
            that one is drawn from per image.
        smoothness: Width of the filter in fractions of height and width.
        seed: A `keras.random.SeedGenerator` or an integer.

    Returns:
        Pixels to move by, down and right: float32 `(2, n, height, width)`.
    """
    height, width = size
    noise = draws.normal(ops, (2, n, height, width), seed, axis=1, dtype="float32")
    over_rows = _gaussian_filter(ops, height, smoothness)
    over_columns = ops.numpy.transpose(_gaussian_filter(ops, width, smoothness))
    field = ops.numpy.matmul(ops.numpy.matmul(over_rows, noise), over_columns)
    bounds = factor if isinstance(factor, tuple) else (factor, factor)
    stddev = draw(ops, [bounds], n, seed)[:, :, None, None]
    lengths = ops.numpy.stack([ops.cast(length, "float32") for length in size])
    return field * stddev * lengths[:, None, None, None]


def has_kernel(ops, fill_mode):
    """Whether `move` leaves affine maps to Keras' affine transform.

    TensorFlow turns images in one kernel, three times as fast as `resample`, which
    XLA cannot compile, and which loses a pixel at the border where it wraps. For
    the others Keras puts the transform together from slices, image by image or in
    three dimensions, and `resample` is two to ten times as fast.
    """
    return ops.name == "tensorflow" and fill_mode != "wrap"


def move(ops, images, matrix, displacement, *, interpolation, fill_mode, fill_value):
    """Images under an affine map and, unless None, a displacement: one resampling.

    Args:
        ops: See above.
        images: `(n, height, width, channels)`.
        matrix: float32 `(n, 8)` of `affine_matrix`.
        displacement: float32 `(2, n, height, width)` of `elastic_displacement`,
            or None.
        interpolation: One of `INTERPOLATIONS`.
        fill_mode: One of `FILL_MODES`: what is seen outside the image.
        fill_value: Number for `fill_mode="constant"`.
    """
    how = {
        "interpolation": interpolation,
        "fill_mode": fill_mode,
        "fill_value": fill_value,
    }
    if displacement is None and has_kernel(ops, fill_mode):
        return ops.image.affine_transform(
            images, matrix, data_format="channels_last", **how
        )
    y, x = affine_coordinates(ops, matrix, ops.shape(images)[1:3])
    if displacement is not None:
        y, x = y + displacement[0], x + displacement[1]
    return resample(ops, images, y, x, **how)


def gather(ops, images, y, x, fill_mode):
    """Pixels of `images` at whole coordinates, which blurs nothing.

    Args:
        ops: See above.
        images: `(n, height, width, channels)`.
        y: float32 that broadcasts to `(n, height, width)` with `x`.
        x: float32 likewise.
        fill_mode: One of `FILL_MODES`; `"constant"` stands for `"nearest"` here, and
            what lies outside is for the caller to fill.
    """
    n, height, width, channels = ops.shape(images)
    pixels = ops.numpy.reshape(images, (-1, channels))
    first = ops.numpy.reshape(
        ops.numpy.arange(n, dtype="int32") * (height * width), (-1, 1, 1)
    )
    rows = first + _inside(ops, y, height, fill_mode) * width
    return ops.numpy.take(pixels, rows + _inside(ops, x, width, fill_mode), axis=0)


def resample(ops, images, y, x, interpolation, fill_mode, fill_value):
    """Images with the values that `images` have at the coordinates `(y, x)`.

    Args:
        ops: See above.
        images: `(n, height, width, channels)`.
        y: float32 `(n, height, width)`.
        x: float32 `(n, height, width)`.
        interpolation: One of `INTERPOLATIONS`.
        fill_mode: One of `FILL_MODES`; what lies outside the image.
        fill_value: Number for `fill_mode="constant"`.
    """
    if fill_mode == "constant":
        # A frame of the fill value stands for everything outside.
        frame = ((0, 0), (1, 1), (1, 1), (0, 0))
        images = ops.numpy.pad(images, frame, constant_values=fill_value)
        y, x = y + 1, x + 1
    if interpolation == "nearest":
        y, x = ops.numpy.floor(y + 0.5), ops.numpy.floor(x + 0.5)
        return gather(ops, images, y, x, fill_mode)
    n, height, width, channels = ops.shape(images)
    pixels = ops.numpy.reshape(images, (-1, channels))
    first = ops.numpy.reshape(
        ops.numpy.arange(n, dtype="int32") * (height * width), (-1, 1, 1)
    )

    def row(i):
        return first + _inside(ops, i, height, fill_mode) * width

    def column(i):
        return _inside(ops, i, width, fill_mode)

    def pick(row, column):
        return ops.numpy.take(pixels, row + column, axis=0)

    top, left = ops.numpy.floor(y), ops.numpy.floor(x)
    to_bottom = ops.cast((y - top)[..., None], images.dtype)
    to_right = ops.cast((x - left)[..., None], images.dtype)
    rows, columns = (row(top), row(top + 1)), (column(left), column(left + 1))
    upper, lower = (
        _between(pick(at, columns[0]), pick(at, columns[1]), to_right) for at in rows
    )
    return _between(upper, lower, to_bottom)


def _entries(ops, matrix):
    """Entries of `affine_matrix`, `(n, 1, 1)` each."""
    # Not `matrix[:, i, None, None]`: TensorFlow's graph optimizer folds that with
    # the stack in `affine_matrix`, and loses the new axes.
    return (ops.numpy.reshape(matrix[:, i], (-1, 1, 1)) for i in range(6))


def _between(start, end, weight):
    return start + (end - start) * weight


def _inside(ops, index, length, fill_mode):
    """Whole coordinates as indices of pixels in [0, length)."""
    if fill_mode == "wrap":
        index = ops.numpy.mod(index, ops.cast(length, "float32"))
    elif fill_mode == "reflect":
        period = ops.cast(2 * length, "float32")
        index = ops.numpy.mod(index, period)
        index = ops.numpy.minimum(index, period - 1 - index)
    return ops.cast(
        ops.numpy.clip(index, 0.0, ops.cast(length - 1, "float32")), "int32"
    )


def _gaussian_filter(ops, length, smoothness):
    """Matrix `(length, length)` of gaussian weights, its rows of unit norm."""
    at = ops.numpy.arange(length, dtype="float32")
    width = smoothness * ops.cast(length, "float32")
    weights = ops.numpy.exp(-(((at[:, None] - at[None]) / width) ** 2) / 2)
    norm = ops.numpy.sqrt(ops.numpy.sum(weights**2, axis=1, keepdims=True))
    return weights / norm
