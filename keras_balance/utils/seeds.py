"""Randomness from (seed, where) and never from the order of calls."""

import contextlib
import numbers
import random
import secrets

import numpy as np


def check_seed(seed, name="seed"):
    """`seed` as an int of 31 bits, which every generator takes; a fresh one for None.

    A longer one is hashed into them.

    Args:
        seed: What was given.
        name: Name of the argument, for the error.

    Raises:
        TypeError: When it is neither an integer (NumPy's included) nor None.
        ValueError: When it is negative.
    """
    if seed is None:
        return secrets.randbits(31)
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise TypeError(
            f"`{name}` must be an integer or None. Received: {name}={seed!r}"
        )
    if seed < 0:
        raise ValueError(f"`{name}` must not be negative. Received: {name}={seed}")
    return int(seed) if seed < 2**31 else derive_seed(int(seed))


def random_generator(seed, *place):
    """Make the NumPy generator for one place, such as `(epoch, index)`, of one seed.

    Generators of different places are independent, and the same place always
    gets the same numbers.
    """
    return np.random.default_rng(_sequence(seed, place))


def derive_seed(seed, *place):
    """Make a 31-bit integer seed for one place of one seed."""
    return int(_sequence(seed, place).generate_state(1)[0] >> 1)


@contextlib.contextmanager
def seeded(seed):
    """Start Python's and NumPy's own generators from a seed, for a while.

    Keras draws the seeds of layers from the first, other people's functions from both.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def _sequence(seed, place):
    # As a spawn key: in a plain list [5] and [5, 0] would be the same.
    return np.random.SeedSequence(seed, spawn_key=place)
