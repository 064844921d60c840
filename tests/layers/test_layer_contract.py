"""What every image layer promises: one list of checks, run over all exported ones.

A layer that is added to `keras_balance.layers` is found and checked. Arguments it
cannot do without are declared in `ARGUMENTS`.
"""

import functools
import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_balance import layers
from keras_balance.layers.base import ImageLayer

ARGUMENTS = {
    "ClassAwareAugmentation": lambda seed: {
        "layer": layers.ManualAugmentation(seed=seed),
        "rates": [0.5, 1.0, 1.0],
    }
}
# Layers that take no images alone, each with the reason.
DICT_ONLY = {"ClassAwareAugmentation": "its strength depends on the labels"}

LAYERS = [
    cls
    for _, cls in inspect.getmembers(layers, inspect.isclass)
    if issubclass(cls, ImageLayer)
]


@pytest.fixture(params=LAYERS, ids=lambda cls: cls.__name__)
def make(request):
    """Make a layer of one class: `make(seed=1, **arguments)`."""
    cls = request.param

    def build(seed=1, **arguments):
        given = ARGUMENTS.get(cls.__name__, lambda seed: {})(seed)
        if "layer" in given and {"dtype", "data_format"} & set(arguments):
            inner = {
                k: arguments[k] for k in ("dtype", "data_format") if k in arguments
            }
            given["layer"] = layers.ManualAugmentation(seed=seed, **inner)
        return cls(**given, seed=seed, **arguments)

    build.cls = cls
    return build


def batch(n=6, height=9, width=11, channels=1, dtype="uint8"):
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (n, height, width, channels)).astype(dtype)
    return {"images": images, "labels": np.arange(n) % 3}


def images_of(outputs):
    return keras.ops.convert_to_numpy(outputs["images"])


def rewind(layer):
    """The same layer at the beginning of its randomness."""
    return type(layer).from_config(layer.get_config())


def test_layers_are_found():
    names = {cls.__name__ for cls in LAYERS}
    assert {"RandomGaussianNoise", "ManualAugmentation"} <= names
    assert set(ARGUMENTS) | set(DICT_ONLY) <= names


def test_changes_images_and_keeps_shape(make):
    data = batch()
    augmented = images_of(make()(data))
    assert augmented.shape == data["images"].shape
    assert augmented.dtype == "float32"
    assert not np.allclose(augmented, data["images"])
    assert augmented.min() >= 0
    assert augmented.max() <= 255


def test_every_argument_is_an_attribute_and_in_the_config(make):
    layer = make()
    parameters = inspect.signature(make.cls.__init__).parameters
    names = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    config = layer.get_config()
    for name in set(names) - {"self"}:
        assert hasattr(layer, name)
        assert name in config


def test_json_round_trip_gives_the_same_output(make):
    layer = make()
    text = json.dumps(keras.saving.serialize_keras_object(layer))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(images_of(again(batch())), images_of(layer(batch())))


def test_registered_under_the_package(make):
    name = keras.saving.get_registered_name(make.cls)
    assert name == f"keras_balance>{make.cls.__name__}"


def test_saved_model_augments_alike(make, tmp_path):
    images = keras.Input((9, 11, 1), dtype="uint8", name="images")
    labels = keras.Input((), dtype="int32", name="labels")
    outputs = make()({"images": images, "labels": labels})
    model = keras.Model({"images": images, "labels": labels}, outputs)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        images_of(again(batch(), training=True)),
        images_of(model(batch(), training=True)),
    )


def test_symbolic_outputs_tell_shape_and_dtype(make):
    images = keras.Input((9, 11, 3), dtype="uint8")
    labels = keras.Input((), dtype="int32")
    outputs = make()({"images": images, "labels": labels})
    assert outputs["images"].shape == (None, 9, 11, 3)
    assert outputs["images"].dtype == "float32"
    assert outputs["labels"].shape == (None,)
    assert outputs["labels"].dtype == "int32"


def test_one_image(make):
    data = {name: values[1] for name, values in batch().items()}
    augmented = images_of(make()(data))
    assert augmented.shape == (9, 11, 1)
    assert not np.allclose(augmented, data["images"])


def test_images_alone(make):
    images = batch()["images"]
    if make.cls.__name__ in DICT_ONLY:
        with pytest.raises(ValueError, match="must be a dict"):
            make()(images)
        return
    alone = keras.ops.convert_to_numpy(make()(images))
    np.testing.assert_array_equal(alone, images_of(make()(batch())))
    assert make()(images[0]).shape == images[0].shape


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_training_false_is_identity(make, dtype):
    data = batch(dtype=dtype)
    if dtype == "float32":  # also beyond `value_range`
        data["images"] = 2 * data["images"] - 100
    outputs = make()(data, training=False)
    np.testing.assert_array_equal(images_of(outputs), data["images"])
    labels = keras.ops.convert_to_numpy(outputs["labels"])
    np.testing.assert_array_equal(labels, data["labels"])


