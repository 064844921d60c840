import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_balance.models.generators.class_gaussians import (
    ClassGaussians,
    fit_class_gaussians,
    sample_class_gaussians,
    typical_radius,
)

pytestmark = pytest.mark.once


def draw_codes(counts, dimensions, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = rng.normal(size=(len(counts), dimensions)) * 5
    return centres[labels] + rng.normal(size=(len(labels), dimensions)), labels


@settings(max_examples=20, deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    dimensions=st.integers(1, 40),
    shrinkage=st.one_of(st.just("auto"), st.floats(0, 1)),
)
def test_every_class_has_a_finite_factor_of_full_rank(counts, dimensions, shrinkage):
    codes, labels = draw_codes(counts, dimensions)
    means, factors = fit_class_gaussians(codes, labels, len(counts), shrinkage)
    assert means.shape == (len(counts), dimensions)
    assert np.isfinite(factors).all()
    assert (np.diagonal(factors, axis1=1, axis2=2) > 0).all()
    assert np.allclose(np.triu(factors, 1), 0)


def test_a_rare_class_borrows_the_spread_of_the_others():
    codes, labels = draw_codes([300, 300, 3], dimensions=8)
    _, factors = fit_class_gaussians(codes, labels, 3)
    covariance = factors[2] @ factors[2].T
    assert np.linalg.eigvalsh(covariance).min() > 0.4  # three images span a plane
    _, own = fit_class_gaussians(codes, labels, 3, shrinkage=0)
    assert np.linalg.eigvalsh(own[2] @ own[2].T).min() < 1e-4


def test_samples_have_the_mean_and_the_covariance_of_their_class():
    means = np.array([[0.0, 0.0], [10.0, -5.0]], "float32")
    factors = np.array([[[1, 0], [0, 1]], [[2, 0], [1, 0.5]]], "float32")
    labels = np.repeat([0, 1], 20_000)
    codes = sample_class_gaussians(
        means, factors, labels, np.inf, np.random.default_rng(0)
    )
    assert codes.dtype == "float32"
    for c in (0, 1):
        own = codes[labels == c]
        np.testing.assert_allclose(own.mean(axis=0), means[c], atol=0.05)
        np.testing.assert_allclose(np.cov(own.T), factors[c] @ factors[c].T, atol=0.15)


def test_no_sample_lies_beyond_the_radius():
    codes, labels = draw_codes([50, 50], dimensions=6)
    means, factors = fit_class_gaussians(codes, labels, 2)
    radius = typical_radius(codes, labels, means, factors, quantile=0.5)
    drawn = sample_class_gaussians(
        means, factors, labels, radius, np.random.default_rng(0)
    )
    furthest = typical_radius(drawn, labels, means, factors, quantile=1.0)
    assert furthest == pytest.approx(radius, rel=1e-3)


def test_tensors_are_drawn_as_arrays_are():
    codes, labels = draw_codes([50, 3], dimensions=6)
    gaussians = ClassGaussians(truncation=0.5)
    gaussians.make_weights(2, 6)
    gaussians.fit(codes, labels)
    wanted = np.array([0, 1, 1, 0])
    noise = np.random.default_rng(1).standard_normal((4, 6)).astype("float32")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(gaussians.transform(noise, wanted)),
        gaussians.draw(wanted, np.random.default_rng(1)),
        rtol=1e-4,
        atol=1e-4,
    )


def test_a_part_belongs_to_one_generator():
    gaussians = ClassGaussians()
    gaussians.make_weights(2, 6)
    with pytest.raises(ValueError, match="one generator"):
        gaussians.make_weights(2, 6)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"shrinkage": 2}, ValueError, "shrinkage=2"),
        ({"widening": -1}, ValueError, "widening=-1"),
        ({"truncation": "a"}, TypeError, "truncation='a'"),
    ],
)
def test_arguments_are_checked(arguments, error, text):
    with pytest.raises(error, match=text):
        ClassGaussians(**arguments)


def test_memory_does_not_grow_with_a_factor_for_each_label():
    codes, labels = draw_codes([2000, 2000], dimensions=50)
    means, factors = fit_class_gaussians(codes, labels, 2)
    tracemalloc.start()
    try:
        drawn = sample_class_gaussians(
            means, factors, labels, np.inf, np.random.default_rng(0)
        )
        typical_radius(codes, labels, means, factors, quantile=0.9)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16e6  # the factors of all labels are 40 MB
    noise = np.random.default_rng(0).standard_normal(codes.shape).astype("float32")
    expected = means[labels] + np.einsum("nij,nj->ni", factors[labels], noise)
    np.testing.assert_allclose(drawn, expected, atol=1e-4)
