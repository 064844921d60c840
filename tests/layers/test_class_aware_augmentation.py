import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_balance.layers import (
    ClassAwareAugmentation,
    ManualAugmentation,
    PhotoAugmentation,
    RandomGaussianNoise,
)


def negative():
    """A layer that knows nothing of dicts, and changes every image."""
    return keras.layers.Rescaling(-1, 255)


def batch(n=40, classes=4):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 6, 6, 1)).astype("uint8")
    return {"images": images, "labels": np.arange(n) % classes}


def chosen(outputs, data):
    """Which images were changed."""
    images = keras.ops.convert_to_numpy(outputs["images"])
    return (images != data["images"]).any(axis=(1, 2, 3))


@pytest.mark.parametrize("rates", [{1: 1.0, 3: 1.0}, [0, 1, 0, 1], (0, 1, 0, 1.0)])
def test_only_the_classes_with_a_rate_are_augmented(rates):
    data = batch()
    outputs = ClassAwareAugmentation(negative(), rates)(data)
    np.testing.assert_array_equal(chosen(outputs, data), data["labels"] % 2 == 1)


def test_who_is_drawn_has_nothing_to_do_with_what_the_layer_draws():
    images = np.zeros((400, 4, 4, 1), "float32")
    images[:, 0] = 1
    inner = PhotoAugmentation("vertical", 0, 0, 0, value_range=(0, 1), seed=7)
    layer = ClassAwareAugmentation(inner, [0.5], seed=7)
    assert layer.get_config()["seed"] == 7
    data = {"images": images, "labels": np.zeros(400, int)}
    (in_a_pipeline,) = tf.data.Dataset.from_tensors(data).map(layer)
    for outputs in (layer(data), in_a_pipeline):
        assert 0.15 < chosen(outputs, data).mean() < 0.35


def test_one_within_another_is_refused():
    inner = ClassAwareAugmentation(negative(), [1.0])
    with pytest.raises(ValueError, match="behind the other"):
        ClassAwareAugmentation(inner, [1.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y,
        lambda y: y[:, None],
        lambda y: y.astype("float32"),
        lambda y: y.astype("uint8"),
        lambda y: np.eye(4, dtype="int32")[y],
        lambda y: np.eye(4, dtype="float32")[y],
    ],
    ids=["sparse", "column", "floats", "bytes", "one-hot", "one-hot floats"],
)
def test_labels_of_any_form(write):
    data = batch()
    layer = ClassAwareAugmentation(negative(), {2: 1.0})
    expected = data["labels"] == 2
    data["labels"] = write(data["labels"])
    outputs = layer(data)
    np.testing.assert_array_equal(chosen(outputs, data), expected)
    kept = keras.ops.convert_to_numpy(outputs["labels"])
    np.testing.assert_array_equal(kept, data["labels"])


@pytest.mark.parametrize(("label", "expected"), [(2, True), (1, False), (-1, False)])
def test_one_image(label, expected):
    data = {"images": batch()["images"][0], "labels": np.array(label)}
    outputs = ClassAwareAugmentation(negative(), {2: 1.0})(data)
    changed = keras.ops.convert_to_numpy(outputs["images"]) != data["images"]
    assert changed.any() == expected


def test_one_image_with_a_one_hot_label():
    data = {"images": batch()["images"][0], "labels": np.array([0, 0, 1])}
    outputs = ClassAwareAugmentation(negative(), {2: 1.0})(data)
    assert (keras.ops.convert_to_numpy(outputs["images"]) != data["images"]).any()


def test_rates_are_probabilities():
    data = batch(4000)
    outputs = ClassAwareAugmentation(negative(), [0.0, 0.2, 0.7, 1.0], seed=1)(data)
    shares = [chosen(outputs, data)[data["labels"] == c].mean() for c in range(4)]
    np.testing.assert_allclose(shares, [0, 0.2, 0.7, 1], atol=0.05)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.RandomRotation(0.2, seed=3),
        lambda: keras.layers.RandomFlip(seed=3),
        lambda: keras.layers.RandomBrightness(0.5, seed=3),
        lambda: keras.layers.GaussianNoise(1.0, seed=3),
        lambda: RandomGaussianNoise(seed=3),
        lambda: ManualAugmentation(seed=3),
        lambda: keras.layers.Pipeline(
            [keras.layers.RandomZoom(0.3, seed=3), RandomGaussianNoise(seed=4)]
        ),
        negative,
    ],
)
def test_equals_the_layer_applied_by_hand(make):
    data = batch()
    layer = ClassAwareAugmentation(make(), {1: 1.0, 2: 1.0})
    images = keras.ops.convert_to_numpy(layer(data)["images"])
    drawn = np.isin(data["labels"], [1, 2])
    floats = data["images"].astype("float32")
    by_hand = keras.ops.convert_to_numpy(make()(floats, training=True))
    np.testing.assert_allclose(images[drawn], by_hand[drawn], atol=1e-4)
    np.testing.assert_array_equal(images[~drawn], floats[~drawn])
    assert not np.allclose(images[drawn], floats[drawn])


