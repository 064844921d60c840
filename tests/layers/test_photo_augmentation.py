import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_balance.layers import PhotoAugmentation

STILL = {"flip": None, "crop_factor": 0, "colour_factor": 0, "erase_factor": 0}


def only(**arguments):
    return PhotoAugmentation(**(STILL | arguments), seed=0)


def photographs(n=64, size=(12, 16), channels=3, low=0, high=255):
    """Pixels that all differ within an image; the same image n times."""
    rng = np.random.default_rng(0)
    image = rng.uniform(low, high, (*size, channels))
    return np.repeat(image[None], n, axis=0).astype("float32")


def augment(layer, images):
    return keras.ops.convert_to_numpy(layer(images))


def test_nothing_changes_where_everything_is_off():
    np.testing.assert_array_equal(augment(only(), photographs()), photographs())


@pytest.mark.parametrize(
    ("flip", "axes"),
    [
        ("horizontal", [(), (1,)]),
        ("vertical", [(), (0,)]),
        ("horizontal_and_vertical", [(), (0,), (1,), (0, 1)]),
    ],
)
def test_each_flip_is_drawn_for_an_equal_share(flip, axes):
    images = photographs(n=400)
    flipped = augment(only(flip=flip), images)
    shares = [
        np.mean([np.array_equal(f, np.flip(images[0], axis)) for f in flipped])
        for axis in axes
    ]
    assert sum(shares) == pytest.approx(1)
    np.testing.assert_allclose(shares, 1 / len(axes), atol=0.1)


def shifted(image, down, right, fill=0.0):
    """`image` moved by whole pixels, what comes in filled, by slices."""
    height, width, _ = image.shape
    moved = np.full_like(image, fill)
    rows = slice(max(down, 0), height + min(down, 0))
    columns = slice(max(right, 0), width + min(right, 0))
    from_rows = slice(max(-down, 0), height - max(down, 0))
    from_columns = slice(max(-right, 0), width - max(right, 0))
    moved[rows, columns] = image[from_rows, from_columns]
    return moved


def test_crops_are_all_whole_moves_equally_often():
    images = photographs(n=1200)
    moved = augment(only(crop_factor=0.125), images)  # 1.5 -> 2 of 12, 2 of 16
    counts = {
        (down, right): np.sum(
            (moved == shifted(images[0], down, right)).all(axis=(1, 2, 3))
        )
        for down in range(-2, 3)
        for right in range(-2, 3)
    }
    assert sum(counts.values()) == 1200
    assert min(counts.values()) > 20


def test_a_pair_of_crop_factors_moves_one_way():
    layer = only(crop_factor=(0.25, 0.25), fill_value=7)
    images = photographs(n=2)
    expected = shifted(images[0], 3, 4, fill=7)
    np.testing.assert_allclose(augment(layer, images), [expected] * 2, rtol=1e-5)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "wrap"])
def test_other_fill_modes_bring_in_the_picture(fill_mode):
    layer = only(crop_factor=(0.25, 0.25), fill_mode=fill_mode)
    modes = {"nearest": "edge", "reflect": "symmetric", "wrap": "wrap"}
    image = photographs(n=1)[0]
    expected = np.pad(image, ((3, 0), (4, 0), (0, 0)), modes[fill_mode])[:12, :16]
    np.testing.assert_array_equal(augment(layer, image), expected)


def recoloured(image, saturation, contrast, brightness):
    """Three steps, as torchvision has them, without clipping."""
    luma = np.array([0.299, 0.587, 0.114], "float32")
    image = saturation * image + (1 - saturation) * (image @ luma)[..., None]
    image = contrast * image + (1 - contrast) * (image @ luma).mean()
    return brightness * image


@pytest.mark.parametrize("change", [-0.3, 0.2])
def test_colour_equals_three_steps(change):
    image = photographs(n=1, low=60, high=150)[0]
    expected = recoloured(image, *[1 + change] * 3)
    augmented = augment(only(colour_factor=(change, change)), image)
    np.testing.assert_allclose(augmented, expected, atol=1e-3)


def test_colour_is_drawn_per_image_and_clipped():
    images = photographs(n=200)
    augmented = augment(only(colour_factor=0.4), images)
    brightness = augmented.mean(axis=(1, 2, 3)) / images.mean()
    assert brightness.min() < 0.7
    assert brightness.max() > 1.2
    assert augmented.max() == 255


def test_colour_begins_at_the_low_end_of_the_range():
    unit, centred = photographs(high=1), photographs(high=1) * 2 - 1
    expected = augment(only(colour_factor=0.4, value_range=(0, 1)), unit) * 2 - 1
    augmented = augment(only(colour_factor=0.4, value_range=(-1, 1)), centred)
    np.testing.assert_allclose(augmented, expected, atol=1e-5)


