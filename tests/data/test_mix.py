import numpy as np
import pytest

from keras_balance.data.mix import Mix, read_mix

COUNTS = [90, 9, 1]


def batch(n=400, size=(6, 10), seed=0):
    """Class c fills its images with 10 ** c, so that a pixel tells whose it is."""
    classes = np.random.default_rng(seed).choice(3, n, p=[0.6, 0.3, 0.1])
    images = np.ones((n, *size, 2), "float32") * 10.0 ** classes[:, None, None, None]
    return images, classes


def apply(mix, images, classes, epoch=0, seed=1, **layout):
    generator = np.random.default_rng(seed)
    return mix.apply(images, classes, COUNTS, epoch, generator, **layout)


def pixel_shares(images):
    return np.stack([(images == 10**c).mean(axis=(1, 2, 3)) for c in range(3)], -1)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_labels_of_cutmix_are_the_shares_of_pixels(alpha):
    images, classes = batch()
    labels, _, _ = apply(Mix("cutmix", alpha=alpha), images, classes)
    assert labels.dtype == "float32"
    np.testing.assert_allclose(labels, pixel_shares(images), atol=1e-6)
    assert (labels.max(axis=1) < 1).sum() > 50


def test_labels_of_mixup_are_the_shares_of_the_blend():
    images, classes = batch()
    labels, _, _ = apply(Mix("mixup"), images, classes)
    blended = labels @ 10.0 ** np.arange(3)
    np.testing.assert_allclose(images[:, 0, 0, 0], blended, rtol=1e-5)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_partners_are_whole_images(kind):
    """One that is mixed itself is seen as it was before."""
    images, classes = batch()
    images += np.random.default_rng(0).uniform(0, 0.1, images.shape).astype("float32")
    before = images.copy()
    _, partners, shares = apply(Mix(kind, rate=1), images, classes)
    for i, (j, share) in enumerate(zip(partners, shares, strict=True)):
        if kind == "mixup":
            expected = before[i] * (1 - share) + before[j] * share
            np.testing.assert_allclose(images[i], expected, rtol=1e-5)
        else:
            pasted = images[i] != before[i]
            np.testing.assert_array_equal(images[i][pasted], before[j][pasted])
            assert i == j or pasted.mean() == pytest.approx(share)


def test_pasted_pixels_are_a_rectangle():
    images, classes = batch()
    before = images.copy()
    apply(Mix("cutmix", rate=1), images, classes)
    pasted = (images != before).all(axis=-1)
    rows, columns = pasted.any(axis=2), pasted.any(axis=1)
    np.testing.assert_array_equal(pasted, rows[:, :, None] & columns[:, None, :])
    assert pasted.any(axis=0).all()


def test_channels_first_is_the_transpose():
    for kind in ("mixup", "cutmix"):
        images, classes = batch()
        first = np.moveaxis(images, -1, 1).copy()
        labels, *_ = apply(Mix(kind), images, classes)
        same, *_ = apply(Mix(kind), first, classes, channels_last=False)
        np.testing.assert_array_equal(np.moveaxis(first, 1, -1), images)
        np.testing.assert_array_equal(same, labels)


def test_rare_partners_come_from_each_class_alike():
    counts = np.array([900, 90, 10])
    classes = np.repeat(np.arange(3), counts)
    images = np.zeros((1000, 2, 2, 1), "float32")
    shares = {}
    for partner in ("rare", "uniform"):
        mix = Mix("mixup", rate=1, partner=partner)
        generator = np.random.default_rng(0)
        _, partners, _ = mix.apply(images, classes, counts, 0, generator)
        shares[partner] = np.bincount(classes[partners], minlength=3) / 1000
    np.testing.assert_allclose(shares["rare"], 1 / 3, atol=0.05)
    np.testing.assert_allclose(shares["uniform"], counts / 1000, atol=0.05)


def test_share_of_images_that_are_mixed():
    images, classes = batch(4000)
    for rate in (0, 0.3, 1):
        _, _, shares = apply(Mix("mixup", rate=rate), images.copy(), classes)
        assert (shares > 0).mean() == pytest.approx(rate, abs=0.03)


def test_nothing_is_mixed_from_an_epoch_on():
    mix = Mix("cutmix", rate=1, until_epoch=2)
    for epoch, mixed in [(0, True), (1, True), (2, False), (7, False)]:
        images, classes = batch()
        labels, _, shares = apply(mix, images, classes, epoch)
        assert (shares > 0).any() == mixed
        if not mixed:
            np.testing.assert_array_equal(labels, np.eye(3)[classes])
            np.testing.assert_array_equal(images, batch()[0])


def test_one_image_alone():
    images, classes = batch(1)
    labels, _, _ = apply(Mix("cutmix", rate=1), images, classes)
    np.testing.assert_allclose(labels, np.eye(3)[classes])


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


def test_mix_by_name():
    assert read_mix("cutmix") == Mix("cutmix")
    assert read_mix(None) is None
    with pytest.raises(ValueError, match=r"`mix`.*Received: mix="):
        read_mix("cutout")
    with pytest.raises(TypeError, match=r"`mix`.*Received: mix="):
        read_mix(0.5)