def test_boxes_and_masks_follow_their_image():
    inner = ManualAugmentation(
        (0.1, 0.1), noise_factor=0, seed=0, bounding_box_format="xyxy"
    )
    corners = np.tile(np.array([1, 1, 4, 3], "float32"), (40, 1, 1))
    data = {
        **batch(),
        "bounding_boxes": {"boxes": corners, "labels": np.zeros((40, 1), "int32")},
        "segmentation_masks": (batch()["images"] > 128).astype("int32"),
    }
    outputs = ClassAwareAugmentation(inner, {0: 1.0})(data)
    drawn = data["labels"] == 0
    boxes = keras.ops.convert_to_numpy(outputs["bounding_boxes"]["boxes"])
    masks = keras.ops.convert_to_numpy(outputs["segmentation_masks"])
    np.testing.assert_array_equal(boxes[~drawn], corners[~drawn])
    assert (boxes[drawn] != corners[drawn]).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(masks[~drawn], data["segmentation_masks"][~drawn])
    assert (masks[drawn] != data["segmentation_masks"][drawn]).any()


def test_many_classes_inside_tf_data_in_low_precision():
    """bfloat16 knows no 1001: labels must not pass through it."""
    data = {**batch(4), "labels": np.array([1000, 1001, 1002, 1003])}
    layer = ClassAwareAugmentation(negative(), {1001: 1.0}, dtype="mixed_bfloat16")
    (outputs,) = tf.data.Dataset.from_tensors(data).map(layer)
    images = tf.cast(outputs["images"], "float32").numpy()
    changed = (np.abs(images - data["images"]) > 4).any(axis=(1, 2, 3))
    assert changed.tolist() == [False, True, False, False]
    assert outputs["labels"].dtype == "int64"


def test_round_trip_keeps_rates_and_layer():
    layer = ClassAwareAugmentation(ManualAugmentation(0.2), {3: 0.5, 10: 1}, seed=2)
    # JSON knows no integer keys.
    config = json.loads(json.dumps(keras.layers.serialize(layer)))
    again = keras.layers.deserialize(config)
    assert again.rates == layer.rates == {3: 0.5, 10: 1.0}
    assert again.layer.get_config() == layer.layer.get_config()


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.MixUp(),
        keras.layers.CutMix(),
        keras.layers.Pipeline([keras.layers.MixUp()]),
    ],
)
def test_layers_that_mix_labels_are_refused(layer):
    with pytest.raises(ValueError, match=r"labels as they are. Received: layer="):
        ClassAwareAugmentation(layer, [1.0])


@pytest.mark.parametrize(
    ("layer", "rates", "error", "name"),
    [
        (None, [1.0], TypeError, "layer"),
        ("flip", [1.0], TypeError, "layer"),
        (negative, [1.0], TypeError, "layer"),
        (negative(), [1.5], ValueError, "rates"),
        (negative(), {-1: 0.5}, ValueError, "rates"),
        (negative(), {"a": 0.5}, TypeError, "rates"),
        (negative(), 0.5, TypeError, "rates"),
    ],
)
def test_bad_arguments(layer, rates, error, name):
    with pytest.raises(error, match=f"Received: {name}="):
        ClassAwareAugmentation(layer, rates)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (batch()["images"], "must be a dict"),
        ({"images": batch()["images"]}, "'images' and 'labels'"),
        ({**batch(), "labels": np.zeros((40, 2, 2))}, "Labels must be"),
        ({**batch(), "labels": np.zeros(39)}, "40 images, 39 labels"),
        ({**batch(), "labels": np.zeros(1)}, "40 images, 1 labels"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(ValueError, match=message):
        ClassAwareAugmentation(negative(), [1.0])(data)


def test_layers_that_change_the_shape_are_refused():
    layer = ClassAwareAugmentation(keras.layers.CenterCrop(3, 3), [1.0])
    with pytest.raises(ValueError, match=r"keep the shape.*Received: layer="):
        layer(batch())


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="other backends have no tensors of strings, so that Keras refuses them",
)
def test_labels_that_are_strings_are_refused():
    layer = ClassAwareAugmentation(negative(), {1: 1.0})
    data = {"images": np.zeros((2, 8, 8, 1), "float32"), "labels": np.array(["a", "b"])}
    with pytest.raises(TypeError, match="labels that are strings"):
        layer(data, training=True)
