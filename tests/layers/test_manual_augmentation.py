import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from keras_balance.layers import ManualAugmentation

STILL = {"rotation_factor": 0, "zoom_factor": 0, "noise_factor": 0}


def still_but(**arguments):
    return ManualAugmentation(**(STILL | arguments), seed=0)


def digit(n=4, size=27, dtype="float32"):
    """A smooth bright figure on black, which has no symmetry."""
    image = np.zeros((size, size))
    image[5:20, 8:11] = 255
    image[17:20, 8:18] = 255
    image = ndimage.gaussian_filter(image, 1.0)
    return np.repeat(image[None, ..., None], n, axis=0).astype(dtype)


def augment(layer, images=None):
    images = digit() if images is None else images
    return keras.ops.convert_to_numpy(layer(images))


def test_nothing_moves_where_every_factor_is_zero():
    np.testing.assert_allclose(augment(still_but()), digit(), atol=1e-3)


@pytest.mark.parametrize("turn", [-0.3, 0.05, 0.125])
def test_rotation_equals_scipys(turn):
    rotated = augment(still_but(rotation_factor=(turn, turn)))[0, ..., 0]
    expected = ndimage.rotate(
        digit()[0, ..., 0], turn * 360, reshape=False, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(rotated, expected, atol=0.1)


@pytest.mark.parametrize("factor", [-0.3, 0.4])
def test_zoom_equals_scipys(factor):
    zoomed = augment(still_but(zoom_factor=(factor, factor)))[0, ..., 0]
    scale = np.eye(2) * (1 + factor)
    expected = ndimage.affine_transform(
        digit()[0, ..., 0], scale, [-13 * factor] * 2, order=1, mode="grid-constant"
    )
    np.testing.assert_allclose(zoomed, expected, atol=0.1)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("rotation_factor", keras.layers.RandomRotation),
        ("zoom_factor", keras.layers.RandomZoom),
    ],
)
@pytest.mark.parametrize("factor", [-0.2, 0.1])
def test_factors_mean_what_they_mean_in_keras(name, make, factor):
    ours = augment(still_but(**{name: (factor, factor)}))
    theirs = augment(make((factor, factor), fill_mode="constant"))
    np.testing.assert_allclose(ours, theirs, atol=0.1)


def test_one_resampling_blurs_less_than_two():
    """Sharp as one turn by scipy, where two resamplings lose more."""
    turn, zoom = 0.08, 0.2
    once = augment(still_but(rotation_factor=(turn, turn), zoom_factor=(zoom, zoom)))
    rotated = augment(still_but(rotation_factor=(turn, turn)))
    twice = augment(still_but(zoom_factor=(zoom, zoom)), rotated)
    np.testing.assert_allclose(once, twice, atol=30)
    assert (once**2).sum() > 1.01 * (twice**2).sum()


def test_factors_are_drawn_per_image_from_all_of_their_range():
    """The brightness of a blurred bar tells the angle it was turned by."""
    y, x = np.mgrid[:41, :41] - 20.0
    bar = 255 * np.exp(-((y / 3) ** 2) - (x / 12) ** 2)
    images = np.repeat(bar[None, ..., None], 200, axis=0).astype("float32")
    turned = augment(still_but(rotation_factor=0.1), images)[..., 0]
    mass = turned.sum(axis=(1, 2))
    xy, xx, yy = ((turned * m).sum(axis=(1, 2)) / mass for m in (x * y, x * x, y * y))
    turns = np.arctan2(-2 * xy, xx - yy) / 2 / (2 * np.pi)
    assert turns.min() == pytest.approx(-0.1, abs=0.01)
    assert turns.max() == pytest.approx(0.1, abs=0.01)
    assert turns.mean() == pytest.approx(0, abs=0.02)
    assert turns.std() == pytest.approx(0.1 / np.sqrt(3), abs=0.01)


def test_noise_has_the_stated_standard_deviation():
    grey = np.full((32, 28, 28, 1), 0.5, "float32")
    layer = still_but(noise_factor=0.05, value_range=(0, 1))
    noise = augment(layer, grey) - grey
    assert abs(noise.std() / 0.05 - 1) < 0.02
    assert abs(noise.mean()) < 0.002


def test_noise_of_a_pair_is_drawn_per_image():
    grey = np.full((64, 28, 28, 1), 128, "float32")
    spreads = (augment(still_but(noise_factor=(0.01, 0.1)), grey) - grey).std((1, 2, 3))
    assert spreads.min() < 0.025 * 255
    assert spreads.max() > 0.085 * 255


