import keras
import numpy as np
import pytest

from keras_balance.metrics.features import (
    Features,
    backbone_rows,
    pixel_rows,
    principal_components,
    warn_of_pixels,
)
from keras_balance.utils.files import write_sealed
from keras_balance.utils.plain_data import to_bytes


def noise(n=5, sides=(8, 8), channels=1):
    return np.random.default_rng(0).integers(0, 256, (n, *sides, channels), "uint8")


def mean_and_spread(images):
    return np.stack([images.mean(axis=(1, 2, 3)), images.std(axis=(1, 2, 3))], axis=1)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_large_pictures_are_shrunk(data_format):
    x = noise(4, (100, 20))
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(data_format)
    try:
        if data_format == "channels_first":
            x = x.transpose(0, 3, 1, 2)
        rows = Features()(x)
        assert rows.shape == (4, 32 * 20)
        assert rows.dtype == "float32"
    finally:
        keras.config.set_image_data_format(before)


def test_small_pictures_stay_as_they_are():
    x = noise(sides=(32, 32))
    np.testing.assert_array_equal(pixel_rows(x, 32), x.reshape(5, -1))


def test_each_image_once_whatever_its_dtype_and_order():
    x, seen = noise(), []

    def backbone(images):
        seen.append(images)
        return mean_and_spread(images)

    features = Features(backbone)
    rows = features(x)
    np.testing.assert_allclose(rows, mean_and_spread(x), rtol=1e-6)
    again = features(x[[3, 3, 0]].astype("float32"))
    np.testing.assert_array_equal(again, rows[[3, 3, 0]])
    assert len(seen) == 1
    features(np.concatenate([x, 255 - x[:1]]))
    assert [len(images) for images in seen] == [8, 1]


def test_images_of_the_same_pixels_and_another_shape_are_others():
    features = Features(lambda images: np.full((len(images), 1), images.shape[1]))
    rows = [features(np.zeros((1, height, 64 // height, 1))) for height in (4, 8)]
    assert [row.item() for row in rows] == [4, 8]


def test_what_does_not_fit_is_computed_again(monkeypatch):
    monkeypatch.setattr("keras_balance.metrics.features._MOST_KEPT", 3 * 8)
    features = Features(mean_and_spread)
    rows = features(noise())
    np.testing.assert_array_equal(features(noise()), rows)
    assert len(features._kept) == 3


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_file_of_something_else_is_no_cache(tmp_path, is_sealed):
    path = tmp_path / "mine"
    if is_sealed:
        write_sealed(path, to_bytes({"epoch": 3}))  # such as a backup
    else:
        path.write_bytes(b"file,class\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="mine"):
        Features(mean_and_spread, cache=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("length", [0, 9, 40, -1])
def test_a_cache_that_is_cut_off_begins_anew(tmp_path, length):
    path = tmp_path / "features"
    features = Features(mean_and_spread, cache=path)
    features(noise())
    features.save()
    path.write_bytes(path.read_bytes()[:length])
    with pytest.warns(UserWarning, match="begins anew"):
        again = Features(mean_and_spread, cache=path)
    again(noise())
    again.save()
    assert len(Features(mean_and_spread, cache=path)._kept) == 5


def test_a_keras_model_and_uneven_batches():
    images = keras.Input((8, 8, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(images)
    model = keras.Model(images, keras.layers.Rescaling(1 / 255)(pooled))
    x = noise(67)
    rows = backbone_rows(model, x)
    assert rows.dtype == "float32"
    np.testing.assert_allclose(rows, x.mean(axis=(1, 2)) / 255, rtol=1e-4)


@pytest.mark.parametrize(
    "backbone", [lambda x: x, lambda x: x.mean(), lambda x: x[0, 0, 0], lambda x: None]
)
def test_a_backbone_that_gives_no_vectors(backbone):
    with pytest.raises(ValueError, match=r"must turn n images into vectors \(n, d\)"):
        Features(backbone)(noise())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite(value):
    def backbone(images):
        rows = mean_and_spread(images)
        rows[2, 1] = value
        return rows

    with pytest.raises(ValueError, match=f"Received: {value} as number 1 of image 2"):
        Features(backbone)(noise())


def test_a_backbone_that_cannot_be_called():
    with pytest.raises(TypeError, match="Received: features='resnet'"):
        Features("resnet")


def test_components_are_at_most_fifty_and_no_more_than_there_are():
    assert principal_components(np.zeros((80, 90))).n_components == 50
    assert principal_components(np.zeros((80, 3))).n_components == 3
    assert principal_components(np.zeros((7, 90))).n_components == 6


@pytest.mark.parametrize(
    ("shape", "solver"),
    [
        ((1024, 1024), "covariance_eigh"),
        ((1023, 1024), "auto"),
        ((2000, 1025), "auto"),
    ],
)
def test_components_of_small_pictures_are_exact(shape, solver):
    assert principal_components(np.empty(shape)).svd_solver == solver


@pytest.mark.parametrize(
    ("sides", "channels", "warned"),
    [((33, 33), 3, True), ((32, 32), 3, False), ((224, 224), 1, False)],
)
def test_pixels_of_photographs_are_warned_of(sides, channels, warned, recwarn):
    warn_of_pixels((1, *sides, channels), "AutoSynthesizer")
    found = [str(warning.message) for warning in recwarn]
    assert len(found) == warned
    assert not warned or "Give `features=`" in found[0]


def test_a_folder_that_cannot_be_made_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the place of a folder")
    with pytest.raises(OSError, match="file"):
        Features(mean_and_spread, cache=tmp_path / "file" / "cache")
