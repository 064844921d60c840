"""What balanced feeding costs: seconds an epoch, and memory.

    python examples/benchmark_feed.py speed
    python examples/benchmark_feed.py fit
    python examples/benchmark_feed.py batch
    python examples/benchmark_feed.py memory

`speed` trains the paper's ConvNet on the same balanced number of images, fed in
several ways in turn, and reports the median epoch of each against arrays balanced
beforehand, in wall-clock and in processor seconds (the steadier figure where other
programs run). "PyDataset, ready batches" is what Keras itself spends on any
`PyDataset`. `fit` times whole trainings of four epochs, their ends too: on TensorFlow,
with one worker, the end of an epoch may wait. `batch` times a batch of 64 images of 96
by 96 by 3 alone, against taking its rows out of the array and casting them to float32.
`memory` reads epochs of 100,000 and of 1,000,000 images from a memory-mapped file, rare
ones repeated or augmented, and reports what it takes to start an epoch, and the peak of
the process.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np

import keras_balance as kb

SHAPE, NUM_CLASSES, BATCH_SIZE = (28, 28, 1), 10, 32


class Glyphs:
    """Stands in for a fitted BAGAN: any object with `generate` will do."""

    def generate(self, labels, seed=None):
        """Make one image for each label."""
        generator = np.random.default_rng(seed)
        return generator.integers(0, 256, (len(labels), *SHAPE)).astype("float32")


class EpochTimes(keras.callbacks.Callback):
    """Wall-clock and processor seconds of the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        wall, processor = self.start
        self.seconds = time.perf_counter() - wall, time.process_time() - processor


class ReadyBatches(keras.utils.PyDataset):
    """Batches that are there already: the least a `PyDataset` can cost."""

    def __init__(self, batches):
        super().__init__()
        self.batches = list(batches)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def imbalanced(per_class, minority):
    """Random uint8 images, few of class 0."""
    counts = [minority] + [per_class] * (NUM_CLASSES - 1)
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (sum(counts), *SHAPE), dtype="uint8")
    return x, np.repeat(np.arange(NUM_CLASSES), counts)


def balanced_beforehand(x, y):
    """Repeat rare images in float32 arrays: the yardstick."""
    dataset = kb.BalancedDataset(x, y, batch_size=len(x), seed=0)
    images, labels = zip(*dataset, strict=True)
    return {
        "x": np.concatenate(images),
        "y": np.concatenate(labels),
        "batch_size": BATCH_SIZE,
    }


def hand_written(x, y, steps):
    """Draw classes at random, forever: what many write by hand."""
    generator = np.random.default_rng(0)
    rows = [np.flatnonzero(y == label) for label in range(NUM_CLASSES)]

    def batches():
        while True:
            labels = generator.integers(0, NUM_CLASSES, BATCH_SIZE)
            chosen = [generator.choice(rows[label]) for label in labels]
            yield x[chosen].astype("float32"), labels

    return {"x": batches(), "steps_per_epoch": steps}


def sample_from_datasets(x, y, steps):
    """Sample evenly from one endless tf.data set a class."""
    import tensorflow as tf

    parts = [
        tf.data.Dataset.from_tensor_slices((x[y == label], y[y == label]))
        .shuffle(10_000)
        .repeat()
        for label in range(NUM_CLASSES)
    ]
    dataset = (
        tf.data.Dataset.sample_from_datasets(parts, seed=0)
        .batch(BATCH_SIZE)
        .map(lambda images, labels: (tf.cast(images, "float32"), labels))
        .prefetch(tf.data.AUTOTUNE)
    )
    return {"x": dataset, "steps_per_epoch": steps}


def ways_to_feed(x, y):
    """Arguments of `fit` by the name of the way."""

    def balanced(**options):
        return {"x": kb.BalancedDataset(x, y, BATCH_SIZE, seed=0, **options)}

    ways = {
        "arrays balanced beforehand": balanced_beforehand(x, y),
        "PyDataset, ready batches": {"x": ReadyBatches(balanced()["x"])},
        "BalancedDataset, repeat": balanced(),
        "BalancedDataset, manual": balanced(synthesizer="manual"),
        "BalancedDataset, fixed pool": balanced(synthesizer=Glyphs(), refresh=False),
        "BalancedDataset, MixUp": balanced(mix="mixup"),
        "BalancedDataset, CutMix": balanced(mix="cutmix"),
    }
    steps = len(ways["BalancedDataset, repeat"]["x"])
    ways["hand-written generator"] = hand_written(x, y, steps)
    if keras.backend.backend() == "tensorflow":
        ways["tf.data sample_from_datasets"] = sample_from_datasets(x, y, steps)
    return ways


def compiled_convnet():
    """Make the paper's ConvNet, for class numbers and the shares of mixed images."""
    model = kb.models.convnet(SHAPE, NUM_CLASSES)
    either = kb.losses.LogitAdjustedCrossentropy(np.ones(NUM_CLASSES), tau=0.0)
    model.compile("adam", either)
    return model