def test_values_stay_in_their_range():
    layer = ManualAugmentation(value_range=(-1, 1), noise_factor=0.5, seed=0)
    augmented = augment(layer, digit() / 127.5 - 1)
    assert augmented.min() == -1
    assert augmented.max() == 1


def test_what_comes_in_from_outside_is_black():
    layer = still_but(translation_factor=(0.5, 0.5), value_range=(-1, 1))
    assert (augment(layer, np.ones((1, 8, 8, 1), "float32"))[0, :3] == -1).all()
    layer = still_but(translation_factor=(0.5, 0.5), fill_value=7)
    white = np.full((1, 8, 8, 1), 255, "float32")
    np.testing.assert_allclose(augment(layer, white)[0, :3], 7)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "wrap"])
def test_other_fill_modes_bring_in_the_picture(fill_mode):
    layer = still_but(translation_factor=(0.5, 0.5), fill_mode=fill_mode)
    white = np.full((1, 8, 8, 1), 255, "float32")
    np.testing.assert_allclose(augment(layer, white), white, atol=0.01)


def test_nearest_interpolation_makes_no_new_values():
    layer = ManualAugmentation(interpolation="nearest", noise_factor=0, seed=0)
    images = (digit() > 100) * 255.0
    assert set(np.unique(augment(layer, images))) == {0, 255}


def test_shear_and_translation_move_images():
    for factor in ("shear_factor", "translation_factor"):
        layer = still_but(**{factor: 0.3})
        assert np.abs(augment(layer) - digit()).max() > 50


def test_elastic_distortion_moves_pixels_as_far_as_stated():
    """Where an image is its own coordinate, its change is the displacement."""
    y, x = np.mgrid[:28, :28].astype("float32")
    images = np.repeat(np.stack([y, x], -1)[None], 100, axis=0)
    layer = still_but(elastic_factor=0.05, fill_mode="reflect")
    change = (augment(layer, images) - images)[:, 9:-9, 9:-9]
    np.testing.assert_allclose(change.std(axis=(0, 1, 2)), 0.05 * 28, rtol=0.2)
    assert abs(np.corrcoef(change[..., 0].ravel(), change[..., 1].ravel())[0, 1]) < 0.2


def test_elastic_distortion_inside_tf_data():
    dataset = tf.data.Dataset.from_tensor_slices(digit()).batch(2)
    layer = ManualAugmentation(elastic_factor=(0.01, 0.05), seed=0)
    batches = list(dataset.map(layer))
    assert [batch.shape for batch in batches] == [(2, 27, 27, 1)] * 2
    assert np.abs(batches[0] - digit(2)).max() > 50


def test_masks_follow_the_image():
    layer = ManualAugmentation(0.1, 0.2, noise_factor=0, elastic_factor=0.05, seed=0)
    data = {"images": digit(), "segmentation_masks": (digit() > 100).astype("int32")}
    outputs = layer(data)
    images = keras.ops.convert_to_numpy(outputs["images"])
    masks = keras.ops.convert_to_numpy(outputs["segmentation_masks"])
    assert masks.dtype == "int32"
    assert ((images > 100) == masks).mean() > 0.98
    assert ((images > 100) == data["segmentation_masks"]).mean() < 0.98


def test_a_range_wider_than_half_precision_has_finite_pixels():
    images = np.where(digit() > 100, 40000.0, -40000.0).astype("float32")
    layer = ManualAugmentation(
        0.2, noise_factor=0, value_range=(-40000, 40000), dtype="float16"
    )
    assert np.isfinite(keras.ops.convert_to_numpy(layer(images))).all()


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX and torch do not have both"
)
def test_masks_of_unsigned_integers():
    layer = ManualAugmentation(noise_factor=0)
    for dtype in ("uint32", "uint64"):
        masks = np.ones(digit().shape, dtype)
        moved = layer({"images": digit(), "segmentation_masks": masks})
        assert moved["segmentation_masks"].dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16"])
def test_masks_keep_their_type(dtype):
    layer = ManualAugmentation(0.1, 0.2, noise_factor=0, seed=0)
    mask = (digit() > 100).astype("int32")
    states = []
    for one in (mask, mask.astype(dtype)):
        layer.generator.state.assign([1, 0])
        moved = layer({"images": digit(), "segmentation_masks": one})
        states.append(keras.ops.convert_to_numpy(moved["segmentation_masks"]))
    assert states[1].dtype == dtype
    np.testing.assert_array_equal(states[1], states[0].astype(dtype))


