"""What a backup notes of its data, and what it costs."""

import keras
import numpy as np
import pytest

from keras_balance.callbacks.data_notes import data_notes
from keras_balance.data import BalancedDataset
from keras_balance.data.synthesis import registry
from keras_balance.layers import ManualAugmentation
from keras_balance.utils.plain_data import is_plain
from small_data import grey_images

pytestmark = pytest.mark.once

X, Y = grey_images([300, 200, 60])


class OnDisk:
    """Images that are read when they are indexed, each read noted."""

    shape, dtype = X.shape, X.dtype

    def __init__(self, read=lambda images: images):
        self.rows, self._read = [], read

    def __len__(self):
        return len(X)

    def __getitem__(self, rows):
        self.rows.append(rows)
        return self._read(X[rows])


def notes(x, **options):
    return data_notes(BalancedDataset(x, Y, seed=0, **options))


def test_a_few_images_tell_those_on_disk():
    images = OnDisk()
    dataset = BalancedDataset(images, Y, seed=0)
    images.rows = []
    assert data_notes(dataset) == notes(OnDisk())
    assert sum(len(rows) for rows in images.rows) < 80
    assert data_notes(dataset)["images"] != notes(OnDisk(np.invert))["images"]


def test_one_pixel_tells_those_in_memory():
    other = X.copy()
    other[17, 3, 3] += 1
    assert notes(X) == notes(X.copy())
    assert notes(X)["images"] != notes(other)["images"]


def test_images_that_are_others_at_each_look_are_not_compared():
    generator = np.random.default_rng(0)

    def drawn(images):
        return generator.integers(0, 256, images.shape).astype("uint8")

    assert notes(OnDisk(drawn)) == notes(OnDisk(drawn))


def given(label):
    return label


class Drawer:
    def generate(self, labels, seed=None):
        return np.zeros((len(labels), 8, 8, 1))


@pytest.mark.parametrize(
    ("synthesizer", "name"),
    [
        (None, "repeat"),
        ("manual", "manual"),
        (ManualAugmentation(), "ManualAugmentation"),
        (given, "given"),
        (Drawer(), "Drawer"),
        ({"repeat": 1, Drawer(): 1}, {"repeat": 1, "Drawer": 1}),
    ],
)
def test_a_synthesizer_is_told_by_its_name(synthesizer, name):
    found = notes(X, synthesizer=synthesizer)
    assert found["synthesizer"] == name
    assert is_plain(found)


def test_data_of_the_users_own_may_call_anything_so():
    class Own(keras.utils.PyDataset):
        mix, dtype, images, synthesizer = object(), np.dtype("uint8"), [3], registry
        batch_size = refresh = print

        def __len__(self):
            return 1

    assert is_plain(data_notes(Own()))
    assert data_notes(Own()) == data_notes(Own())
    assert data_notes(None) is None
