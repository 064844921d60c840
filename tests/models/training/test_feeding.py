import functools
import tracemalloc

import numpy as np
import pytest

from keras_balance.models.training import feeding
from keras_balance.utils.labels import read_class_labels

BATCH = (64, 64, 64, 1)  # of 1 MiB


class Batches:
    """Twenty batches of one rare image each."""

    def __iter__(self):
        for _ in range(20):
            yield np.zeros(BATCH, "float32"), np.arange(64) % 64 // 63


@pytest.mark.once
def test_a_sample_does_not_keep_the_batches_it_is_of(monkeypatch):
    monkeypatch.setattr(feeding, "PER_CLASS", 20)
    read = functools.partial(read_class_labels, num_classes=2)
    tracemalloc.start()
    try:
        images, labels, *_ = feeding.sample_batches(Batches(), read)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert images.shape == (40, *BATCH[1:])
    assert labels.tolist().count(1) == 20
    assert peak < 8 * 2**20
