import numpy as np

from keras_balance.metrics.features import Features
from keras_balance.models.training import selection


def blobs(per_class, spread, seed):
    """Two classes of images around two different pictures."""
    rng = np.random.default_rng(seed)
    pictures = np.random.default_rng(0).random((2, 6, 6, 1)) * 200
    labels = np.repeat([0, 1], per_class)
    noise = rng.normal(scale=spread, size=(len(labels), 6, 6, 1))
    return (pictures[labels] + noise).astype("float32"), labels


def test_useful_images_score_higher_than_mislabelled_ones():
    real, labels = blobs(30, 20, seed=1)
    images, wanted = blobs(30, 20, seed=2)
    assert selection.usefulness(images, wanted, real, labels) > 0.95
    assert selection.usefulness(images, 1 - wanted, real, labels) < 0.05


def test_images_are_judged_by_what_features_show_of_them():
    real, labels = blobs(30, 20, seed=1)
    images, wanted = blobs(30, 20, seed=2)
    batches = []
    rng = np.random.default_rng(3)

    def blind(batch):
        batches.append(batch)
        return rng.normal(size=(len(batch), 2)).astype("float32")

    features = Features(blind)
    for _ in range(2):
        assert selection.usefulness(images, wanted, real, labels, features) < 0.7
    assert len(batches) == 3 * 2  # the real images once


def test_images_that_are_all_alike_are_as_good_as_chance():
    real, labels = blobs(30, 20, seed=1)
    assert selection.usefulness(np.zeros_like(real), labels, real, labels) == 0.5


def test_diversity_is_one_for_real_images_and_zero_for_a_collapsed_class():
    real, labels = blobs(200, 20, seed=1)
    images, wanted = blobs(200, 20, seed=2)
    images[wanted == 1] = images[-1]
    values = selection.diversity(images, wanted, real, labels, 2)
    np.testing.assert_allclose(values, [1, 0], atol=0.05)


def test_a_class_of_one_real_image_is_held_against_the_others():
    real, labels = blobs(50, 20, seed=1)
    keep = np.r_[0:50, 50]
    images, wanted = blobs(50, 20, seed=2)
    values = selection.diversity(images, wanted, real[keep], labels[keep], 2)
    np.testing.assert_allclose(values, [1, 1], atol=0.1)
