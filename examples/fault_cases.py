"""The broken files, bad arguments and hostile models of `benchmark_faults.py`.

Each function yields `(name, run)`; `run()` gives `(fault, words)`: what is wrong with
the outcome, or None, and in a few words what the library said.
"""

import gzip
import json
import re
import struct
import warnings
import zipfile

import keras
import numpy as np

import keras_balance as kb

REFUSALS = ValueError, TypeError, OSError


def attempt(function, *must_name):
    """Call it: the result, or the refusal; a fault where there is an other error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(), None, None
    except REFUSALS as error:
        lacking = [name for name in must_name if name not in str(error)]
        fault = f"does not name {lacking}: {error}" if lacking else None
        return None, error, fault
    except Exception as error:
        return None, error, f"{type(error).__name__}: {error}"


def summary(error):
    """Type and rule of an error, without what differs from case to case."""
    rule = re.split(r"Received:|: \[|\n", str(error))[0]
    rule = re.sub(r"/\S+|'[^']*'|\"[^\"]*\"|\d+(\.\d+)?|0x\w+|\([^)]*\)", "…", rule)
    return f"{type(error).__name__}: {rule.strip()[:70]}"


# Files


def idx(array):
    """Bytes of an idx file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype("uint8").tobytes()


def write_data(folder):
    """One good file of each kind: `{file: (read, where its bytes may be changed)}`."""
    x = np.random.default_rng(0).integers(0, 256, (12, 6, 6), dtype="uint8")
    y = np.arange(12) % 3
    names = {
        f"{part}-{kind}-ubyte": content
        for part in ("train", "t10k")
        for kind, content in [("images-idx3", idx(x)), ("labels-idx1", idx(y))]
    }
    for kind in ("plain", "gz", "npz"):
        (folder / kind).mkdir()
    for name, content in names.items():
        (folder / "plain" / name).write_bytes(content)
        (folder / "gz" / f"{name}.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(folder / "mnist.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    arrays = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    np.savez_compressed(folder / "npz" / "mnist.npz", **arrays)
    model = kb.models.BAGAN((4, 4, 1), 2, latent_dim=2, seed=0)
    model.compile()
    model.save(folder / "bagan.keras")
    model.save_weights(folder / "bagan.weights.h5")
    write_backup(folder / "backup")
    load = kb.datasets.mnist.load_data
    first = "train-images-idx3-ubyte"
    return {
        # Pixels have no checksum: only the header of a plain file can be wrong.
        folder / "plain" / first: (lambda path: load(path.parent), range(8)),
        folder / "gz" / f"{first}.gz": (lambda path: load(path.parent), None),
        folder / "mnist.zip": (load, None),
        folder / "npz" / "mnist.npz": (load, None),
        folder / "bagan.keras": (load_weights_of, None),
        folder / "bagan.weights.h5": (lambda path: reload(model, path), range(8)),
        folder / "backup": (
            lambda path: kb.callbacks.ResumableBackup(path).epoch,
            None,
        ),
    }


def write_backup(path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for a dataset
        backup = kb.callbacks.ResumableBackup(path)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[backup], verbose=0)


def load_weights_of(path):
    return kb.models.load_model(path).get_weights()


def reload(model, path):
    """Load weights into a model; what is refused must not be there in part."""
    before = [np.array(weight) for weight in model.get_weights()]
    try:
        model.load_weights(path)
    except REFUSALS:
        if not same(before, model.get_weights()):
            raise AssertionError("some of the weights were loaded") from None
        raise
    return [np.array(weight) for weight in model.get_weights()]


def truncate(content, places, generator):
    return content[: generator.integers(len(content))]


def flip(content, places, generator):
    place = generator.choice(places or range(len(content)))
    changed = bytearray(content)
    changed[place] ^= generator.integers(1, 256)
    return bytes(changed)


def wrong_magic(content, places, generator):
    return generator.bytes(4) + content[4:]


def wrong_count(content, places, generator):
    """Another number of items in an idx header; bytes too many in any other file."""
    if content[:3] == b"\0\0\x08":
        return content[:4] + struct.pack(">I", generator.integers(2**32)) + content[8:]
    middle = len(content) // 2
    return content[:middle] + generator.bytes(100) + content[middle:]


def web_page(content, places, generator):
    return b"<!DOCTYPE html><html><body>Moved permanently</body></html>"


def broken_files(number, generator, folder):
    """Damage each kind of file in each way in turn."""
    files = write_data(folder)
    good = {path: (path.read_bytes(), read(path)) for path, (read, _) in files.items()}
    damages = [truncate, flip, wrong_magic, wrong_count, web_page]
    pairs = [(path, damage) for damage in damages for path in files]
    for turn in range(number):
        path, damage = pairs[turn % len(pairs)]
        read, places = files[path]

        def run(path=path, damage=damage, read=read, places=places):
            content, expected = good[path]
            path.write_bytes(damage(content, places, generator))
            # A zip is named, or the file in it.
            name = path.name.split("-")[0].split(".")[0]
            result, error, fault = attempt(lambda: read(path), name)
            path.write_bytes(content)
            if error is not None:
                return fault, summary(error)
            is_same = same(result, expected)
            return None if is_same else "read otherwise", "read all the same"

        yield f"{path.name} {damage.__name__}", run


def same(one, other):
    flat, other_flat = keras.tree.flatten(one), keras.tree.flatten(other)
    return len(flat) == len(other_flat) and all(map(np.array_equal, flat, other_flat))


# Arguments

ANYTHING_BUT = {
    "number": [np.nan, "x", [1, 2, 3], object(), 1j],
    "positive": [np.nan, np.inf, -1.0, "x", object()],
    "whole": [0, -3, 1.5, "x", np.nan, object()],
    "seed": [-1, 1.5, "x", [1], object()],
    "range": [(1, 0), (0, np.nan), 5, "x", (1, 2, 3), (np.inf, 0)],
    "name": ["no such name", 7, object(), ["a"]],
    "rows": [np.zeros((5, 4)), np.zeros(0), np.zeros((7, 4, 4, 1))],
    "images": [np.zeros((6, 4)), np.zeros(0), np.full((6, 4, 4, 1), np.nan), "x", None],
    "labels": [[0.5] * 6, [np.nan] * 6, [0, 1], np.ones((6, 2)), [], [0] * 5],
    "path": ["/no/such/place", 7, object()],
    "shape": [(4,), (0, 4, 1), "x", (1, 1, 1), 7, (4, -4, 1), None],
}


def apis():
    """Public names with good arguments, and the kind of each that may be made bad."""
    x = np.arange(96, dtype="float32").reshape(6, 4, 4, 1)
    y = np.array([0, 0, 0, 0, 1, 1])
    images_and_labels = {"x": "images", "y": "labels"}
    rows_and_labels = {"x": "rows", "y": "labels"}
    return [
        (
            kb.layers.RandomGaussianNoise,
            {},
            {"factor": "number", "value_range": "range", "seed": "seed"},
        ),
        (
            kb.layers.ManualAugmentation,
            {},
            {
                "rotation_factor": "number",
                "zoom_factor": "number",
                "noise_factor": "number",
                "value_range": "range",
                "fill_mode": "name",
                "interpolation": "name",
                "seed": "seed",
            },
        ),
        (
            kb.layers.ClassAwareAugmentation,
            {"layer": kb.layers.RandomGaussianNoise(0.1), "rates": {0: 0.5}},
            {"layer": "name", "seed": "seed"},
        ),
        (
            kb.models.BAGAN,
            {"image_shape": (4, 4, 1), "num_classes": 2},
            {
                "image_shape": "shape",
                "num_classes": "whole",
                "latent_dim": "whole",
                "value_range": "range",
                "tries": "whole",
                "candidates": "whole",
                "data_format": "name",
                "seed": "seed",
            },
        ),
        (
            kb.models.convnet,
            {},
            {"input_shape": "shape", "num_classes": "whole"},
        ),
        (kb.models.load_model, {}, {"path": "path"}),
        (
            kb.BalancedDataset,
            {"x": x, "y": y},
            {
                **images_and_labels,
                "batch_size": "whole",
                "synthesizer": "name",
                "sampling_strategy": "name",
                "seed": "seed",
                "synthetic_weight": "positive",
            },
        ),
        (kb.metrics.PerClassMetrics, {}, {"num_classes": "whole"}),
        (kb.callbacks.PerClassReport, {"x": x, "y": y}, {"y": "labels"}),
        (
            kb.callbacks.GeneratedImages,
            {"directory": "pictures"},
            {"every": "whole", "per_class": "whole", "seed": "seed"},
        ),
        (kb.callbacks.ResumableBackup, {"path": "backup"}, {"every": "whole"}),
        (
            kb.datasets.make_imbalance,
            {"x": x, "y": y, "sampling_strategy": {1: 1}},
            {**rows_and_labels, "sampling_strategy": "name", "seed": "seed"},
        ),
        (
            kb.datasets.subsample,
            {"x": x, "y": y, "fraction": 0.5},
            {**rows_and_labels, "fraction": "positive", "seed": "seed"},
        ),
        (kb.datasets.emnist.load_data, {}, {"split": "name"}),
        (kb.datasets.mnist.load_data, {}, {"path": "path"}),
    ]


def bad_arguments(number, generator, folder):
    """One bad argument among good ones, each argument of each name in turn."""
    pairs = [
        (function, good, argument, kind)
        for function, good, kinds in apis()
        for argument, kind in kinds.items()
    ]
    for turn in range(number):
        function, good, argument, kind = pairs[turn % len(pairs)]
        values = ANYTHING_BUT[kind]
        # The first round by chance, then the next value each time.
        start = generator.integers(len(values)) if turn < len(pairs) else turn
        value = values[start % len(values)]
        arguments = {**good, argument: value}

        def run(function=function, arguments=arguments, argument=argument):
            _, error, fault = attempt(lambda: function(**arguments), argument)
            if error is None:
                return "accepted", "accepted"
            return fault, summary(error)

        yield f"{function.__name__}({argument}={value!r})", run


# Models


def hostile_models(number, generator, folder):
    """Model files that would write a file if anything in them ran."""
    marker = folder / "it_ran"
    # By its name, `<lambda>`, Keras tells what it is to keep as code.
    function = eval(f"lambda x: open({str(marker)!r}, 'w')")
    layer = keras.saving.serialize_keras_object(keras.layers.Lambda(function))
    system = {
        "module": "os",
        "class_name": "system",
        "config": {"command": f"touch {marker}"},
        "registered_name": "system",
    }
    for name, place, evil in [
        ("os.system as a model", None, system),
        ("Lambda as encoder", "encoder", layer),
        ("Lambda as augmentation", "augmentation", layer),
    ]:
        path = folder / "hostile.keras"

        def run(path=path, place=place, evil=evil):
            write_hostile(folder / "bagan.keras", path, place, evil)
            _, error, fault = attempt(lambda: kb.models.load_model(path), path.name)
            if marker.exists():
                return "it ran", "it ran"
            if error is None:
                return "accepted", "accepted"
            return fault, summary(error)

        yield name, run


def write_hostile(source, target, place, evil):
    if not source.exists():
        kb.models.BAGAN((4, 4, 1), 2, latent_dim=2).save(source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json" and place is None:
                content = json.dumps(evil)
            elif name == "config.json":
                config = json.loads(content)
                config["config"][place] = evil
                content = json.dumps(config)
            new.writestr(name, content)
