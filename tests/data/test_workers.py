"""The same epoch from one worker or many, threads or processes.

Keras forks its worker processes, and a fork of a process whose threads hold a lock can
stand still. So what forks runs in a process of its own, which is given up in time.

As a script: python test_workers.py FUNCTION
"""

import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset

X = np.random.default_rng(0).integers(0, 256, (90, 4, 4, 1)).astype("uint8")
Y = np.array([0] * 70 + [1] * 20)

THREADS = {"workers": 4, "max_queue_size": 3}
PROCESSES = {"workers": 2, "use_multiprocessing": True}

# JAX warns of every fork, which may hang: passing once shows nothing.
forks = pytest.mark.skipif(keras.backend.backend() == "jax", reason="forks")


def in_another_process(function, seconds=100):
    """Call a function of this file in a fresh process; a second time if it stalls."""
    command = [sys.executable, __file__, function.__name__]
    for _ in range(2):
        try:
            done = subprocess.run(
                command, timeout=seconds, capture_output=True, text=True, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        assert done.returncode == 0, done.stderr[-3000:]
        return
    pytest.fail(f"{function.__name__} stood still twice")


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
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    dataset = BalancedDataset(X, Y, 16, synthesizer=Noise(), seed=3, **options)
    model.evaluate(*dataset[0], verbose=0)
    # Without shuffling, the batches come in order: equal epochs, equal weights.
    model.fit(dataset, epochs=3, shuffle=False, verbose=0)
    return dataset, model.get_weights()


def check_same_training(options):
    alone, expected = fitted()
    dataset, weights = fitted(**options)
    assert dataset.epoch == alone.epoch == 3
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_same_training_from_threads():
    check_same_training(THREADS)


class Broken(BalancedDataset):
    def __getitem__(self, index):
        if self.epoch == 0 and index == 3:
            raise OSError("the disk is on fire")
        return super().__getitem__(index)


def check_exception(options):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    begun = time.monotonic()
    # The backends wrap it in errors of their own.
    with pytest.raises(Exception, match="the disk is on fire"):
        model.fit(Broken(X, Y, 8, seed=0, **options), verbose=0, shuffle=False)
    assert time.monotonic() - begun < 90


@pytest.mark.parametrize("options", [{}, THREADS], ids=["alone", "threads"])
def test_an_exception_in_a_worker_comes_out_with_its_text(options):
    check_exception(options)


def training_from_processes():
    check_same_training(PROCESSES)
    check_exception(PROCESSES)


@forks
def test_processes_train_the_same_and_their_exceptions_come_out():
    in_another_process(training_from_processes)


def test_a_process_without_the_epoch_says_so(monkeypatch):
    dataset = BalancedDataset(X, Y, synthesizer=Noise(), seed=0)
    ready = BalancedDataset(X, Y, seed=0, use_multiprocessing=True)
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert len(ready[0][1]) == 32
    with pytest.raises(RuntimeError, match="use_multiprocessing=True"):
        dataset[0]


if __name__ == "__main__":
    globals()[sys.argv[1]]()
