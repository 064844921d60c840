"""What every registered synthesizer keeps to, whoever made it."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import LabelledImages, registry
from keras_balance.data.synthesis.makers import read_synthesizer
from small_data import grey_images

COUNTS = (16, 6, 1)
MISSING = 10 + 15
# They choose among the others, or are made of a BAGAN, which takes long to fit: it is
# replaced by one that has seen a few steps.
NAMES = [name for name in registry.names_to_choose_from() if name != "nothing"]
FORMS = {
    "sparse": lambda y: y,
    "column": lambda y: y[:, None],
    "one-hot": lambda y: np.eye(3, dtype="float32")[y],
    "names": lambda y: np.array(["ant", "bee", "cat"])[y],
    "numbers": lambda y: np.array([-7, 2, 40])[y],
}


class Generated:
    """Stands for a fitted generator: it draws a class's mean and some noise."""

    def __init__(self, images):
        self.images, self.image_shape = images, images.image_shape

    def generate(self, labels, seed=None):
        classes = self.images.encoding.classes
        places = [int(np.flatnonzero(classes == label)[0]) for label in labels]
        noise = np.random.default_rng(seed).normal(0, 5, (len(labels), 8, 8, 1))
        level = np.array([40, 120, 200])[places][:, None, None, None]
        return (level + noise).astype("float32")


def data(write=lambda y: y, dtype="uint8"):
    x, y = grey_images(COUNTS, dark=40, step=80, spread=8)
    return x.astype(dtype), write(y)


def fit(name, images):
    """Fit a filling; one that needs training is given a trained part."""
    fitted = {
        part: Generated(images)
        for part in registry.needed_by(name)
        if registry.find(part).fit.__module__.startswith("keras_balance.models")
        and not registry.find(part).needs
    }
    return registry.fit(name, images, 0, fitted)


def epoch(name, x, y, seed=3, **options):
    images = LabelledImages(x, y)
    if name == "smote":
        pytest.importorskip("imblearn")
    dataset = kb.BalancedDataset(
        images,
        synthesizer=fit(name, images),
        batch_size=64,
        shuffle=False,
        seed=seed,
        **options,
    )
    made, labels = dataset[0]
    return made[len(x) :], labels[len(x) :], dataset


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_the_same_images_for_labels_of_any_form(name):
    wanted = None
    for write in FORMS.values():
        x, y = data(write)
        made, labels, dataset = epoch(name, x, y)
        assert made.shape == (MISSING, 8, 8, 1)
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert made.min() >= 0
        assert made.max() <= 255
        assert labels.dtype == y.dtype
        assert list(dataset.class_counts.values()) == [16, 16, 16]
        wanted = made if wanted is None else wanted
        np.testing.assert_array_equal(made, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_seeds(name):
    made, _, dataset = epoch(name, *data())
    again, _, _ = epoch(name, *data())
    np.testing.assert_array_equal(made, again)
    other, _, _ = epoch(name, *data(), seed=4)
    assert (made != other).any()
    assert (dataset.batch(1, 0)[0][len(data()[0]) :] != made).any()


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_a_class_of_one_image(name):
    made, labels, _ = epoch(name, *data())
    assert (labels == 2).sum() == 15
    assert made[labels == 2].mean() > made[labels == 1].mean()


@pytest.mark.parametrize("name", NAMES)
def test_tensors_and_other_types_of_pixels(name):
    x, y = data()
    made, _, _ = epoch(name, x, y)
    tensors = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    np.testing.assert_array_equal(epoch(name, *tensors)[0], made)
    if name not in generated():
        floats, _, _ = epoch(name, x.astype("float32") / 255, y)
        assert floats.max() <= 1.0 + 1e-6


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_in_a_mixture(name):
    images = LabelledImages(*data())
    if name == "smote":
        pytest.importorskip("imblearn")
    fitted = fit(name, images)
    if fitted is None or isinstance(fitted, dict):
        pytest.skip("a mixture itself, or nothing new")
    parts = read_synthesizer({fitted: 1, "nothing": 3}, images, 0)
    assert [share for _, share in parts] == [1, 3]


def generated():
    """Names of the fillings that a generator has a part in."""
    images = LabelledImages(*data())
    trained = [n for n in NAMES if isinstance(fit(n, images), Generated)]
    return [n for n in NAMES if registry.needed_by(n) & set(trained)]


@pytest.mark.once
@pytest.mark.parametrize("form", list(FORMS))
def test_wrappers_pass_labels_on_as_they_are(form):
    images = LabelledImages(*data(FORMS[form]))
    generator = Generated(images)
    labels = images.encoding.names([2, 0, 2, 1])
    layer = keras.layers.RandomFlip(seed=0)
    both = kb.data.AugmentedSynthesizer(generator, layer)
    best = kb.data.FilteredSynthesizer(
        generator,
        keep=0.5,
        judge=lambda made: np.tile([0.2, 0.3, 0.5], (len(made), 1)),
        class_names=images.encoding.classes.tolist(),
    )
    for wrapped in (both, best):
        drawn = wrapped.generate(labels, seed=1)
        means = drawn.mean((1, 2, 3))
        assert means[1] < means[3] < min(means[0], means[2])
        np.testing.assert_array_equal(drawn, wrapped.generate(labels, seed=1))


def test_generators_are_among_them():
    assert {"bagan", "dagan"} <= set(generated())


@pytest.mark.once
def test_a_generator_that_is_not_fitted_says_so():
    bagan = kb.models.BAGAN((8, 8, 1), 3, seed=0)
    with pytest.raises(RuntimeError, match="is_fitted=False"):
        kb.BalancedDataset(*data(), synthesizer=bagan, seed=0)[0]


@pytest.mark.once
@pytest.mark.parametrize("name", registry.names("front"))
def test_layers_come_back_from_their_config(name):
    layer = fit(name, LabelledImages(*data()))
    if not isinstance(layer, keras.layers.Layer):
        pytest.skip("no layer")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    made = [
        kb.data.AugmentedSynthesizer(Generated(LabelledImages(*data())), one).generate(
            [0, 1, 2], seed=5
        )
        for one in (layer, again)
    ]
    np.testing.assert_array_equal(*made)
