"""Functions from an image to an image as fillings."""

import random

import numpy as np
import pytest

import keras_balance as kb

X = np.random.default_rng(0).integers(0, 100, (20, 4, 6, 3)).astype("uint8")
Y = np.repeat([0, 1], [15, 5])


def shifted(image):
    assert image.dtype == np.uint8
    assert image.shape == (4, 6, 3)
    return image + np.random.randint(100) + random.random()  # noqa: NPY002


class Compose:
    """Called as a Compose of albumentations is."""

    def set_random_seed(self, seed):
        self.generator = np.random.default_rng(seed)

    def __call__(self, *arguments, force_apply=False, **data):
        return {"image": data["image"] + self.generator.integers(100)}


def made(synthesizer, seed=0, x=X, **options):
    dataset = kb.BalancedDataset(
        x, Y, synthesizer=synthesizer, shuffle=False, seed=seed, **options
    )
    return dataset[0][0][20:]


@pytest.mark.parametrize("function", [shifted, Compose()])
def test_a_function_is_seeded(function):
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.get_state()[1][:5].tolist()  # noqa: NPY002
    first = made(function)
    assert np.random.get_state()[1][:5].tolist() == expected  # noqa: NPY002
    np.testing.assert_array_equal(made(function), first)
    assert (made(function, seed=1) != first).any()
    assert len(first) == 10


def test_it_sees_channels_last():
    turned = X.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(
        made(shifted, x=turned, data_format="channels_first").transpose(0, 2, 3, 1),
        made(shifted),
    )


def test_in_a_mixture_and_as_a_candidate():
    assert len(made({shifted: 1, "repeat": 1})) == 10
    auto = kb.tuners.AutoSynthesizer(
        {"repeat": None, "own": shifted, "fitted": lambda x, y, seed: "repeat"},
        folds=2,
        verbose=0,
    )
    made(auto)
    assert auto.choice in ("repeat", "own", "fitted")


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda image: image[:2], ValueError, "keep the shape"),
        (lambda image: image * np.nan, ValueError, "finite"),
        (lambda image: {"image": image}, TypeError, "return an image.*of type dict"),
        (lambda image: [[0, 1], [2]], TypeError, "return an image.*of type list"),
    ],
)
def test_what_it_returns_is_checked(function, error, text):
    with pytest.raises(error, match=text):
        made(function)


def test_a_compose_of_albumentations(monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")  # else it asks the network
    albumentations = pytest.importorskip("albumentations")
    compose = albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.RandomBrightnessContrast(p=0.8),
        ]
    )
    first = made(compose)
    np.testing.assert_array_equal(made(compose), first)
    assert (made(compose, seed=1) != first).any()
    assert not np.isin(first.reshape(10, -1), X.reshape(20, -1)).all()
    auto = kb.tuners.AutoSynthesizer(
        {"repeat": None, "own": compose}, folds=2, seed=0, verbose=0
    )
    made(auto)
    assert len(auto.scores["own"]) == 2
    kb.data.registry.register("own", lambda images, seed: compose, rank=45)
    try:
        np.testing.assert_array_equal(made("own"), first)
    finally:
        kb.data.registry.unregister("own")
