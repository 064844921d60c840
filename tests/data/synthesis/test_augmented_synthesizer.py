import keras
import numpy as np
import pytest

from keras_balance.data import (
    AugmentedSynthesizer,
    BalancedDataset,
    FilteredSynthesizer,
)
from keras_balance.layers import RandomGaussianNoise


class Grey:
    """Makes images of 100 plus their label."""

    def generate(self, labels, seed=None):
        return (
            np.ones((len(labels), 4, 4, 1))
            * (100 + np.asarray(labels))[:, None, None, None]
        )


def test_augments_what_the_synthesizer_makes():
    both = AugmentedSynthesizer(Grey(), RandomGaussianNoise(0.1, seed=0))
    images = both.generate(np.full(200, 7), seed=1)
    assert images.dtype == "float32"
    assert images.mean() == pytest.approx(107, abs=1)
    assert images.std() == pytest.approx(25.5, abs=1.5)


def test_the_seed_decides():
    both = AugmentedSynthesizer(Grey(), RandomGaussianNoise(0.1, seed=0))
    first = both.generate([0, 1], seed=1)
    np.testing.assert_array_equal(first, both.generate([0, 1], seed=1))
    assert np.abs(first - both.generate([0, 1], seed=2)).max() > 1


def test_feeds_a_balanced_dataset():
    x, y = np.full((10, 4, 4, 1), 50, "uint8"), np.array([0] * 8 + [1] * 2)
    both = AugmentedSynthesizer(Grey(), RandomGaussianNoise(0.01, seed=0))
    images, labels = BalancedDataset(x, y, 16, synthesizer=both, seed=0)[0]
    assert np.bincount(labels).tolist() == [8, 8]
    assert (np.abs(images - 101).max(axis=(1, 2, 3)) < 25).sum() == 6


def test_wrong_parts_are_refused():
    with pytest.raises(TypeError, match="`synthesizer` must have `generate"):
        AugmentedSynthesizer(keras.layers.RandomFlip(), RandomGaussianNoise())
    with pytest.raises(TypeError, match="layer='manual'"):
        AugmentedSynthesizer(Grey(), "manual")


@pytest.mark.once
def test_the_layout_is_found_through_a_filter():
    class Left:
        """Images, channels first, whose left half is bright."""

        data_format = "channels_first"

        def generate(self, labels, seed=None):
            images = np.zeros((len(labels), 1, 4, 4), "float32")
            images[..., :2] = 200
            return images

    def even(images):
        return np.ones((len(images), 2))

    inner = FilteredSynthesizer(Left(), judge=even)
    flip = keras.layers.RandomFlip("horizontal", seed=0)
    made = AugmentedSynthesizer(inner, flip).generate([0] * 20, seed=0)
    sides = made[:, 0, :, 0].mean(axis=1)
    assert set(sides) == {0, 200}
    assert (made[:, 0] == made[:, 0, :1]).all()  # rows are alike
