"""The same epoch from one worker or many, threads or processes."""

import time

import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset

X = np.random.default_rng(0).integers(0, 256, (90, 4, 4, 1)).astype("uint8")
Y = np.array([0] * 70 + [1] * 20)

# JAX warns of every fork.
PROCESSES = pytest.param(
    {"workers": 2, "use_multiprocessing": True},
    id="processes",
    marks=pytest.mark.skipif(keras.backend.backend() == "jax", reason="forks"),
)
WAYS = [pytest.param({"workers": 4, "max_queue_size": 3}, id="threads"), PROCESSES]


class Noise:
    def generate(self, labels, seed=None):
        generator = np.random.default_rng(seed)
        return generator.uniform(0, 255, (len(labels), 4, 4, 1))


def fitted(**options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    dataset = BalancedDataset(X, Y, 8, synthesizer=Noise(), seed=3, **options)
    model.evaluate(*dataset[0], verbose=0)
    # Without shuffling, the batches come in order: equal epochs, equal weights.
    model.fit(dataset, epochs=3, shuffle=False, verbose=0)
    return dataset, model.get_weights()


@pytest.mark.parametrize("options", WAYS)
def test_same_training(options):
    alone, expected = fitted()
    dataset, weights = fitted(**options)
    assert dataset.epoch == alone.epoch == 3
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)


class Broken(BalancedDataset):
    def __getitem__(self, index):
        if self.epoch == 0 and index == 3:
            raise OSError("the disk is on fire")
        return super().__getitem__(index)


@pytest.mark.parametrize("options", [pytest.param({}, id="alone"), *WAYS])
def test_an_exception_in_a_worker_comes_out_with_its_text(options):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    begun = time.monotonic()
    # The backends wrap it in errors of their own.
    with pytest.raises(Exception, match="the disk is on fire"):
        model.fit(Broken(X, Y, 8, seed=0, **options), verbose=0, shuffle=False)
    assert time.monotonic() - begun < 120


def test_a_process_without_the_epoch_says_so(monkeypatch):
    dataset = BalancedDataset(X, Y, synthesizer=Noise(), seed=0)
    ready = BalancedDataset(X, Y, seed=0, use_multiprocessing=True)
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert len(ready[0][1]) == 32
    with pytest.raises(RuntimeError, match="use_multiprocessing=True"):
        dataset[0]