def test_inputs_are_left_as_they_are(make):
    data, untouched = batch(dtype="float32"), batch(dtype="float32")
    make()(data)
    assert data.keys() == untouched.keys()
    for name, values in untouched.items():
        assert isinstance(data[name], np.ndarray)
        np.testing.assert_array_equal(data[name], values)


def test_seeds(make):
    first, same, other = make(seed=1), make(seed=np.int64(1)), make(seed=2)
    once = images_of(first(batch()))
    np.testing.assert_array_equal(once, images_of(same(batch())))
    assert not np.array_equal(once, images_of(other(batch())))
    assert not np.array_equal(once, images_of(first(batch())))


def test_without_a_seed_layers_differ_and_follow_the_global_one(make):
    one, other = make(seed=None), make(seed=None)
    assert not np.array_equal(images_of(one(batch())), images_of(other(batch())))
    keras.utils.set_random_seed(3)
    once = images_of(make(seed=None)(batch()))
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(once, images_of(make(seed=None)(batch())))


@pytest.mark.parametrize(
    ("seed", "error"), [("1", TypeError), (1.0, TypeError), (-1, ValueError)]
)
def test_bad_seed(make, seed, error):
    with pytest.raises(error, match=r"Received: seed="):
        make.cls(**ARGUMENTS.get(make.cls.__name__, lambda seed: {})(1), seed=seed)


def test_integers_and_floats_agree(make):
    ints, floats = make()(batch(dtype="uint8")), make()(batch(dtype="float32"))
    np.testing.assert_allclose(images_of(ints), images_of(floats), atol=2.55)


def test_channels_first_is_the_transpose(make):
    data = batch(channels=3, dtype="float32")
    first = {**data, "images": np.moveaxis(data["images"], -1, 1)}
    augmented = images_of(make(data_format="channels_first")(first))
    expected = images_of(make(data_format="channels_last")(data))
    np.testing.assert_allclose(np.moveaxis(augmented, 1, -1), expected, atol=1e-3)


def test_data_format_of_the_configuration(make):
    keras.config.set_image_data_format("channels_first")
    assert make().data_format == "channels_first"


once = functools.partial(pytest.param, marks=pytest.mark.once)  # JAX compiles for each


@pytest.mark.parametrize("shape", [once((27, 31, 3)), (8, 8, 5), (1, 1, 1), (1, 7, 3)])
def test_any_size_and_number_of_channels(make, shape):
    data = batch(2, *shape)
    augmented = images_of(make()(data))
    assert augmented.shape == data["images"].shape
    assert np.isfinite(augmented).all()


@pytest.mark.parametrize("shape", [(4, 4), (1, 2, 4, 4, 1)])
def test_other_ranks_are_refused(make, shape):
    with pytest.raises(ValueError, match="rank 3"):
        make()({"images": np.zeros(shape, "float32"), "labels": np.zeros(shape[0])})


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision(make, policy):
    layer = make(dtype=policy)
    outputs = layer(batch())
    assert keras.backend.standardize_dtype(outputs["images"].dtype) == policy.replace(
        "mixed_", ""
    )
    exact = images_of(make()(batch()))
    low = keras.ops.convert_to_numpy(keras.ops.cast(outputs["images"], "float32"))
    assert np.isfinite(low).all()
    np.testing.assert_allclose(low, exact, atol=6)


def test_integers_are_floats_rounded(make):
    exact = images_of(make()(batch()))
    rounded = make(dtype="uint8")(batch())["images"]
    assert keras.backend.standardize_dtype(rounded.dtype) == "uint8"
    np.testing.assert_allclose(keras.ops.convert_to_numpy(rounded), exact, atol=0.51)


def test_what_goes_along_is_not_of_low_precision(make):
    layer, data = with_boxes_and_masks(make, dtype="mixed_bfloat16")
    data["labels"] = np.array([1001.0] * 6, "float32")
    data["bounding_boxes"]["boxes"] += np.array([0, 0, 300.3, 300.3], "float32")
    outputs = layer(data, training=False)
    np.testing.assert_array_equal(outputs["labels"], data["labels"])
    kept = keras.ops.convert_to_numpy(outputs["bounding_boxes"]["boxes"])
    np.testing.assert_array_equal(kept, data["bounding_boxes"]["boxes"])


