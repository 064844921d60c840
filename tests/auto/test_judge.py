import tracemalloc

import keras
import numpy as np
import pytest

from keras_balance.auto.judge import Judge, class_f1
from keras_balance.data import BalancedDataset, LabelledImages
from keras_balance.metrics.features import Features


def images(labels, sides=(8, 8), seed=0):
    """Class 0 is dark and class 1 bright, with some noise."""
    noise = np.random.default_rng(seed).normal(0, 20, (len(labels), *sides, 1))
    return 80 + 100 * labels[:, None, None, None] + noise


def test_what_can_be_told_is_told():
    y = np.repeat([0, 1], [30, 30])
    judge = Judge(LabelledImages(images(y, seed=1), y), [0, 1])
    right = BalancedDataset(images(y), y, seed=0)
    swapped = BalancedDataset(images(y), 1 - y, seed=0)
    np.testing.assert_array_equal(judge.f1(right), [1, 1])
    np.testing.assert_array_equal(judge.f1(swapped), [0, 0])


def test_no_randomness():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.uniform(size=(200, 12, 12, 3))  # enough for a randomised solver
    judge = Judge(LabelledImages(x[::-1], y), [0, 1])
    dataset = BalancedDataset(x, y, seed=0)
    first = judge.f1(dataset)
    keras.utils.set_random_seed(5)
    dataset.epoch = 3
    np.testing.assert_array_equal(judge.f1(dataset), first)


def test_what_is_begun_is_read_at_once_and_fitted_later():
    y = np.repeat([0, 1], [30, 30])
    judge = Judge(LabelledImages(images(y, seed=1), y), [0, 1])
    dataset, later = BalancedDataset(images(y), y, seed=0), []

    class Thread:
        def submit(self, *call):
            later.append(call)

    judge.begin(dataset, Thread())
    (fit, *read), *others = later
    assert not others
    assert [len(part) for part in read] == [60, 60]
    np.testing.assert_array_equal(fit(*read), [1, 1])


def test_large_pictures_are_judged_shrunk():
    y = np.repeat([0, 1], 4)
    x = images(y, sides=(100, 20))
    f1 = Judge(LabelledImages(x, y), [0, 1]).f1(BalancedDataset(x, y, seed=0))
    np.testing.assert_array_equal(f1, [1, 1])


def test_what_a_backbone_sees_is_judged_and_seen_once():
    y = np.repeat([0, 1], [30, 30])
    seen = []

    def brightness_upside_down(batch):
        seen.append(len(batch))
        return -batch.mean(axis=(1, 2))

    features = Features(brightness_upside_down)
    held_out = LabelledImages(images(y, seed=1).astype("float32"), y)
    judge = Judge(held_out, [0, 1], epochs=3, features=features)
    dataset = BalancedDataset(images(y), y, seed=0)
    np.testing.assert_array_equal(judge.f1(dataset), [1, 1])
    assert sum(seen) == 2 * (32 + 32)  # 60 images, filled up, and each once
    judge.f1(dataset)
    assert sum(seen) == 2 * (32 + 32)


def test_a_long_epoch_is_not_read_whole(monkeypatch):
    y = np.repeat([0, 1], 50)
    dataset = BalancedDataset(images(y), y, batch_size=8, seed=0)
    read = []
    batch = BalancedDataset.batch

    def spy(self, epoch, index):
        read.append((epoch, index))
        return batch(self, epoch, index)

    monkeypatch.setattr(BalancedDataset, "batch", spy)
    judge = Judge(LabelledImages(images(y), y), [0, 1])
    judge.f1(dataset)
    assert read == [(0, index) for index in range(13)]
    read.clear()
    Judge(LabelledImages(images(y), y), [0, 1], most_images=20).f1(dataset)
    assert read == [(0, 0), (0, 1), (0, 2)]
    read.clear()
    Judge(LabelledImages(images(y), y), [0, 1], epochs=2).f1(dataset)
    assert read == [(epoch, index) for epoch in (0, 1) for index in range(13)]
    assert dataset.epoch == 0


def test_classes_count_the_same_and_only_some_are_scored():
    indices = np.repeat([0, 1, 2], [100, 10, 10])
    predicted = indices.copy()
    predicted[:50] = 1  # half of class 0
    f1 = class_f1(LabelledImages(np.zeros((120, 1, 1, 1)), indices), [1, 2], predicted)
    np.testing.assert_allclose(f1, [2 * (2 / 3) / (1 + 2 / 3), 1])


@pytest.mark.once
def test_what_is_judged_lies_in_memory_once():
    y = np.repeat([0, 1], 300)
    x = np.random.default_rng(0).integers(0, 256, (600, 32, 32, 3), "uint8")
    few = LabelledImages(x[::50], y[::50])
    judge, dataset = Judge(few, [0, 1]), BalancedDataset(x, y, seed=0)
    dataset[0]
    tracemalloc.start()
    judge.f1(dataset)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rows = 4 * x.size  # as float32
    assert rows < peak < 1.5 * rows