@pytest.mark.parametrize("bounding_box_format", ["xyxy", "rel_xyxy", "center_xywh"])
def test_boxes_follow_the_image(bounding_box_format):
    convert = keras.utils.bounding_boxes.convert_format
    size = {"height": 60, "width": 80}
    image = np.zeros((3, 60, 80, 1), "float32")
    image[:, 20:35, 30:60] = 255
    corners = np.tile(np.array([30, 20, 60, 35], "float32"), (3, 1, 1))
    boxes = convert(corners, source="xyxy", target=bounding_box_format, **size)
    layer = still_but(
        rotation_factor=0.1,
        zoom_factor=0.2,
        translation_factor=0.05,
        bounding_box_format=bounding_box_format,
    )
    data = {
        "images": image,
        "bounding_boxes": {"boxes": boxes, "labels": np.ones((3, 1), "int32")},
    }
    outputs = layer(data)
    moved = convert(
        outputs["bounding_boxes"]["boxes"],
        source=bounding_box_format,
        target="xyxy",
        **size,
    )
    for image, box in zip(
        keras.ops.convert_to_numpy(outputs["images"]),
        keras.ops.convert_to_numpy(moved)[:, 0],
        strict=True,
    ):
        rows, columns, _ = np.nonzero(image > 64)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, seen, atol=1.6)


def test_boxes_that_leave_the_image_are_cut():
    layer = still_but(translation_factor=(0.5, 0.5), bounding_box_format="xyxy")
    boxes = {
        "boxes": np.array([[[2, 2, 6, 6], [7, 7, 8, 8]]], "float32"),
        "labels": np.array([[0, 1]], "int32"),
    }
    data = {"images": np.zeros((1, 8, 8, 1), "float32"), "bounding_boxes": boxes}
    outputs = layer(data)["bounding_boxes"]
    corners = keras.ops.convert_to_numpy(outputs["boxes"])
    np.testing.assert_allclose(corners[0, 0], [6, 6, 8, 8])
    assert keras.ops.convert_to_numpy(outputs["labels"]).tolist() == [[0, -1]]


def test_boxes_need_their_format():
    boxes = {"boxes": np.zeros((1, 1, 4)), "labels": np.zeros((1, 1))}
    data = {"images": np.zeros((1, 8, 8, 1)), "bounding_boxes": boxes}
    with pytest.raises(ValueError, match="bounding_box_format"):
        ManualAugmentation()(data)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"rotation_factor": 1.5}, ValueError),
        ({"rotation_factor": float("nan")}, ValueError),
        ({"rotation_factor": (0.2, 0.1)}, ValueError),
        ({"rotation_factor": "0.1"}, TypeError),
        ({"zoom_factor": -1}, ValueError),
        ({"zoom_factor": (-1.0, 0.5)}, ValueError),
        ({"zoom_factor": 1.01}, ValueError),
        ({"zoom_factor": None}, TypeError),
        ({"noise_factor": -0.1}, ValueError),
        ({"noise_factor": True}, TypeError),
        ({"translation_factor": 2}, ValueError),
        ({"shear_factor": -2}, ValueError),
        ({"elastic_factor": -0.1}, ValueError),
        ({"elastic_factor": [0.1]}, ValueError),
        ({"value_range": (1, 0)}, ValueError),
        ({"fill_mode": "mirror"}, ValueError),
        ({"fill_value": "0"}, TypeError),
        ({"fill_value": float("inf")}, ValueError),
        ({"fill_value": 256}, ValueError),
        ({"interpolation": "bicubic"}, ValueError),
        ({"seed": 1.5}, TypeError),
        ({"seed": -1}, ValueError),
    ],
)
def test_bad_arguments(arguments, error):
    (name,) = arguments
    with pytest.raises(error, match=f"`{name}`.*Received: {name}="):
        ManualAugmentation(**arguments)


def test_whatever_compiles_says_so():
    """XLA knows no kernel for affine maps; what is resampled here it compiles."""
    assert ManualAugmentation(elastic_factor=0.05).supports_jit
    native = keras.backend.backend() == "tensorflow"
    assert ManualAugmentation().supports_jit is not native
