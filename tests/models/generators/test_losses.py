import keras
import numpy as np
import pytest

from keras_balance.models.generators import variational
from keras_balance.models.generators.cvae_gan import losses
from keras_balance.models.generators.dagan import steps


def value(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def floats(*rows):
    return keras.ops.convert_to_tensor(np.array(rows, "float32"))


def test_divergence_from_the_prior():
    assert value(variational.kl_divergence(floats([0, 0]), floats([0, 0]))) == 0
    # 0.5 (m^2 + s^2 - log s^2 - 1), summed over the code, averaged over the batch.
    loss = variational.kl_divergence(
        floats([1, 0], [3, 0]), floats([0, 0], [0, np.log(4)])
    )
    assert value(loss) == pytest.approx((0.5 + 4.5 + 0.5 * (3 - np.log(4))) / 2)


def test_likelihood_knows_no_weight():
    """Ten times the error costs D / 2 log 100 more, whatever the error was."""
    ones, tens = (
        variational.negative_log_likelihood(keras.ops.convert_to_tensor(error), 16)
        for error in (0.01, 1.0)
    )
    assert value(tens - ones) == pytest.approx(8 * np.log(100), rel=1e-2)


def test_class_means_are_matched_within_classes():
    classes = floats([1, 0, 0], [1, 0, 0], [0, 1, 0])
    real = floats([0, 0], [2, 2], [5, 5])
    swapped = floats([2, 2], [0, 0], [5, 5])
    assert value(losses.class_matching_loss(real, swapped, classes)) == 0
    moved = floats([2, 2], [4, 4], [5, 5])  # class 0 by 2, in both features
    loss = losses.class_matching_loss(real, moved, classes)
    assert value(loss) == pytest.approx(0.5 * 4 / 2)
    across = floats([0, 0], [2, 2], [9, 9])
    assert value(losses.class_matching_loss(real, across, classes)) > 0


def test_means_are_matched_over_the_batch():
    real, other = floats([0, 0], [2, 2]), floats([1, 1], [1, 1])
    assert value(losses.mean_matching_loss(real, other)) == 0
    loss = losses.mean_matching_loss(real, other + 2)
    assert value(loss) == pytest.approx(2)


def test_pairs_are_matched_one_by_one():
    one, other = floats([0, 0]), floats([1, 1])
    loss = losses.pairwise_loss(one, other, [one, one], [other, one])
    assert value(loss) == pytest.approx(0.5 * (1 + 1 + 0))


def test_discriminator_loss():
    even = losses.discriminator_loss(floats([0]), floats([0]))
    assert value(even) == pytest.approx(2 * np.log(2))
    right = losses.discriminator_loss(floats([20]), floats([-20]))
    assert value(right) == pytest.approx(0, abs=1e-6)


def test_a_slope_of_one_costs_nothing():
    flat = keras.ops.convert_to_tensor(np.full((3, 2, 2, 1), 0.5, "float32"))
    assert value(steps.gradient_penalty(flat)) == pytest.approx(0, abs=1e-6)
    assert value(steps.gradient_penalty(3 * flat)) == pytest.approx(4, rel=1e-5)


def test_partners_are_others_of_the_same_class():
    labels = np.array([0, 1, 0, 2, 1, 0])
    seed = keras.random.SeedGenerator(0)
    for _ in range(20):
        found = keras.ops.convert_to_numpy(
            steps.partners(keras.ops.convert_to_tensor(labels), seed)
        )
        assert (labels[found] == labels).all()
        assert found[3] == 3  # alone
        assert (np.delete(found, 3) != np.delete(np.arange(6), 3)).all()


def test_a_stroke_beside_its_place_is_half_a_match():
    """What is one pixel off is in place where two by two are one."""
    here, beside, far = (np.zeros((1, 4, 4, 1), "float32") for _ in range(3))
    here[0, 0, 0], beside[0, 0, 1], far[0, 3, 3] = 1, 1, 1
    errors = [value(steps.mismatch(here, other)) for other in (here, beside, far)]
    full, half = 2 / 16, 2 / 4 / 4**2
    assert errors == pytest.approx([0, full / 2, (full + half) / 2])