def test_images_may_have_no_boxes(make):
    layer, data = with_boxes_and_masks(make)
    none = {"boxes": np.zeros((6, 0, 4), "float32"), "labels": np.zeros((6, 0), int)}
    outputs = layer({**data, "bounding_boxes": none})
    assert tuple(outputs["bounding_boxes"]["boxes"].shape) == (6, 0, 4)


@pytest.mark.parametrize(
    ("dtype", "one_hot"), [("uint8", False), ("int32", True), ("float32", True)]
)
def test_labels_keep_dtype_and_values(make, dtype, one_hot):
    data = batch()
    labels = np.eye(3)[data["labels"]] if one_hot else data["labels"]
    data["labels"] = labels.astype(dtype)
    outputs = make()(data)
    assert keras.backend.standardize_dtype(outputs["labels"].dtype) == dtype
    kept = keras.ops.convert_to_numpy(outputs["labels"])
    np.testing.assert_array_equal(kept, data["labels"])


def test_labels_keep_dtype_inside_tf_data(make):
    large = 2**40
    data = {**batch(), "labels": np.arange(6) + large}
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(3)
    (outputs, _) = dataset.map(make(dtype="mixed_bfloat16"))
    assert outputs["labels"].dtype == "int64"
    np.testing.assert_array_equal(outputs["labels"], np.arange(3) + large)


def test_unknown_batch_size_inside_tf_data(make):
    dataset = tf.data.Dataset.from_tensor_slices(batch(5)).batch(2).map(make())
    assert dataset.element_spec["images"].shape == (None, 9, 11, 1)
    batches = list(dataset)
    assert [len(outputs["images"]) for outputs in batches] == [2, 2, 1]
    originals = batch(5)["images"].reshape(5, -1)
    augmented = np.concatenate([b["images"] for b in batches]).reshape(5, -1)
    assert not np.allclose(augmented, originals)
    # Each batch and each image gets its own draw.
    assert len(np.unique(np.round(augmented - originals, 3), axis=0)) >= 3


def test_one_image_inside_tf_data(make):
    dataset = tf.data.Dataset.from_tensor_slices(batch(3)).map(make())
    assert [outputs["images"].shape for outputs in dataset] == [(9, 11, 1)] * 3


def test_unknown_height_and_width_inside_tf_data(make):
    signature = {
        "images": tf.TensorSpec((None, None, None, None), "uint8"),
        "labels": tf.TensorSpec((None,), "int64"),
    }
    sizes = [(9, 11), (5, 6)]

    def pictures():
        yield from (batch(2, *size) for size in sizes)

    dataset = tf.data.Dataset.from_generator(pictures, output_signature=signature)
    shapes = [outputs["images"].shape for outputs in dataset.map(make())]
    assert shapes == [(2, *size, 1) for size in sizes]


def test_same_seed_inside_tf_data(make):
    dataset = tf.data.Dataset.from_tensors(batch())
    (first,), (again,) = dataset.map(make()), dataset.map(make())
    np.testing.assert_array_equal(first["images"], again["images"])


def classifier(layer):
    """A model that trains through the layer, and whose output shows the images."""
    images = keras.Input((8, 8, 1), name="images")
    labels = keras.Input((), dtype="int32", name="labels")
    augmented = layer({"images": images, "labels": labels})["images"]
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(augmented))
    return keras.Model({"images": images, "labels": labels}, outputs)


