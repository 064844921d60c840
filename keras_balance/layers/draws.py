"""Random numbers for images, each as in the batch that it belongs to."""

import keras
import numpy as np


class SeedsOfBatches:
    """Seeds of batches that go through a layer together.

    In the place of one seed, they have each batch draw what it would draw alone.

    Args:
        sizes: Numbers of images of the batches.
        seeds: Integers, one a batch.
        dtype: That of the state of a `keras.random.SeedGenerator`.
    """

    def __init__(self, sizes, seeds, dtype):
        self.sizes = tuple(sizes)
        self.seeds = [_CountedSeed(seed, dtype) for seed in seeds]

    def draw(self, ops, random, shape, axis, **kwargs):
        """Draw for the images of all batches, which lie along `axis`."""
        parts = [
            random((*shape[:axis], size, *shape[axis + 1 :]), seed=seed, **kwargs)
            for size, seed in zip(self.sizes, self.seeds, strict=True)
        ]
        return ops.numpy.concatenate(parts, axis=axis)


class _CountedSeed(keras.random.SeedGenerator):
    """What a `SeedGenerator` of a seed gives, without a variable that counts."""

    def __init__(self, seed, dtype):
        self._next = np.array([seed, 0], dtype)

    def next(self, ordered=True):
        seed = keras.ops.convert_to_tensor(self._next)
        self._next = self._next + np.array([0, 1], self._next.dtype)
        return seed


def uniform(ops, shape, seed, axis=0, **kwargs):
    """`ops.random.uniform`, whose `seed` may be `SeedsOfBatches`.

    Args:
        ops: The `backend` of an image layer.
        shape: Of what is drawn, with as many images along `axis` as there are.
        seed: A `keras.random.SeedGenerator`, an integer, or `SeedsOfBatches`.
        axis: That of the images.
        **kwargs: Those of `keras.random.uniform`.
    """
    return _draw(ops, ops.random.uniform, shape, seed, axis, kwargs)


def normal(ops, shape, seed, axis=0, **kwargs):
    """`ops.random.normal`, likewise."""
    return _draw(ops, ops.random.normal, shape, seed, axis, kwargs)


def _draw(ops, random, shape, seed, axis, kwargs):
    if isinstance(seed, SeedsOfBatches):
        return seed.draw(ops, random, shape, axis, **kwargs)
    return random(shape, seed=seed, **kwargs)