def test_grey_images_have_no_saturation():
    grey = photographs(channels=1)
    as_colour = augment(only(colour_factor=0.4), np.repeat(grey, 3, axis=-1))
    augmented = augment(only(colour_factor=0.4), grey)
    np.testing.assert_allclose(as_colour, augmented.repeat(3, axis=-1), atol=1e-3)


def test_the_erased_square_has_its_side_and_lies_anywhere():
    images = np.full((300, 12, 16, 3), 100, "float32")
    erased = augment(only(erase_factor=0.5), images)[..., 0] == 0
    sides = erased.any(axis=2).sum(axis=1), erased.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(erased.sum(axis=(1, 2)), sides[0] * sides[1])
    assert {side.max() for side in sides} == {6}
    assert erased.any(axis=0).all()
    assert not np.array_equal(*sides)


def test_a_pair_of_erase_factors_is_drawn_per_image():
    images = np.full((300, 12, 12, 3), 100, "float32")
    erased = augment(only(erase_factor=(0.1, 0.6), fill_value=5), images)[..., 0] == 5
    sides = erased.any(axis=2).sum(axis=1)
    # From 1.2 to 7.2 pixels, or less at a border.
    assert set(range(2, 7)) <= set(sides) <= set(range(1, 9))


def test_masks_follow_crops_and_flips_alone():
    layer = PhotoAugmentation(colour_factor=0, erase_factor=0, seed=0)
    masks = (photographs()[..., :1] > 128).astype("int32")
    data = {"images": masks * 255.0, "segmentation_masks": masks}
    outputs = layer(data)
    images = keras.ops.convert_to_numpy(outputs["images"])
    moved = keras.ops.convert_to_numpy(outputs["segmentation_masks"])
    assert moved.dtype == "int32"
    np.testing.assert_array_equal(images, moved * 255.0)
    assert not np.array_equal(moved, masks)
    erasing = PhotoAugmentation(colour_factor=0, erase_factor=1, seed=0)(data)
    behind = keras.ops.convert_to_numpy(erasing["segmentation_masks"])
    np.testing.assert_array_equal(behind, moved)


def test_boxes_follow_the_image():
    images = np.zeros((50, 40, 60, 1), "float32")
    images[:, 10:20, 15:40] = 255
    corners = np.tile(np.array([15, 10, 40, 20], "float32"), (50, 1, 1))
    data = {
        "images": images,
        "bounding_boxes": {"boxes": corners, "labels": np.ones((50, 1), "int32")},
    }
    layer = only(
        flip="horizontal_and_vertical", crop_factor=0.3, bounding_box_format="xyxy"
    )
    outputs = layer(data)
    for image, box in zip(
        keras.ops.convert_to_numpy(outputs["images"]),
        keras.ops.convert_to_numpy(outputs["bounding_boxes"]["boxes"])[:, 0],
        strict=True,
    ):
        rows, columns, _ = np.nonzero(image)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, seen)


def test_bytes_give_what_floats_give():
    images = photographs().astype("uint8")
    layer, same = PhotoAugmentation(seed=3), PhotoAugmentation(seed=3)
    np.testing.assert_array_equal(
        augment(layer, images), augment(same, images.astype("float32"))
    )


def test_channels_whose_number_is_unknown_are_read_alike():
    images = photographs()
    for channels in (1, 3):
        some = images[..., :channels]
        known = tf.data.Dataset.from_tensors(some)
        unknown = tf.data.Dataset.from_generator(
            lambda some=some: iter([some]),
            output_signature=tf.TensorSpec((None, None, None, None), "float32"),
        )
        (once,), (again,) = (d.map(PhotoAugmentation(seed=0)) for d in (known, unknown))
        np.testing.assert_allclose(once, again, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"flip": "diagonal"}, ValueError),
        ({"flip": True}, ValueError),
        ({"crop_factor": 1.5}, ValueError),
        ({"crop_factor": "0.1"}, TypeError),
        ({"colour_factor": (0.2, 0.1)}, ValueError),
        ({"colour_factor": float("nan")}, ValueError),
        ({"erase_factor": -0.1}, ValueError),
        ({"erase_factor": None}, TypeError),
        ({"fill_mode": "mirror"}, ValueError),
        ({"fill_value": float("inf")}, ValueError),
        ({"fill_value": -1}, ValueError),
        ({"value_range": (1, 0)}, ValueError),
        ({"seed": 1.5}, TypeError),
    ],
)
def test_bad_arguments(arguments, error):
    (name,) = arguments
    with pytest.raises(error, match=f"`{name}`.*Received: {name}="):
        PhotoAugmentation(**arguments)
