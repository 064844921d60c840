import keras
import numpy as np
import pytest

from keras_balance.data import BalancedDataset, FilteredSynthesizer


class Random:
    """Every image is one number; the judge likes great ones."""

    class_names = ("ant", "bee")

    def generate(self, labels, seed=None):
        numbers = np.random.default_rng(seed).uniform(0, 1, len(labels))
        return np.broadcast_to(numbers[:, None, None, None], (len(labels), 2, 2, 1))

    def discriminate(self, images):
        real = images[:, 0, 0, 0]
        return np.stack([real, real**2, 1 - real], axis=1)


def test_keeps_the_best_of_each_class():
    labels = np.array(["bee", "ant", "bee"] * 50)
    filtered = FilteredSynthesizer(Random(), keep=0.25)
    images = filtered.generate(labels, seed=1)
    assert images.shape == (150, 2, 2, 1)
    assert images.mean() > 0.8
    for name in ("ant", "bee"):
        assert len(np.unique(images[labels == name])) == (labels == name).sum()
    np.testing.assert_array_equal(images, filtered.generate(labels, seed=1))
    everything = FilteredSynthesizer(Random(), keep=1).generate(labels, seed=1)
    assert 0.4 < everything.mean() < 0.6


def test_own_judge_looks_at_the_column_of_the_class():
    filtered = FilteredSynthesizer(
        Random(),
        judge=lambda images: np.stack([images[:, 0, 0, 0], -images[:, 0, 0, 0]], 1),
        class_names=[7, 3],
        keep=0.1,
    )
    images = filtered.generate([7] * 20 + [3] * 20, seed=1)
    assert images[:20].min() > 0.8
    assert images[20:].max() < 0.2


def test_a_model_judges():
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, "softmax"))
    filtered = FilteredSynthesizer(Random(), judge=model)
    assert filtered.generate(["ant", "bee"], seed=1).shape == (2, 2, 2, 1)


def test_feeds():
    x = np.zeros((20, 2, 2, 1), "float32")
    y = np.array(["ant"] * 15 + ["bee"] * 5)
    dataset = BalancedDataset(
        x, y, 40, synthesizer=FilteredSynthesizer(Random()), seed=0
    )
    images, labels = dataset[0]
    assert (images[labels == "bee"] > 0).any(axis=(1, 2, 3)).sum() == 10


def test_errors():
    with pytest.raises(TypeError, match="generate"):
        FilteredSynthesizer(3)
    with pytest.raises(ValueError, match="keep=0"):
        FilteredSynthesizer(Random(), keep=0)

    class NoJudge:
        def generate(self, labels, seed=None):
            return None

    with pytest.raises(TypeError, match="judge=None"):
        FilteredSynthesizer(NoJudge())


def test_one_output_judges_two_classes():
    def one(images):
        return images[:, 0, 0]

    filtered = FilteredSynthesizer(Random(), judge=one, keep=0.1)
    images = filtered.generate(["ant"] * 20 + ["bee"] * 20, seed=1)
    assert images[:20].max() < 0.2
    assert images[20:].min() > 0.8
    logits = FilteredSynthesizer(Random(), judge=lambda images: 4 + one(images))
    with pytest.raises(ValueError, match=r"judge\(images\)` must be a probability"):
        logits.generate(["ant"], seed=1)