def compare(ways, rounds):
    """Print the median seconds an epoch of every way, taken in turn against drift."""
    models = {name: compiled_convnet() for name in ways}
    times = {name: [] for name in ways}
    clock = EpochTimes()
    for _ in range(rounds + 1):
        for name, arguments in ways.items():
            models[name].fit(**arguments, epochs=2, verbose=0, callbacks=[clock])
            times[name].append(clock.seconds)  # of the second epoch: warmed up
    medians = {
        name: [statistics.median(column) for column in zip(*rows[1:], strict=True)]
        for name, rows in times.items()
    }
    yardstick = medians["arrays balanced beforehand"]
    for name, seconds in medians.items():
        columns = [
            f"{mine:8.3f} s {100 * (mine / its - 1):+6.1f} %"
            for mine, its in zip(seconds, yardstick, strict=True)
        ]
        print(f"{name:30s} wall {columns[0]}   processor {columns[1]}")


def fit(x, y, rounds):
    """Print the median seconds of a whole training by each way, taken in turn."""
    model = compiled_convnet()
    workers = {"one worker": 1, "workers=2": 2}
    times = {name: [] for name in ["arrays balanced beforehand", *workers]}
    for _ in range(rounds + 1):
        for name, rows in times.items():
            fed = (
                {"x": kb.BalancedDataset(x, y, BATCH_SIZE, workers=workers[name])}
                if name in workers
                else balanced_beforehand(x, y)
            )
            start = time.perf_counter(), time.process_time()
            model.fit(**fed, epochs=4, verbose=0)
            wall, processor = start
            rows.append((time.perf_counter() - wall, time.process_time() - processor))
    for name, rows in times.items():
        wall, processor = zip(*rows[1:], strict=True)
        print(
            f"{name:30s} wall {statistics.median(wall):6.2f} s (longest "
            f"{max(wall):6.2f}), processor {statistics.median(processor):6.2f} s"
        )


def batch(rounds):
    """Processor time of a batch, beside that of taking the rows and casting them."""
    size, generator = 64, np.random.default_rng(0)
    x = generator.integers(0, 256, (3000, 96, 96, 3), dtype="uint8")
    y = np.repeat([0, 1], [2500, 500])
    rows = generator.permutation(len(x))[: len(x) // size * size].reshape(-1, size)
    ways = {"taken and cast": lambda index: x[rows[index]].astype("float32")}
    for name, options in {
        "repeat": {},
        "repeat, uint8": {"dtype": "uint8"},
        "fixed pool": {"synthesizer": "manual", "refresh": False},
        "fixed pool, uint8": {
            "synthesizer": "manual",
            "refresh": False,
            "dtype": "uint8",
        },
    }.items():
        dataset = kb.BalancedDataset(x, y, size, seed=0, **options)
        dataset.on_epoch_begin()
        ways[name] = dataset.__getitem__
    times = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = time.process_time()
            for index in range(len(rows)):
                way(index)
            times[name].append((time.process_time() - start) / len(rows))
    for name, seconds in times.items():
        least = min(seconds)  # others use the machine's memory, too
        print(
            f"{name:20s} {1000 * least:6.3f} ms, "
            f"{least / min(times['taken and cast']):.2f} times taking and casting"
        )


def read_epochs(number, synthesizer):
    """Read two epochs of `number` images in a file; report their start and the peak."""
    y = np.arange(number, dtype="uint8") % NUM_CLASSES
    y[(y == 0) & (np.arange(number) % 5 > 0)] = 1
    y[: number // 50] = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.dat")
        np.memmap(path, "uint8", "w+", shape=(number, *SHAPE)).flush()
        x = np.memmap(path, "uint8", "r", shape=(number, *SHAPE))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        dataset = kb.BalancedDataset(x, y, 256, synthesizer=synthesizer, seed=0)
        starts, reads = [], []
        for _ in range(2):
            start = time.process_time()
            dataset.on_epoch_begin()
            starts.append(time.process_time() - start)
            start = time.process_time()
            for _ in dataset:
                pass
            reads.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{number:9,d} images and {dataset.num_synthetic:7,d} by {synthesizer}: peak "
        f"{peak / 1024:6.0f} MiB, {(peak - before) / 1024:5.0f} MiB above the start; "
        f"an epoch starts in {max(starts):.2f} and is read in {max(reads):.1f} s of "
        "the processor",
        flush=True,
    )


def memory():
    """Each in a process of its own, since the peak never falls."""
    for synthesizer in ("repeat", "manual"):
        for number in (100_000, 1_000_000):
            command = [sys.executable, __file__, "memory", "--images", str(number)]
            command += ["--synthesizer", synthesizer]
            subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["speed", "fit", "batch", "memory"])
    parser.add_argument("--per-class", type=int, default=480)
    parser.add_argument("--minority", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, help="one size of `memory` only")
    parser.add_argument("--synthesizer", default="repeat", help="of that size")
    arguments = parser.parse_args()
    if arguments.what == "speed":
        images = arguments.per_class * NUM_CLASSES
        print(f"{keras.backend.backend()}, {images} images an epoch")
        ways = ways_to_feed(*imbalanced(arguments.per_class, arguments.minority))
        compare(ways, arguments.rounds)
    elif arguments.what == "fit":
        fit(*imbalanced(arguments.per_class, arguments.minority), arguments.rounds)
    elif arguments.what == "batch":
        batch(arguments.rounds)
    elif arguments.images:
        read_epochs(arguments.images, arguments.synthesizer)
    else:
        memory()


if __name__ == "__main__":
    main()
