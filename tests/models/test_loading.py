import json
import zipfile

import keras
import pytest

from keras_balance.layers import RandomGaussianNoise
from keras_balance.models import BAGAN, load_model
from small_models import dense_networks


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A `.keras` file of a BAGAN with a layer and networks of the user."""
    bagan = BAGAN(
        (4, 4, 1),
        2,
        **dense_networks((4, 4, 1)),
        augmentation=RandomGaussianNoise(0.1, value_range=(-1, 1)),
    )
    path = tmp_path_factory.mktemp("saved") / "bagan.keras"
    bagan.save(path)
    return path


def test_a_whole_file_is_loaded(saved):
    assert load_model(saved).image_shape == (4, 4, 1)


@pytest.mark.parametrize("part", [0, 0.3, 0.99])
def test_a_truncated_file_is_refused(saved, tmp_path, part):
    path, content = tmp_path / "half.keras", saved.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"truncated or garbled.*half\.keras"):
        load_model(path)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_changed_byte_is_noticed(saved, tmp_path, member):
    content = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        info = archive.getinfo(member)
    content[info.header_offset + 30 + len(member) + info.compress_size // 2] ^= 1
    path = tmp_path / "changed.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"truncated or garbled.*changed\.keras"):
        load_model(path)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"foreign\.keras"):
        load_model(path)
    with pytest.raises(ValueError, match=r"must end with \.keras.*model\.h5"):
        load_model(tmp_path / "model.h5")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing.keras")
    with pytest.raises(TypeError, match="path=7"):
        load_model(7)


def hostile(saved, path, change):
    """A copy of a model file with its config changed, every checksum right."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                content = json.dumps(change(config) or config)
            new.writestr(name, content)
    return path


def call_of(module, name, **arguments):
    return {
        "module": module,
        "class_name": name,
        "config": arguments,
        "registered_name": name,
    }


def lambda_layer(marker):
    """A layer whose code makes a folder when it is called."""
    # By its name, `<lambda>`, Keras tells what it is to keep as code.
    function = eval(f"lambda x: __import__('os').mkdir({str(marker)!r})")
    layer = keras.layers.Lambda(function)
    assert "__lambda__" in str(keras.saving.serialize_keras_object(layer))
    return keras.saving.serialize_keras_object(layer)


@pytest.mark.once
@pytest.mark.parametrize(
    "make",
    [
        lambda marker: call_of("os", "system", command=f"touch {marker}"),
        lambda marker: call_of("builtins", "open", file=str(marker), mode="w"),
        lambda marker: call_of(
            "builtins", "exec", source=f"open({str(marker)!r}, 'w')"
        ),
        lambda marker: call_of(
            "keras.utils", "get_file", fname=str(marker), origin="file:///etc/hostname"
        ),
        lambda_layer,
    ],
    ids=["os.system", "open", "exec", "get_file", "lambda"],
)
@pytest.mark.parametrize("place", ["model", "augmentation", "encoder"])
@pytest.mark.parametrize("load", [load_model, keras.saving.load_model])
def test_code_in_a_model_file_is_refused_before_it_runs(
    saved, tmp_path, make, place, load
):
    marker = tmp_path / "it_ran"
    evil = make(marker)

    def change(config):
        if place == "model":
            return evil
        config["config"][place] = evil
        return None

    path = hostile(saved, tmp_path / "hostile.keras", change)
    with pytest.raises((ValueError, TypeError)):
        load(path)
    assert not marker.exists()


@pytest.mark.once
def test_a_copy_with_its_config_as_it_was_is_loaded(saved, tmp_path):
    """So that it is the code that is refused."""
    path = hostile(saved, tmp_path / "harmless.keras", lambda config: None)
    assert load_model(path).image_shape == (4, 4, 1)
    assert keras.saving.load_model(path).image_shape == (4, 4, 1)
