import random

import keras
import numpy as np

from keras_balance.auto.all_seeded import all_seeded


def drawn():
    """What generators that show their state give next."""
    numbers = [random.random(), np.random.random()]  # noqa: NPY002
    if keras.backend.backend() == "torch":
        import torch

        numbers += [torch.initial_seed(), torch.rand(()).item()]
    return numbers


def test_generators_go_on_where_they_were():
    keras.utils.set_random_seed(7)
    first, second = drawn(), drawn()
    keras.utils.set_random_seed(7)
    assert drawn() == first
    with all_seeded(123):
        drawn()
    assert drawn() == second


def test_within_it_all_are_seeded():
    keras.utils.set_random_seed(123)
    expected = [*drawn(), float(keras.random.uniform(()))]
    keras.utils.set_random_seed(7)
    with all_seeded(123):
        assert [*drawn(), float(keras.random.uniform(()))] == expected
