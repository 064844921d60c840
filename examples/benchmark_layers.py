"""Images a second of ManualAugmentation against Keras' own layers and others.

    KERAS_BACKEND=tensorflow python examples/benchmark_layers.py

The same augmentation, rotation, zoom and gaussian noise with bilinear interpolation,
on batches of 128 images of 28x28x1 and of 128x128x3. Keras does it with
RandomRotation, RandomZoom and GaussianNoise; albumentations and torchvision, where
they are installed, with their affine map and noise, image by image (on a batch they
would draw once for all images). Three places: layers called on arrays, mapped over a
`tf.data.Dataset`, and in a model under `train_on_batch`.

All contenders of a place take turns, round by round. The ratio is the median over the
rounds of Keras' time by theirs, so that other work on the machine weighs on all alike.
"""

import argparse
import importlib.util
import os
import statistics
import time

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

# With both installed, torch must be imported before TensorFlow.
if importlib.util.find_spec("torch"):
    import torch

import keras
import numpy as np
import tensorflow as tf

import keras_balance as kb

BATCH_SIZE = 128
SHAPES = [(28, 28, 1), (128, 128, 3)]
ROTATION, ZOOM, NOISE = 0.05, 0.1, 0.05
KERAS = "Keras' three layers"
OURS = "ManualAugmentation"


def keras_layers():
    """Keras' own way: two resamplings, and noise for every pixel."""
    return keras.layers.Pipeline(
        [
            keras.layers.RandomRotation(ROTATION, fill_mode="constant"),
            keras.layers.RandomZoom(ZOOM, fill_mode="constant"),
            keras.layers.GaussianNoise(NOISE),
        ]
    )


def our_layer():
    """One resampling, and noise four pixels at a time."""
    return kb.layers.ManualAugmentation(ROTATION, ZOOM, NOISE)


def called(make, images):
    """The layer called on a batch."""
    layer, batch = make(), keras.ops.convert_to_tensor(images)

    def step():
        augmented = layer(batch, training=True)
        # Reading a pixel waits for devices that work ahead.
        keras.ops.convert_to_numpy(augmented[0, 0, 0])

    return step


def mapped(make, images):
    """The layer over a dataset, batch by batch."""
    layer = make()
    dataset = tf.data.Dataset.from_tensors(images).repeat()
    dataset = dataset.map(lambda batch: layer(batch, training=True))
    # Else it prefetches while others have their turn.
    options = tf.data.Options()
    options.autotune.enabled = False
    return iter(dataset.with_options(options)).__next__


def in_a_model(make, images):
    """The layer before a classifier that costs next to nothing."""
    model = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            make(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    targets = np.zeros((len(images), 1))
    return lambda: model.train_on_batch(images, targets)


def albumentations_loop(images):
    """Albumentations on each image of a batch of bytes, where it is fastest."""
    import albumentations

    degrees = 360 * ROTATION
    augment = albumentations.Compose(
        [
            albumentations.Affine(
                rotate=(-degrees, degrees), scale=(1 / (1 + ZOOM), 1 / (1 - ZOOM)), p=1
            ),
            albumentations.GaussNoise(std_range=(NOISE, NOISE), p=1),
        ]
    )
    images = images.astype("uint8")
    return lambda: np.stack([augment(image=image)["image"] for image in images])


def torchvision_loop(images):
    """The second version of torchvision's transforms on each image."""
    from torchvision.transforms import v2

    augment = v2.Compose(
        [
            v2.RandomAffine(
                360 * ROTATION,
                scale=(1 / (1 + ZOOM), 1 / (1 - ZOOM)),
                interpolation=v2.InterpolationMode.BILINEAR,
            ),
            v2.GaussianNoise(sigma=NOISE),
        ]
    )
    images = torch.from_numpy(np.moveaxis(images / 255, -1, 1).copy())
    return lambda: torch.stack([augment(image) for image in images])


LOOPS = {"albumentations": albumentations_loop, "torchvision": torchvision_loop}
PLACES = {
    "called on a batch": called,
    "mapped over tf.data": mapped,
    "in a model": in_a_model,
}


def contenders(place, images):
    """Steps of one batch each, by name."""
    steps = {OURS: place(our_layer, images)}
    # GaussianNoise works inside tf.data on TensorFlow alone.
    if place is not mapped or keras.backend.backend() == "tensorflow":
        steps = {KERAS: place(keras_layers, images), **steps}
    if place is called:
        installed = [name for name in LOOPS if importlib.util.find_spec(name)]
        steps |= {name: LOOPS[name](images) for name in installed}
    return steps


def measure(steps, rounds):
    """Seconds of each step in each round: `{name: [seconds, ...]}`."""
    for step in steps.values():  # compiling is not measured
        step()
        step()
    seconds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def report(seconds):
    """Print images a second, and the ratio to Keras where it takes part."""
    for name, times in seconds.items():
        speed = BATCH_SIZE / statistics.median(times)
        ratios = [k / t for k, t in zip(seconds.get(KERAS, []), times, strict=False)]
        ratio = f"{statistics.median(ratios):9.2f}" if ratios else "        -"
        print(f"  {name:22}{speed:12,.0f}{ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each")
    parser.add_argument(
        "--size", type=int, nargs="*", default=[28, 128], help="28, 128 or both"
    )
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    print(f"{keras.backend.backend()}, {os.cpu_count()} cores, batch {BATCH_SIZE}")
    for shape in [shape for shape in SHAPES if shape[0] in arguments.size]:
        images = generator.uniform(0, 255, (BATCH_SIZE, *shape)).astype("float32")
        for name, place in PLACES.items():
            size = "x".join(map(str, shape))
            print(f"\n{size}, {name:24}{'images/s':>12}{'ratio':>9}")
            report(measure(contenders(place, images), arguments.rounds))


if __name__ == "__main__":
    main()
