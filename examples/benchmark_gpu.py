"""What a GPU makes of the layers, the feed and BAGAN, on JAX and on torch.

    python examples/benchmark_gpu.py --out lines.jsonl

Each measurement is a process of its own with a limit in seconds, and its lines are
written as soon as they are there: what hangs is reported as that and costs no more.
Ratios are to the alternative in the same process: Keras' layers (and torchvision's,
image by image, where it is installed) for the layers, arrays balanced beforehand for
the feed.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

LIMITS = {"layers": 60, "feed": 60, "bagan": 60}
SHAPES = [(256, 28, 28, 1), (256, 128, 128, 3)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="file of lines")
    parser.add_argument("--backends", nargs="+", default=["jax", "torch"])
    parser.add_argument("--what", nargs="+", choices=LIMITS, default=list(LIMITS))
    parser.add_argument("--budget", type=float, default=180, help="seconds in all")
    parser.add_argument("--small", action="store_true", help="to try the script")
    parser.add_argument("--one", choices=LIMITS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return MEASURES[options.one](options)
    end = time.monotonic() + options.budget
    for what in options.what:
        for backend in options.backends:
            limit = min(LIMITS[what], end - time.monotonic())
            if limit > 5:
                run_apart(what, backend, limit, options)
    return None


def run_apart(what, backend, limit, options):
    """One measurement in a process of its own."""
    small = ["--small"] if options.small else []
    command = [sys.executable, __file__, "--out", options.out, "--one", what, *small]
    try:
        done = subprocess.run(
            command, env={**os.environ, "KERAS_BACKEND": backend}, timeout=limit
        )
        if done.returncode:
            tell(options, what=what, backend=backend, failed=done.returncode)
    except subprocess.TimeoutExpired:
        tell(options, what=what, backend=backend, not_done_after=round(limit))


def tell(options, **line):
    """Write one line, and show it."""
    with open(options.out, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def measure_layers(options):
    """Images a second of our layers and of Keras' for the same."""
    import keras
    import numpy as np

    for shape in [(8, *shape[1:]) for shape in SHAPES] if options.small else SHAPES:
        images = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
        batch = keras.ops.convert_to_tensor(images)
        contenders = {name: called(layer, batch) for name, layer in layers().items()}
        if keras.backend.backend() == "torch" and importlib.util.find_spec(
            "torchvision"
        ):
            contenders["torchvision, image by image"] = torchvision_loop(batch)
        for name, step in contenders.items():
            first = timed(step)
            rounds = [timed(step) for _ in range(3 if options.small else 15)]
            tell(
                options,
                what="layers",
                backend=keras.backend.backend(),
                device=device(),
                layer=name,
                shape=shape,
                first_seconds=round(first, 2),
                images_a_second=round(shape[0] / statistics.median(rounds)),
            )


def layers():
    """Ours, and Keras' own in sequence."""
    import keras

    import keras_balance as kb

    kinds, photo = keras.layers, {"value_range": (0, 255)}
    return {
        "ManualAugmentation": kb.layers.ManualAugmentation(),
        "ManualAugmentation, elastic": kb.layers.ManualAugmentation(
            elastic_factor=0.04
        ),
        "PhotoAugmentation": kb.layers.PhotoAugmentation(),
        "Keras, rotation zoom noise": kinds.Pipeline(
            [
                kinds.RandomRotation(0.05, fill_mode="constant"),
                kinds.RandomZoom(0.1, fill_mode="constant"),
                kinds.GaussianNoise(0.05),
            ]
        ),
        "Keras, crop flip colour erasing": kinds.Pipeline(
            [
                kinds.RandomTranslation(0.125, 0.125, fill_mode="constant"),
                kinds.RandomFlip("horizontal"),
                kinds.RandomBrightness(0.4, **photo),
                kinds.RandomContrast(0.4, **photo),
                kinds.RandomErasing(1.0, scale=(0.05, 0.07), **photo),
            ]
        ),
    }


