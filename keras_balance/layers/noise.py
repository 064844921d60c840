"""Gaussian noise for images, four pixels a draw."""

import functools

import numpy as np
from scipy import stats

from keras_balance.layers.draws import uniform
from keras_balance.layers.factors import draw

_PIXELS = 4
_BITS = 16


def gaussian_noise(ops, shape, stddev, dtype, seed):
    """Noise N(0, stddev^2), several times cheaper than drawing each pixel.

    On a CPU, drawing normals takes longer than turning the image. Here one
    uniform draw of 16 bits picks the noise of four pixels from a table that is
    gaussian by construction (`_quadruples`). What that gives away: no pixel is
    more than 4.3 standard deviations off, and four neighbours share 16 bits.

    Args:
        ops: The `backend` of an image layer.
        shape: `(n, ...)`, integers or, inside `tf.data`, scalar tensors.
        stddev: Number, or a pair `(lower, upper)` that one is drawn from for
            each of the n.
        dtype: Floating point dtype of the result.
        seed: A `keras.random.SeedGenerator` or an integer.

    Returns:
        Tensor of `shape`.
    """
    n, *rest = shape
    size = functools.reduce(lambda product, length: product * length, rest)
    draws = (size + _PIXELS - 1) // _PIXELS
    # float32 has room for 16 bits, the halves have not.
    rows = uniform(ops, (n, draws), seed, maxval=2.0**_BITS, dtype="float32")
    table = _quadruples() if isinstance(stddev, tuple) else stddev * _quadruples()
    table = ops.convert_to_tensor(table, dtype=dtype)
    noise = ops.numpy.take(table, ops.cast(rows, "int32"), axis=0)
    noise = ops.numpy.reshape(noise, (n, draws * _PIXELS))
    if not isinstance(size, int) or size % _PIXELS:
        noise = noise[:, :size]
    if isinstance(stddev, tuple):
        (stddevs,) = draw(ops, [stddev], n, seed)
        noise = noise * ops.cast(stddevs[:, None], dtype)
    return ops.numpy.reshape(noise, shape)


@functools.cache
def _quadruples():
    """Table `(65536, 4)` of equally likely quadruples of independent normals.

    The points of a scrambled Sobol' net (Owen 1998, "Scrambling Sobol' and
    Niederreiter-Xing points") through the normal quantile function: each column
    holds every one of 65536 quantiles once, and each pair of columns fills the
    plane as evenly. The mean is 0 and the variance 1; covariances, of squares
    too, are below 1e-3.
    """
    net = stats.qmc.Sobol(_PIXELS, scramble=True, rng=0).random_base2(_BITS)
    cells = np.floor(net * 2**_BITS)
    normals = stats.norm.ppf((cells + 0.5) / 2**_BITS)
    return (normals / normals.std(axis=0)).astype("float32")
