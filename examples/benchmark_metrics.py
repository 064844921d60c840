"""What per-class evaluation costs: processor seconds an epoch.

    python examples/benchmark_metrics.py

Trains the paper's ConvNet on random images in turn without and with
`PerClassMetrics`, and reports what the metric adds to an epoch; and what
`PerClassReport` costs after one beside a `model.predict` of its data. Processor
seconds, medians over the rounds: other work on the machine stretches the clock, and
hardly these. With a GPU they leave out its part.
"""

import argparse
import statistics
import time

import keras
import numpy as np

import keras_balance as kb

SHAPE, NUM_CLASSES, BATCH_SIZE = (28, 28, 1), 10, 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2560, help="images an epoch")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    x, y = random_images(options.images)
    held_out = random_images(options.images)
    plain, measured = convnet([]), convnet([kb.metrics.PerClassMetrics(NUM_CLASSES)])
    report = kb.callbacks.PerClassReport(*held_out, batch_size=BATCH_SIZE)
    report.set_model(plain)
    runs = {
        "plain": lambda: fit(plain, x, y),
        "metric": lambda: fit(measured, x, y),
        "predict": lambda: plain.predict(held_out[0], BATCH_SIZE, verbose=0),
        "report": lambda: report.on_epoch_end(0),
    }
    seconds = {name: [] for name in runs}
    for count in range(options.rounds + 1):
        for name, run in runs.items():
            elapsed = seconds_of(run)
            if count:  # The first round compiles.
                seconds[name].append(elapsed)
    tell(seconds)


def random_images(count):
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (count, *SHAPE), dtype="uint8")
    return x, generator.integers(0, NUM_CLASSES, count)


def convnet(metrics):
    model = kb.models.convnet(SHAPE, NUM_CLASSES)
    model.compile("adadelta", "sparse_categorical_crossentropy", metrics=metrics)
    return model


def fit(model, x, y):
    model.fit(x, y, batch_size=BATCH_SIZE, verbose=0)


def seconds_of(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def tell(seconds):
    """Print the median seconds and what follows from them."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:8} {median:8.3f} s")
    added = medians["metric"] / medians["plain"] - 1
    print(f"PerClassMetrics adds {100 * added:+.1f} % to an epoch")
    passes = medians["report"] / medians["predict"]
    print(f"PerClassReport costs {passes:.2f} passes of predict")


if __name__ == "__main__":
    main()
