"""Images a second of this package's layers against Keras' own layers and others.

    KERAS_BACKEND=tensorflow python examples/benchmark_layers.py manual
    KERAS_BACKEND=tensorflow python examples/benchmark_layers.py photo

`manual` is the same augmentation, rotation, zoom and gaussian noise with bilinear
interpolation, on batches of 128 images of 28x28x1 and of 128x128x3. Keras does it with
RandomRotation, RandomZoom and GaussianNoise. `photo` is a crop of the padded image, a
flip, brightness, contrast, saturation and an erased square, on 32x32x3 and 128x128x3:
Keras' layers for these in sequence (its RandomCrop crops a whole batch alike), and its
RandAugment, which does other things. albumentations and torchvision, where they are
installed, work image by image (on a batch they would draw once for all images). Three
places: layers called on arrays, mapped over a `tf.data.Dataset`, and in a model under
`train_on_batch`.

All contenders of a place take turns, round by round. The ratio is the median over the
rounds of Keras' time by theirs, so that other work on the machine weighs on all alike.
With `--processor` it counts processor seconds, for a machine that is busy otherwise.
"""

import argparse
import dataclasses
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
ROTATION, ZOOM, NOISE = 0.05, 0.1, 0.05
CROP, COLOUR, ERASE = 0.125, 0.4, 0.25
# What Keras' layers raise where they do not run.
BROKEN = TypeError, ValueError, RuntimeError, AttributeError, IndexError


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


def augmented_bytes(augment, images):
    """Albumentations on each image of a batch of bytes, where it is fastest."""
    images = images.astype("uint8")
    return lambda: np.stack([augment(image=image)["image"] for image in images])


def augmented_tensors(augment, images):
    """Torchvision on each image of a batch of floats."""
    images = torch.from_numpy(np.moveaxis(images / 255, -1, 1).copy())
    return lambda: torch.stack([augment(image) for image in images])


def albumentations_manual(images):
    """Rotation, zoom and noise by albumentations."""
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
    return augmented_bytes(augment, images)


def torchvision_manual(images):
    """Rotation, zoom and noise by the second version of torchvision's transforms."""
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
    return augmented_tensors(augment, images)


def keras_photo(images):
    """Keras' own way: a layer for each change."""
    side = images.shape[1]
    change = {"value_range": (0, 255)}
    return keras.layers.Pipeline(
        [
            keras.layers.ZeroPadding2D(int(CROP * side)),
            keras.layers.RandomCrop(side, side),
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomBrightness(COLOUR, **change),
            keras.layers.RandomContrast(COLOUR, **change),
            keras.layers.RandomSaturation(COLOUR, **change),
            keras.layers.RandomErasing(scale=(ERASE**2, ERASE**2), **change),
        ]
    )


def albumentations_photo(images):
    """Crop, flip, colour and a square by albumentations."""
    import albumentations

    side, colour = images.shape[1], (1 - COLOUR, 1 + COLOUR)
    augment = albumentations.Compose(
        [
            albumentations.PadIfNeeded(
                side + 2 * int(CROP * side), side + 2 * int(CROP * side), border_mode=0
            ),
            albumentations.RandomCrop(side, side),
            albumentations.HorizontalFlip(),
            albumentations.ColorJitter(colour, colour, colour, (0, 0), p=1),
            albumentations.CoarseDropout((1, 1), (ERASE, ERASE), (ERASE, ERASE), p=1),
        ]
    )
    return augmented_bytes(augment, images)


def torchvision_photo(images):
    """Crop, flip, colour and a square by torchvision."""
    from torchvision.transforms import v2

    side = images.shape[1]
    augment = v2.Compose(
        [
            v2.RandomCrop(side, padding=int(CROP * side)),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(COLOUR, COLOUR, COLOUR),
            v2.RandomErasing(1.0, (ERASE**2, ERASE**2), (1, 1)),
        ]
    )
    return augmented_tensors(augment, images)


@dataclasses.dataclass(frozen=True)
class Match:
    """Who does the same augmentation, and on what.

    Attributes:
        shapes: Shapes of the images.
        layers: Functions from the images to a Keras layer, by name; this package's
            first, and next the one that the ratios are to.
        loops: Functions from the images to a step of a batch, by what they need.
    """

    shapes: tuple
    layers: dict
    loops: dict


MATCHES = {
    "manual": Match(
        ((28, 28, 1), (128, 128, 3)),
        {
            "ManualAugmentation": lambda images: our_layer(),
            "Keras' three layers": lambda images: keras_layers(),
        },
        {"albumentations": albumentations_manual, "torchvision": torchvision_manual},
    ),
    "photo": Match(
        ((32, 32, 3), (128, 128, 3)),
        {
            "PhotoAugmentation": lambda images: kb.layers.PhotoAugmentation(
                "horizontal", CROP, COLOUR, ERASE
            ),
            "Keras' layers": keras_photo,
            "Keras' RandAugment": lambda images: keras.layers.RandAugment(),
        },
        {"albumentations": albumentations_photo, "torchvision": torchvision_photo},
    ),
}
PLACES = {
    "called on a batch": called,
    "mapped over tf.data": mapped,
    "in a model": in_a_model,
}


def contenders(match, place, images):
    """Steps of one batch each, by name."""
    steps = {}
    for name, make in match.layers.items():
        # Some of Keras' layers work inside tf.data, or in a model, on TensorFlow alone.
        try:
            step = place(lambda make=make: make(images), images)
            step()
        except BROKEN as error:
            print(f"  {name:22}does not run here: {type(error).__name__}")
        else:
            steps[name] = step
    if place is called:
        installed = [name for name in match.loops if importlib.util.find_spec(name)]
        steps |= {name: match.loops[name](images) for name in installed}
    return steps


def measure(steps, rounds, clock=time.perf_counter):
    """Seconds of each step in each round: `{name: [seconds, ...]}`."""
    for step in steps.values():  # compiling is not measured
        step()
        step()
    seconds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = clock()
            step()
            seconds[name].append(clock() - start)
    return seconds


def report(seconds, yardstick):
    """Print images a second, and the ratio to Keras where it takes part."""
    for name, times in seconds.items():
        speed = BATCH_SIZE / statistics.median(times)
        theirs = seconds.get(yardstick, [])
        ratios = [k / t for k, t in zip(theirs, times, strict=False)]
        ratio = f"{statistics.median(ratios):9.2f}" if ratios else "        -"
        print(f"  {name:22}{speed:12,.0f}{ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("match", choices=MATCHES, nargs="?", default="manual")
    parser.add_argument("--processor", action="store_true", help="processor seconds")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each")
    parser.add_argument(
        "--size", type=int, nargs="*", default=[28, 32, 128], help="sides of images"
    )
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    print(f"{keras.backend.backend()}, {os.cpu_count()} cores, batch {BATCH_SIZE}")
    match = MATCHES[arguments.match]
    yardstick = list(match.layers)[1]
    clock = time.process_time if arguments.processor else time.perf_counter
    for shape in [shape for shape in match.shapes if shape[0] in arguments.size]:
        images = generator.uniform(0, 255, (BATCH_SIZE, *shape)).astype("float32")
        for name, place in PLACES.items():
            size = "x".join(map(str, shape))
            print(f"\n{size}, {name:24}{'images/s':>12}{'ratio':>9}")
            steps = contenders(match, place, images)
            report(measure(steps, arguments.rounds, clock), yardstick)


if __name__ == "__main__":
    main()