def test_in_a_model_under_fit(make):
    model = classifier(make())
    model.compile("sgd", "mse")
    data = batch(6, 8, 8, dtype="float32")
    history = model.fit(data, np.zeros((6, 3)), batch_size=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    # Prediction sees the images as they are.
    once, twice = (model.predict(data, verbose=0) for _ in range(2))
    np.testing.assert_array_equal(once, twice)


def test_fit_compiles_wherever_the_layer_says_so(make):
    model = classifier(make())
    if not all(layer.supports_jit for layer in model.layers):
        pytest.skip("the backend's own kernel for affine maps does not compile")
    if keras.backend.backend() == "torch":
        pytest.skip("compiling takes torch half a minute")
    model.compile("sgd", "mse", jit_compile=True)
    assert model.jit_compile
    model.fit(batch(6, 8, 8), np.zeros((6, 3)), batch_size=3, verbose=0)


def test_sequential(make):
    if make.cls.__name__ in DICT_ONLY:
        pytest.skip(DICT_ONLY[make.cls.__name__])
    model = keras.Sequential([keras.Input((9, 11, 1)), make(), keras.layers.Flatten()])
    assert model(batch()["images"], training=True).shape == (6, 99)


def boxes():
    corners = np.array([[2, 2, 6, 5], [1, 1, 9, 7]], "float32")
    return {
        "boxes": np.stack([corners] * 6),
        "labels": np.tile(np.array([0, 1], "int32"), (6, 1)),
    }


def with_boxes_and_masks(make, **arguments):
    """A layer and data that has bounding boxes and masks along."""
    cls = make.cls
    boxed = {"bounding_box_format": "xyxy", **arguments}
    if "layer" in inspect.signature(cls.__init__).parameters:
        inner = layers.ManualAugmentation(seed=1, **boxed)
        layer = cls(inner, rates=[1.0, 0.0, 1.0], seed=1, **arguments)
    else:
        layer = make(**boxed)
    masks = (batch()["images"] > 128).astype("int32")
    return layer, {**batch(), "bounding_boxes": boxes(), "segmentation_masks": masks}


def test_boxes_and_masks_go_along(make):
    layer, data = with_boxes_and_masks(make)
    outputs = layer(data)
    assert outputs["bounding_boxes"]["boxes"].shape == (6, 2, 4)
    moved = keras.ops.convert_to_numpy(outputs["bounding_boxes"]["boxes"])
    assert (moved[..., :2] <= moved[..., 2:]).all()
    masks = keras.ops.convert_to_numpy(outputs["segmentation_masks"])
    assert masks.shape == data["segmentation_masks"].shape
    assert set(np.unique(masks)) <= {0, 1}
    same = layer(data, training=False)
    kept = keras.ops.convert_to_numpy(same["bounding_boxes"]["boxes"])
    np.testing.assert_allclose(kept, data["bounding_boxes"]["boxes"])


@pytest.mark.once  # the bare ones take the same way
def test_boxes_and_masks_go_along_inside_tf_data(make):
    layer, data = with_boxes_and_masks(make)
    (batched,) = tf.data.Dataset.from_tensors(data).map(layer)
    assert batched["bounding_boxes"]["boxes"].shape == (6, 2, 4)
    assert batched["segmentation_masks"].shape == (6, 9, 11, 1)
    single = next(iter(tf.data.Dataset.from_tensor_slices(data).map(layer)))
    assert single["bounding_boxes"]["boxes"].shape == (2, 4)
    assert single["segmentation_masks"].shape == (9, 11, 1)


def in_layout(data_format, layer):
    """A layer and all in it in another layout."""
    config = {**layer.get_config(), "data_format": data_format}
    if "layer" in config:
        inner = in_layout(data_format, layer.layer)
        config["layer"] = keras.saving.serialize_keras_object(inner)
    return type(layer).from_config(config)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masks_without_channels_and_boxes_without_labels(make, data_format):
    layer, data = with_boxes_and_masks(make)
    bare = {**data, "segmentation_masks": data["segmentation_masks"][..., 0]}
    if data_format == "channels_first":
        names = ("images", "segmentation_masks")
        data |= {name: data[name].transpose(0, 3, 1, 2) for name in names}
        bare["images"] = data["images"]
    boxes_of_data = data["bounding_boxes"]["boxes"]
    expected = in_layout(data_format, layer)(data)
    for given in ({"boxes": boxes_of_data}, boxes_of_data):
        outputs = in_layout(data_format, layer)({**bare, "bounding_boxes": given})
        assert set(outputs) == set(expected)
        channel = -1 if data_format == "channels_last" else 1
        masks = np.squeeze(np.asarray(expected["segmentation_masks"]), channel)
        np.testing.assert_array_equal(np.asarray(outputs["segmentation_masks"]), masks)
        moved = outputs["bounding_boxes"]
        if isinstance(given, dict):
            assert set(moved) == {"boxes"}
            moved = moved["boxes"]
        theirs = np.asarray(expected["bounding_boxes"]["boxes"])
        np.testing.assert_allclose(np.asarray(moved), theirs)


def test_bare_masks_and_boxes_inside_tf_data(make):
    layer, data = with_boxes_and_masks(make)
    data["segmentation_masks"] = data["segmentation_masks"][..., 0]
    data["bounding_boxes"] = data["bounding_boxes"]["boxes"]
    (batched,) = tf.data.Dataset.from_tensors(data).map(layer)
    assert batched["bounding_boxes"].shape == (6, 2, 4)
    assert batched["segmentation_masks"].shape == (6, 9, 11)
    single = next(iter(tf.data.Dataset.from_tensor_slices(data).map(layer)))
    assert single["bounding_boxes"].shape == (2, 4)
    assert single["segmentation_masks"].shape == (9, 11)
