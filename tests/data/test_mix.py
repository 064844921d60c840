import numpy as np
import pytest

from keras_balance.data.mix import Mix, read_mix
from keras_balance.utils.labels import read_labels

COUNTS = [90, 9, 1]


def batch(n=400, size=(6, 10), seed=0):
    """Class c fills its images with 10 ** c, so that a pixel tells whose it is."""
    classes = np.random.default_rng(seed).choice(3, n, p=[0.6, 0.3, 0.1])
    images = np.ones((n, *size, 2), "float32") * 10.0 ** classes[:, None, None, None]
    return images, classes


def apply(mix, images, classes, epoch=0, data_format="channels_last", counts=COUNTS):
    """Labels, and per image whether it was changed at all."""
    before = images.copy()
    labels, _ = mix.apply(
        images, classes, counts=counts, place=(0, epoch, 0), data_format=data_format
    )
    return labels, (images != before).any(axis=(1, 2, 3))


def pixel_shares(images):
    return np.stack([(images == 10**c).mean(axis=(1, 2, 3)) for c in range(3)], -1)


def marked(n=60, size=(6, 10)):
    """Images that tell their place in the batch, of three classes."""
    images = np.broadcast_to(np.arange(n)[:, None, None, None], (n, *size, 2))
    return images.astype("float32"), np.arange(n) % 3


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_labels_of_cutmix_are_the_shares_of_pixels(alpha):
    images, classes = batch()
    labels, _ = apply(Mix("cutmix", alpha=alpha), images, classes)
    assert labels.dtype == "float32"
    np.testing.assert_allclose(labels, pixel_shares(images), atol=1e-6)
    assert (labels.max(axis=1) < 1).sum() > 50


def test_labels_of_mixup_are_the_shares_of_the_blend():
    images, classes = batch()
    labels, _ = apply(Mix("mixup"), images, classes)
    blended = labels @ 10.0 ** np.arange(3)
    np.testing.assert_allclose(images[:, 0, 0, 0], blended, rtol=1e-5)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


def test_what_is_pasted_is_a_rectangle_of_a_whole_partner():
    """One that is mixed itself is seen as it was before."""
    images, classes = marked()
    labels, changed = apply(Mix("cutmix", rate=1), images, classes)
    assert changed.sum() > 40
    for place in np.flatnonzero(changed):
        pasted = images[place] != place
        (partner,) = np.unique(images[place][pasted])
        rows, columns = pasted.any(axis=(1, 2)), pasted.any(axis=(0, 2))
        rectangle = rows[:, None, None] & columns[None, :, None]
        np.testing.assert_array_equal(pasted, rectangle & np.ones(2, bool))
        if classes[place] != classes[int(partner)]:
            share = labels[place, classes[int(partner)]]
            assert pasted.mean() == pytest.approx(share)


def test_rectangles_lie_anywhere():
    images, classes = marked(600)
    apply(Mix("cutmix", rate=1), images, classes)
    pasted = (images != np.arange(600)[:, None, None, None]).mean(axis=0)
    assert pasted.min() > 0.1


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_channels_first_is_the_transpose(kind):
    images, classes = batch()
    first = np.moveaxis(images, -1, 1).copy()
    labels, _ = apply(Mix(kind), images, classes)
    same, _ = apply(Mix(kind), first, classes, data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), images)
    np.testing.assert_array_equal(same, labels)


@pytest.mark.parametrize("partner", ["rare", "uniform"])
def test_rare_partners_come_from_each_class_alike(partner):
    counts = np.array([900, 90, 10])
    images, _ = marked(1000)
    classes = np.repeat(np.arange(3), counts)
    mix = Mix("cutmix", rate=1, partner=partner, alpha=50)
    apply(mix, images, classes, counts=counts)
    # The middle row of pixels is the partner's in about half of its columns.
    pixels = images[:, 3, :, 0].astype(int)
    partners = pixels[pixels != np.arange(1000)[:, None]]
    shares = np.bincount(classes[partners], minlength=3) / len(partners)
    expected = [1 / 3] * 3 if partner == "rare" else counts / 1000
    np.testing.assert_allclose(shares, expected, atol=0.06)


@pytest.mark.parametrize("rate", [0, 0.3, 1])
def test_share_of_images_that_are_mixed(rate):
    images, classes = marked(2000)
    _, changed = apply(Mix("mixup", rate=rate), images, classes)
    assert changed.mean() == pytest.approx(rate, abs=0.04)


def test_nothing_is_mixed_from_an_epoch_on():
    mix = Mix("cutmix", rate=1, until_epoch=2)
    for epoch, mixed in [(0, True), (1, True), (2, False), (7, False)]:
        images, classes = batch()
        labels, changed = apply(mix, images, classes, epoch)
        assert changed.any() == mixed
        if not mixed:
            np.testing.assert_array_equal(labels, np.eye(3)[classes])


def test_one_image_alone():
    images, classes = batch(1)
    labels, _ = apply(Mix("cutmix", rate=1), images, classes)
    np.testing.assert_allclose(labels, np.eye(3)[classes])


def test_weights_are_mixed_as_the_labels_are():
    images, classes = batch()
    weights = np.array([1.0, 4.0, 16.0], "float32")[classes]
    labels, mixed = Mix("mixup").apply(
        images,
        classes,
        weights,
        counts=COUNTS,
        place=(0, 0, 0),
        data_format="channels_last",
    )
    assert mixed.dtype == "float32"
    np.testing.assert_allclose(mixed, labels @ [1.0, 4.0, 16.0], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"kind": "mosaic"}, ValueError),
        ({"alpha": 0}, ValueError),
        ({"alpha": float("inf")}, ValueError),
        ({"alpha": "1"}, TypeError),
        ({"rate": 1.1}, ValueError),
        ({"rate": float("nan")}, ValueError),
        ({"rate": True}, TypeError),
        ({"partner": "frequent"}, ValueError),
        ({"until_epoch": -1}, ValueError),
        ({"until_epoch": 1.5}, TypeError),
    ],
)
def test_bad_arguments(arguments, error):
    (name,) = arguments
    with pytest.raises(error, match=f"`{name}`.*Received: {name}="):
        Mix(**({"kind": "mixup"} | arguments))


def read(mix, labels=(0, 1, 2)):
    return read_mix(mix, read_labels(np.array(labels))[1])


def test_mix_by_name():
    assert read("cutmix") == Mix("cutmix")
    assert read(None) is None
    assert read("mixup", ["a", "b", "c"]) == Mix("mixup")
    with pytest.raises(ValueError, match=r"`mix`.*Received: mix="):
        read("cutout")
    with pytest.raises(TypeError, match=r"`mix`.*Received: mix="):
        read(0.5)


def test_two_classes_called_by_strings_are_not_mixed():
    with pytest.raises(ValueError, match="called by strings"):
        read("cutmix", ["no", "yes"])
    assert read(None, ["no", "yes"]) is None
