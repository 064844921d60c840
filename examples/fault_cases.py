"""The broken files and hostile models of `benchmark_faults.py`.

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
    write_pictures(folder / "pictures", x)
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
        # Some bytes of a picture may be any: then it is another picture.
        folder / "pictures" / "a" / "one.png": (read_pictures, range(24)),
    }


def write_backup(path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for a dataset
        backup = kb.callbacks.ResumableBackup(path)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[backup], verbose=0)


def write_pictures(folder, x):
    for place, name in enumerate(["a/one.png", "a/other.png", "b/third.png"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, x[place][..., None], scale=False)


def read_pictures(path):
    """Every picture beside one, and in the folders beside its own."""
    data = kb.data.balanced_image_dataset_from_directory(
        path.parents[1], color_mode="grayscale", image_size=(6, 6), seed=0
    )
    return [data[index] for index in range(len(data))]


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
    built_in = {
        "module": "builtins",
        "class_name": "eval",
        "config": f"open({str(marker)!r}, 'w')",
        "registered_name": None,
    }
    for name, place, evil in [
        ("os.system as a model", None, system),
        ("eval as a model", None, built_in),
        ("Lambda as encoder", "encoder", layer),
        ("Lambda as decoder", "decoder", layer),
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
