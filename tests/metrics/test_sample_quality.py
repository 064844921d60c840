import numpy as np
import pytest
from scipy.spatial.distance import pdist

from keras_balance.metrics import sample_quality

pytestmark = pytest.mark.once


def digits_like(per_class, seed):
    """Three classes of images around three pictures."""
    rng = np.random.default_rng(seed)
    pictures = np.random.default_rng(0).random((3, 6, 6, 1)) * 200
    labels = np.repeat([0, 1, 2], per_class)
    noise = rng.normal(scale=15, size=(len(labels), 6, 6, 1))
    return (pictures[labels] + noise).astype("float32"), labels


def test_images_of_the_real_kind_score_one():
    real, real_labels = digits_like(60, seed=1)
    images, labels = digits_like(40, seed=2)
    quality = sample_quality(images, labels, real, real_labels)
    assert list(quality) == ["0", "1", "2"]
    for scores in quality.values():
        assert scores["agreement"] == 1
        assert scores["novelty"] == pytest.approx(1, abs=0.1)
        assert scores["diversity"] == pytest.approx(1, abs=0.1)
        assert scores["precision"] > 0.6
        assert scores["recall"] > 0.6
        assert scores["density"] == pytest.approx(1, abs=0.4)


def test_copies_collapse_and_mistakes_are_told_apart():
    real, real_labels = digits_like(60, seed=1)
    images, labels = digits_like(20, seed=2)
    images[labels == 0] = real[real_labels == 0][:20]
    images[labels == 1] = images[labels == 1][0]
    images[labels == 2] = digits_like(20, seed=3)[0][labels == 1]
    quality = sample_quality(images, labels, real, real_labels)
    assert quality["0"]["novelty"] == 0
    assert quality["0"]["diversity"] > 0.8
    assert quality["1"]["diversity"] < 0.01
    assert quality["1"]["recall"] < 0.1
    assert quality["2"]["agreement"] == 0
    assert quality["2"]["precision"] == 0


def test_novelty_is_the_same_in_any_order_of_the_real_images():
    real, _ = digits_like(120, seed=1)
    real[:240] = real[:240] * 0.1  # nearer to each other than the rest
    labels, images = np.zeros(360, int), real[::40] + 1
    found = [
        sample_quality(
            images,
            np.zeros(9, int),
            np.concatenate([ordered, -real]),
            np.concatenate([labels, labels + 1]),
        )
        for ordered in (real, real[::-1])
    ]
    assert found[0]["0"]["novelty"] == pytest.approx(found[1]["0"]["novelty"])


def test_diversity_is_of_the_root_of_mean_squared_distances():
    rng = np.random.default_rng(0)
    real, images = rng.exponential(40, (2, 30, 5, 5, 1))
    labels = np.repeat([0, 1], 15)
    quality = sample_quality(images, labels, real, labels)
    parts = [
        np.sqrt(np.mean(pdist(x[:15].reshape(15, -1)) ** 2)) for x in (images, real)
    ]
    assert quality["0"]["diversity"] == pytest.approx(parts[0] / parts[1], rel=1e-4)


def test_a_class_of_one_image_names_and_an_own_classifier():
    real, real_labels = digits_like(10, seed=1)
    names = np.array(["cat", "dog", "emu"])
    keep = np.r_[0:21]
    quality = sample_quality(
        real[:1],
        names[[0]],
        real[keep],
        names[real_labels[keep]],
        classifier=lambda batch: np.tile([0.2, 0.7, 0.1], (len(batch), 1)),
    )
    assert quality["cat"]["agreement"] == 0
    assert np.isnan(quality["cat"]["diversity"])


def test_a_class_that_the_real_images_lack_shifts_no_other():
    real, labels = digits_like(10, seed=1)
    one_hot = np.eye(5)[labels + 2]
    quality = sample_quality(real, one_hot, real, one_hot)
    assert {name: one["agreement"] for name, one in quality.items()} == {
        "2": 1,
        "3": 1,
        "4": 1,
    }


def test_bad_input_is_refused():
    real, labels = digits_like(5, seed=1)
    with pytest.raises(ValueError, match="same shape"):
        sample_quality(real[:, :5], labels, real, labels)
    with pytest.raises(ValueError, match=r"labels\[0\]=9"):
        sample_quality(real[:1], [9], real, labels)


def test_what_a_backbone_sees_takes_the_place_of_pixels():
    real, real_labels = digits_like(30, seed=1)
    images, labels = digits_like(20, seed=2)
    negatives = {"images": 255 - images, "labels": labels}

    def blind_to_sign(batch):
        return np.abs(batch - 127.5).reshape(len(batch), -1)

    pixels = sample_quality(**negatives, real_images=real, real_labels=real_labels)
    quality = sample_quality(
        **negatives,
        real_images=real,
        real_labels=real_labels,
        features=blind_to_sign,
    )
    assert pixels["0"]["novelty"] > 3
    assert [scores["agreement"] for scores in quality.values()] == [1, 1, 1]
    assert quality["0"]["novelty"] < 2


def test_large_pictures_in_colour_are_warned_of():
    x = np.random.default_rng(0).uniform(0, 255, (12, 40, 40, 3))
    y = np.repeat([0, 1], 6)
    with pytest.warns(UserWarning, match="sample_quality judges large pictures"):
        sample_quality(x, y, x, y)


def test_a_classifier_of_one_output_tells_two_classes_apart():
    real, real_labels = digits_like(20, seed=1)
    images, labels = digits_like(20, seed=2)
    real, real_labels = real[real_labels < 2], real_labels[real_labels < 2]
    images, labels = images[labels < 2], labels[labels < 2]
    right = (labels[:, None] * 0.8).astype("float32")
    parts = (images, labels, real, real_labels)
    quality = sample_quality(*parts, classifier=lambda images: right)
    assert [scores["agreement"] for scores in quality.values()] == [1, 1]
    with pytest.raises(ValueError, match=r"classifier\(images\)` must be a prob"):
        sample_quality(*parts, classifier=lambda images: right * 9)
