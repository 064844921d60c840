"""What it takes to find an augmentation, and to search, on a folder of photographs.

    python examples/benchmark_memory.py FOLDER --image-size 160

Reports the peak of memory of `AutoAugmentation` and of a search with
`BalancedHyperModel`, each in a process of its own, beyond that of the framework: the
peak after a warm-up, in which the same network has trained on one random batch.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time

import keras
import keras_tuner
import numpy as np

import keras_balance as kb

BATCH_SIZE = 32


def peak():
    """Peak of this process's memory in MB."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def datasets(folder, image_size):
    """Training and validation files of the folder."""
    return kb.data.balanced_image_dataset_from_directory(
        folder,
        image_size=(image_size, image_size),
        batch_size=BATCH_SIZE,
        validation_split=0.2,
        subset="both",
        stratify=True,
        seed=0,
    )


def network(image_size, num_classes):
    model = keras.Sequential(
        [
            keras.Input((image_size, image_size, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def find_augmentation(train, validation, seconds):
    auto = kb.tuners.AutoAugmentation(seed=0, time_budget=seconds).fit(train)
    return auto.choice


def search(train, validation, seconds):
    size, num_classes = train.images.image_shape[0], train.images.num_classes
    hypermodel = kb.tuners.BalancedHyperModel(
        lambda hp: network(size, num_classes),
        search_space={"synthesizer": ["repeat", "manual"], "batch_size": BATCH_SIZE},
    )
    with tempfile.TemporaryDirectory() as directory:
        tuner = keras_tuner.RandomSearch(
            hypermodel,
            keras_tuner.Objective("val_f1_macro", "max"),
            max_trials=2,
            directory=directory,
            seed=0,
        )
        tuner.search(train, validation_data=validation, epochs=1, verbose=0)
        return tuner.get_best_hyperparameters()[0].values["synthesizer"]


def measure(what, folder, image_size, seconds):
    """Run one of the two and report its peak."""
    train, validation = datasets(folder, image_size)
    batch = np.zeros((BATCH_SIZE, image_size, image_size, 3), "float32")
    labels = np.zeros(BATCH_SIZE)
    network(image_size, train.images.num_classes).fit(batch, labels, verbose=0)
    before, start = peak(), time.perf_counter()
    find = {"augmentation": find_augmentation, "search": search}[what]
    found = find(train, validation, seconds)
    print(
        f"{what}: {len(train.images) + len(validation.images)} photographs of "
        f"{image_size} by {image_size}, {found} chosen; peak {peak():.0f} MB, "
        f"{peak() - before:.0f} MB beyond the framework's {before:.0f}, "
        f"{time.perf_counter() - start:.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--seconds", type=float, default=1800, help="to choose within")
    parser.add_argument("--what", choices=["augmentation", "search"])
    arguments = parser.parse_args()
    if arguments.what:
        folder, size = arguments.folder, arguments.image_size
        measure(arguments.what, folder, size, arguments.seconds)
        return
    for what in ("augmentation", "search"):
        command = [sys.executable, __file__, arguments.folder, "--what", what]
        command += ["--image-size", str(arguments.image_size)]
        command += ["--seconds", str(arguments.seconds)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
