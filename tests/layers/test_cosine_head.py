import keras
import numpy as np
import pytest

from keras_balance.layers import CosineHead, cosine_head


def rows(seed=0):
    """Features around three directions, 20 of each."""
    centres = np.eye(3, 6) * 4
    indices = np.repeat([0, 1, 2], 20)
    noise = np.random.default_rng(seed).exponential(size=(60, 6))
    return (centres[indices] + noise).astype("float32"), indices


def test_it_begins_at_the_class_means():
    x, y = rows()
    head = CosineHead(3)
    head.start_at_means(x, y)
    probabilities = keras.ops.convert_to_numpy(head(rows(1)[0]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.9


def test_a_class_without_an_image_has_no_mean():
    x, y = rows()
    with pytest.raises(ValueError, match="without class 2"):
        CosineHead(3).start_at_means(x, np.minimum(y, 1))


def test_length_and_frequency_count_for_nothing():
    x, y = rows()
    head, other = CosineHead(3, power=1), CosineHead(3, power=1)
    head.start_at_means(x, y)
    other.start_at_means(3 * x, y)
    ours, theirs = (
        keras.ops.convert_to_numpy(h(v)) for h, v in [(head, x), (other, 3 * x)]
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("size", [1, 1e-6, 1e-8])
def test_it_begins_with_what_it_makes_of_features_of_any_size(size):
    x, y = rows()
    x = size * (x - x.mean())
    raised = np.sign(x) * (np.abs(x) + 1e-7) ** 0.5
    head, other = CosineHead(3), CosineHead(3, power=1)
    head.start_at_means(x, y)
    other.start_at_means(raised, y)
    ours, theirs = (
        keras.ops.convert_to_numpy(h(v)) for h, v in [(head, x), (other, raised)]
    )
    np.testing.assert_allclose(ours, theirs, atol=5e-3)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_before_it_begins_all_classes_are_alike(dtype):
    outputs = CosineHead(4, dtype=dtype)(np.ones((2, 3)))
    outputs = keras.ops.convert_to_numpy(outputs)
    np.testing.assert_allclose(outputs, 0.25)


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.array([[1.0, 0, 0], [-1, 0, 0]])])
def test_features_that_are_alike_or_negative_give_finite_numbers(x):
    head = CosineHead(2)
    head.start_at_means(x, np.array([0, 1]))
    assert np.isfinite(keras.ops.convert_to_numpy(head(x))).all()


def decided(head, x):
    return keras.ops.convert_to_numpy(head(x)).argmax(axis=1)


def few_of_the_last(centres, counts, seed):
    indices = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(seed)
    return centres[indices] + rng.normal(size=(len(indices), centres.shape[1])), indices


def test_a_class_loses_nothing_by_a_mean_of_few_images():
    centres = np.random.default_rng(0).normal(size=(6, 200)) / 3
    head = CosineHead(6, power=1)
    head.start_at_means(*few_of_the_last(centres, [100] * 5 + [3], 1))
    x, y = few_of_the_last(centres, [100] * 6, 2)
    recall = (decided(head, x) == y)[y == 5].mean()
    assert recall > 0.85
    head.gain.assign(np.ones(6))
    assert (decided(head, x) == y)[y == 5].mean() < recall - 0.1


def test_of_two_classes_the_rare_one_is_found_as_well():
    centres = np.random.default_rng(0).normal(size=(2, 200)) / 3
    head = CosineHead(2, power=1)
    head.start_at_means(*few_of_the_last(centres, [200, 4], 1))
    x, y = few_of_the_last(centres, [200, 200], 2)
    found = decided(head, x)
    assert min((found == y)[y == c].mean() for c in (0, 1)) > 0.85


def test_what_varies_together_within_classes_counts_less():
    common = np.array([1, 1, 1, 1, 0, 0]) * 4
    rng = np.random.default_rng(0)
    indices = np.repeat([0, 1], 50)
    x = rng.normal(size=(100, 6)) + rng.normal(size=(100, 1)) * common
    x[:, 0] += 3 * indices
    right = []
    for shrinkage in (0.01, 1):
        head = CosineHead(2, power=1, shrinkage=shrinkage)
        head.start_at_means(x, indices)
        right.append((decided(head, x) == indices).mean())
    assert right[0] > 0.9 > 0.8 > right[1]


def test_features_too_wide_for_a_covariance_are_taken_one_by_one(monkeypatch):
    monkeypatch.setattr(cosine_head, "_WIDEST", 5)
    head, alone = CosineHead(3), CosineHead(3, shrinkage=1)
    x, y = rows()
    for one in (head, alone):
        one.start_at_means(x, y)
    ours, theirs = (keras.ops.convert_to_numpy(one(x)) for one in (head, alone))
    np.testing.assert_array_equal(ours, theirs)


def test_the_anchor_holds():
    x, y = rows()
    moved = []
    for anchor in (0.0, 10.0):
        head = CosineHead(3, anchor=anchor)
        head.start_at_means(x, y)
        model = keras.Sequential([keras.Input((6,)), head])
        model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        model.fit(x, np.roll(y, 20), epochs=5, verbose=0)
        moved.append(np.abs(keras.ops.convert_to_numpy(head.shift)).max())
    assert moved[1] < moved[0] / 2


def test_saved_and_loaded(tmp_path):
    head = CosineHead(3, power=0.4, scale=8, anchor=0.1, shrinkage=0.5)
    head.start_at_means(*rows())
    model = keras.Sequential([keras.Input((6,)), head])
    model.save(tmp_path / "head.keras")
    loaded = keras.saving.load_model(tmp_path / "head.keras")
    x = rows(1)[0]
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    assert loaded.layers[-1].get_config() == head.get_config()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"num_classes": 1}, "`num_classes` must be at least 2"),
        ({"num_classes": 3, "power": 0}, "`power` must be"),
        ({"num_classes": 3, "scale": 0}, "`scale` must be"),
        ({"num_classes": 3, "anchor": -1}, "`anchor` must be"),
        ({"num_classes": 3, "shrinkage": 0}, "`shrinkage` must be"),
    ],
)
def test_wrong_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        CosineHead(**arguments)
