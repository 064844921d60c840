import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.utils.seeds import check_seed, derive_seed, random_generator

SEEDS = st.integers(0, 2**40)
PLACES = st.lists(st.integers(0, 2**20), max_size=3)


@pytest.mark.parametrize("seed", [0, 7, np.int8(7), np.uint64(2**31 - 1)])
def test_integers_stay(seed):
    assert check_seed(seed) == int(seed)
    assert type(check_seed(seed)) is int


def test_none_gives_a_fresh_seed():
    seeds = {check_seed(None) for _ in range(5)}
    assert len(seeds) > 1
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("seed", ["1", 1.0, True, np.float32(1), [1], np.array([1])])
def test_other_types(seed):
    with pytest.raises(TypeError, match=r"integer or None. Received: seed="):
        check_seed(seed)


@pytest.mark.parametrize("seed", [-1, np.int8(-1)])
def test_negative(seed):
    with pytest.raises(ValueError, match="Received: seed=-1"):
        check_seed(seed)


def test_long_integers_become_those_that_every_generator_takes():
    found = [check_seed(seed) for seed in (2**31, np.uint64(2**40), 2**100)]
    assert all(type(seed) is int and 0 <= seed < 2**31 for seed in found)
    assert len(set(found)) == 3
    assert check_seed(2**40) == found[1]


@given(seed=SEEDS, place=PLACES)
@settings(max_examples=30, deadline=None)
def test_same_place_same_numbers_whatever_came_between(seed, place):
    first = random_generator(seed, *place).random(3)
    random_generator(seed, 1, 2, 3).random()
    np.random.default_rng().random()
    np.testing.assert_array_equal(random_generator(seed, *place).random(3), first)
    assert derive_seed(seed, *place) == derive_seed(seed, *place)
    assert 0 <= derive_seed(seed, *place) < 2**31


def test_other_places_and_seeds_other_numbers():
    """Also where places differ in length, in order or by zeros alone."""
    seeds = [0, 1, 2, 2**32]
    places = [
        place
        for length in range(4)
        for place in itertools.product([0, 1, 2], repeat=length)
    ]
    numbers = {
        random_generator(seed, *place).random() for seed in seeds for place in places
    }
    derived = {derive_seed(seed, *place) for seed in seeds for place in places}
    assert len(numbers) == len(derived) == len(seeds) * len(places)
