"""What the logit-adjusted loss costs: seconds of a training step of the ConvNet.

    python examples/benchmark_losses.py

Trains the paper's ConvNet on random images, in turns with Keras' cross-entropy and
with `LogitAdjustedCrossentropy`, and prints the median of the ratios of neighbouring
runs: other work on the machine stretches both.
"""

import argparse
import statistics
import time

import keras
import numpy as np

import keras_balance as kb

SHAPE, BATCH_SIZE = (28, 28, 1), 128
COUNTS = [240] * 9 + [12]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8, help="steps of a run")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (options.steps * BATCH_SIZE, *SHAPE), dtype="uint8")
    y = generator.integers(0, len(COUNTS), len(x))
    losses = [
        keras.losses.SparseCategoricalCrossentropy(),
        kb.losses.LogitAdjustedCrossentropy(COUNTS),
    ]
    models = [convnet(loss) for loss in losses]
    ratios, seconds = [], []
    for count in range(options.rounds + 1):
        plain, adjusted = (seconds_of(model, x, y) for model in models)
        if count:  # the first round compiles
            ratios.append(adjusted / plain)
            seconds.append(plain / options.steps)
    print(f"a step: {1000 * statistics.median(seconds):.1f} ms of processor time")
    low, median, high = statistics.quantiles(ratios, n=4)
    print(
        f"LogitAdjustedCrossentropy adds {100 * (median - 1):+.1f} % to it "
        f"(quartiles {100 * (low - 1):+.1f} to {100 * (high - 1):+.1f})"
    )


def convnet(loss):
    model = kb.models.convnet(SHAPE, len(COUNTS))
    model.compile("adadelta", loss)
    return model


def seconds_of(model, x, y):
    start = time.process_time()
    model.fit(x, y, batch_size=BATCH_SIZE, verbose=0)
    return time.process_time() - start


if __name__ == "__main__":
    main()