def called(layer, batch):
    """The layer on a batch that is on the device; compiled where JAX can."""
    import keras

    call = layer_call(layer)

    def step():
        # Reading a pixel waits for a device that works ahead.
        keras.ops.convert_to_numpy(call(batch)[0, 0, 0])

    return step


def layer_call(layer):
    """Call with new draws each time."""
    import keras

    if keras.backend.backend() != "jax":
        return lambda batch: layer(batch, training=True)
    import jax

    @jax.jit
    def compiled(states, batch):
        return layer.stateless_call([], states, batch, training=True)

    def call(batch):
        states = [one.value for one in layer.non_trainable_variables]
        augmented, states = compiled(states, batch)
        for variable, state in zip(layer.non_trainable_variables, states, strict=True):
            variable.assign(state)
        return augmented

    def first(batch):
        if not layer.built:
            layer(batch[:2], training=True)
        return call(batch)

    return first


def torchvision_loop(batch):
    """Torchvision's second transforms, each image its own draw."""
    import torch
    from torchvision.transforms import v2

    augment = v2.Compose(
        [
            v2.RandomAffine(
                18, scale=(0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR
            ),
            v2.GaussianNoise(sigma=0.05),
        ]
    )
    images = torch.movedim(batch / 255, -1, 1).contiguous()

    def step():
        torch.stack([augment(image) for image in images])[0, 0, 0].cpu()

    return step


def measure_feed(options):
    """Seconds an epoch of the paper's ConvNet from BalancedDataset and from arrays."""
    import keras
    import numpy as np

    import keras_balance as kb

    each = 200 if options.small else 4800
    y = np.repeat(np.arange(10), [each // 20] + [each] * 9)
    x = np.random.default_rng(0).integers(0, 256, (len(y), 28, 28, 1), dtype="uint8")
    feeds = {
        "BalancedDataset": kb.BalancedDataset(x, y, batch_size=128, seed=0),
        "BalancedDataset, 4 workers": kb.BalancedDataset(
            x, y, batch_size=128, seed=0, workers=4
        ),
    }
    rows = np.concatenate(
        [np.arange(len(y)), np.resize(np.arange(each // 20), 10 * each - len(y))]
    )
    arrays = x[rows].astype("float32"), y[rows]
    model = kb.models.convnet()
    fits = {
        "arrays": lambda: model.fit(*arrays, batch_size=128, verbose=0),
        **{
            name: (lambda feed=feed: model.fit(feed, verbose=0))
            for name, feed in feeds.items()
        },
    }
    times = {name: [] for name in fits}
    for fit in fits.values():
        fit()
    for _ in range(3):
        for name, fit in fits.items():
            times[name].append(timed(fit))
    base = statistics.median(times["arrays"])
    for name, seconds in times.items():
        tell(
            options,
            what="feed",
            backend=keras.backend.backend(),
            device=device(),
            feed=name,
            seconds=round(statistics.median(seconds), 3),
            ratio=round(statistics.median(seconds) / base, 3),
        )


def measure_bagan(options):
    """Seconds of BAGAN's default training on 240 images a class, 12 of the rare one."""
    import keras
    import numpy as np

    import keras_balance as kb

    y = np.repeat(np.arange(10), [12] + [240] * 9)
    x = np.random.default_rng(0).integers(0, 256, (len(y), 28, 28, 1), dtype="uint8")
    model = kb.models.BAGAN((28, 28, 1), 10, seed=0)
    fit = {"autoencoder_epochs": 1, "epochs": 1} if options.small else {}
    seconds = timed(lambda: model.fit(x, y, verbose=0, **fit))
    tell(
        options,
        what="bagan",
        backend=keras.backend.backend(),
        device=device(),
        seconds=round(seconds, 1),
    )


MEASURES = {"layers": measure_layers, "feed": measure_feed, "bagan": measure_bagan}


def timed(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def device():
    """The card, or the processor."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    main()
