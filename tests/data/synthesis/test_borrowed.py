import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data.synthesis.borrowed import BorrowedGaussian, MovedDeviations

pytestmark = pytest.mark.once

# Class 0 is rare and near class 1; class 1 varies along the first axis alone, and
# class 2, far away, along the second.
COUNTS = (2, 60, 60)


def features(counts=COUNTS):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(counts)), counts)
    rows = np.array([[0, 0, 0], [0, 0, 3], [0, 0, 50]], "float32")[y]
    rows[y == 1, 0] += rng.normal(0, 4, counts[1])
    rows[y == 2, 1] += rng.normal(0, 4, counts[2])
    return rows[:, None, None], y


@pytest.mark.parametrize("kind", [MovedDeviations, BorrowedGaussian])
def test_a_rare_class_varies_as_its_neighbour_does(kind):
    x, y = features()
    made = kind(kb.data.LabelledImages(x, y), nearest=1).generate([0] * 500, seed=0)
    assert made.shape == (500, 1, 1, 3)
    assert made.dtype == "float32"
    rows = made.reshape(500, 3)
    np.testing.assert_allclose(rows.mean(axis=0), [0, 0, 0], atol=1)
    np.testing.assert_allclose(rows.std(axis=0), [4, 0, 0], atol=1)


def test_moved_deviations_are_real_ones():
    x, y = features()
    images = kb.data.LabelledImages(x, y)
    made = MovedDeviations(images, nearest=1).generate([0] * 200, seed=0)
    real = (x[y == 1, 0, 0] - x[y == 1, 0, 0].mean(axis=0)) * np.sqrt(60 / 59)
    real = real.clip(*images.value_range)  # the most extreme of them are cut to it
    distances = np.abs(made.reshape(200, 1, 3) - real).max(axis=2)
    assert (distances.min(axis=1) < 1e-5).all()


@pytest.mark.parametrize("kind", [MovedDeviations, BorrowedGaussian])
def test_few_images_vary_as_much_as_their_class(kind):
    rng, drawn = np.random.default_rng(0), []
    for seed in range(400):  # classes of three images, whose variance is 1
        x = rng.normal(size=(6, 1, 1, 4)).astype("float32")
        images = kb.data.LabelledImages(x, np.repeat([0, 1], 3))
        maker = kind(images, nearest=1)
        maker.images.value_range = (-100, 100)  # nothing is cut
        rows = maker.generate([0] * 20, seed=seed).reshape(20, 4)
        drawn.append(np.square(rows - x[:3, 0, 0].mean(axis=0)).mean())
    assert np.mean(drawn) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("kind", [MovedDeviations, BorrowedGaussian])
def test_a_class_of_one_image_varies_in_nothing_that_could_be_borrowed(kind):
    x, y = features((2, 1, 60))  # the nearest has a single image
    made = kind(kb.data.LabelledImages(x, y), nearest=1).generate([0] * 500, seed=0)
    deviations = made.reshape(500, 3) - x[:2, 0, 0].mean(axis=0)
    np.testing.assert_allclose(deviations.std(axis=0), [0, 4, 0], atol=1)


@pytest.mark.parametrize("name", ["moved", "gaussian"])
def test_by_name_with_names_for_labels_and_the_seed_decides(name):
    x, y = features()
    names = np.array(["ant", "bee", "cow"])[y]
    dataset, same = (
        kb.BalancedDataset(x, names, batch_size=180, synthesizer=name, seed=0)
        for _ in range(2)
    )
    images, labels = dataset[0]
    assert (labels == "ant").sum() == 60
    assert np.isfinite(images).all()
    np.testing.assert_array_equal(images, same[0][0])


@pytest.mark.parametrize("kind", [MovedDeviations, BorrowedGaussian])
def test_more_neighbours_than_classes_and_a_single_image(kind):
    x, y = features((1, 5, 5))
    made = kind(kb.data.LabelledImages(x, y), nearest=9).generate([0, 1, 0])
    assert np.isfinite(made).all()


def test_wrong_arguments():
    images = kb.data.LabelledImages(*features())
    with pytest.raises(ValueError, match="`nearest` must be at least 1"):
        MovedDeviations(images, nearest=0)
    with pytest.raises(ValueError, match="`labels` must hold labels among"):
        MovedDeviations(images).generate([7])
