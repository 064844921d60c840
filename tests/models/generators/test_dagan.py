import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset, LabelledImages
from keras_balance.models import DAGAN
from keras_balance.models.training.feeding import PairedBatches, array_feed
from small_data import class_images
from small_models import EAGERLY

pytestmark = [
    pytest.mark.once,  # test_generator_contract.py has a small form on every backend
    # Stripes, and what is made of them after a few steps, differ by their direction.
    pytest.mark.filterwarnings("ignore:Generated images of class"),
]


def stripes(per_class, along, seed):
    """Images of one bright row, or column, at any place."""
    places = np.random.default_rng(seed).integers(1, 7, per_class)
    images = np.zeros((per_class, 8, 8, 1), "uint8")
    for image, place in zip(images, places, strict=True):
        (image if along == "rows" else image.swapaxes(0, 1))[place] = 200
    return images


@pytest.fixture(scope="module")
def fitted():
    x = np.concatenate([stripes(20, "rows", 0), stripes(20, "columns", 1)])
    y = np.repeat([0, 1], 20)
    dagan = DAGAN((8, 8, 1), 2, noise_dim=3, examples=4, augmentation=None, seed=0)
    dagan.compile(keras.optimizers.Adam(3e-3), kl_weight=0.1, run_eagerly=EAGERLY)
    dagan.fit(x, y, autoencoder_epochs=60, epochs=1, batch_size=40, verbose=0)
    return dagan


def test_moves_what_it_starts_from_and_keeps_its_class(fitted):
    x = np.repeat(stripes(1, "rows", seed=3), 40, axis=0)
    made = fitted.vary(x, seed=0)[..., 0]
    assert made.shape == x.shape[:3]
    rows, columns = made.mean(axis=2), made.mean(axis=1)
    assert rows.std(axis=1).mean() > 5 * columns.std(axis=1).mean()
    assert len(set(rows.argmax(axis=1))) > 1  # another place each time
    np.testing.assert_array_equal(made, fitted.vary(x, seed=0)[..., 0])


def test_draws_of_classes_it_was_not_trained_on(fitted):
    dark, bright = np.zeros((3, 8, 8, 1), "uint8"), np.full((3, 8, 8, 1), 200, "uint8")
    x, y = np.concatenate([dark, bright]), np.repeat(["dark", "bright"], 3)
    made = fitted.generate(["bright", "dark", "bright"], seed=1, images=(x, y))
    means = made.mean(axis=(1, 2, 3))
    assert means[1] < means[0]
    assert means[1] < means[2]
    with pytest.raises(ValueError, match="labels"):
        fitted.generate(["grey"], images=(x, y))


def test_fills_classes_that_it_was_not_trained_on(fitted):
    x = np.concatenate([stripes(6, "rows", 4), stripes(2, "columns", 5)])
    few = x, np.repeat(["along", "down"], [6, 2])
    feed = BalancedDataset(
        *few, synthesizer=fitted.starting_from(few), shuffle=False, seed=0
    )
    assert feed.class_counts == {"along": 6, "down": 6}
    made = feed[0][0][8:, ..., 0]  # the synthetic ones follow, of the second class
    rows, columns = made.mean(axis=2), made.mean(axis=1)
    assert (columns.std(axis=1) > rows.std(axis=1)).all()


def test_the_images_that_judge_are_not_those_that_are_drawn_from(fitted):
    labels = np.repeat([0, 1], [7, 1])
    images = np.arange(8)
    chosen = np.concatenate(fitted._chosen(labels, half=True))
    unseen, _ = fitted.unseen(images, labels)
    assert set(unseen) == set(images) - set(chosen[chosen < 7]) | {7}
    assert len(unseen) == 4


def test_keeps_as_many_examples_as_there_is_room_for(fitted):
    np.testing.assert_array_equal(np.asarray(fitted.kept_counts), [4, 4])


def test_images_on_another_scale_are_refused(fitted):
    x, y = stripes(3, "rows", 6) / 255, np.arange(3)
    match = r"in value_range=\(0.0, 255.0\).*Received: images from 0 to 0.78"
    with pytest.raises(ValueError, match=match):
        fitted.vary(x)
    with pytest.raises(ValueError, match=match):
        fitted.generate([0], images=(x, y))
    with pytest.raises(ValueError, match=match):
        fitted.starting_from((x, y)).generate([0])


def test_the_second_image_of_a_pair_is_another_one():
    """Where the class has another one."""
    x, y = class_images((40, 2, 1))
    images = LabelledImages(x, y)
    pairs = PairedBatches(array_feed(images, 64, True, 0), images, 0)
    for index in range(len(pairs)):
        both, labels = pairs[index]
        firsts, seconds = np.split(both, 2)
        alike = (firsts == seconds).all(axis=(1, 2, 3))
        np.testing.assert_array_equal(alike, np.split(labels, 2)[0] == 2)
        np.testing.assert_array_equal(both, pairs[index][0])


def test_images_to_start_from_have_the_layout_of_the_model():
    dagan = DAGAN((3, 8, 8), 2, data_format="channels_first")
    real = dagan.starting_from((np.zeros((4, 3, 8, 8)), [0, 0, 1, 1])).images
    assert real.data_format == "channels_first"
