import keras
import numpy as np
import pytest

from keras_balance.layers import CosineHead


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


def test_length_and_frequency_count_for_nothing():
    x, y = rows()
    head, other = CosineHead(3, power=1), CosineHead(3, power=1)
    head.start_at_means(x, y)
    other.start_at_means(3 * x, y)
    ours, theirs = (
        keras.ops.convert_to_numpy(h(v)) for h, v in [(head, x), (other, 3 * x)]
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_before_it_begins_all_classes_are_alike():
    outputs = keras.ops.convert_to_numpy(CosineHead(4)(np.ones((2, 3))))
    np.testing.assert_allclose(outputs, 0.25)


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.array([[1.0, 0, 0], [-1, 0, 0]])])
def test_features_that_are_alike_or_negative_give_finite_numbers(x):
    head = CosineHead(2)
    head.start_at_means(x, np.array([0, 1]))
    assert np.isfinite(keras.ops.convert_to_numpy(head(x))).all()


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
    head = CosineHead(3, power=0.4, scale=8, anchor=0.1)
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
    ],
)
def test_wrong_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        CosineHead(**arguments)
