"""The layout of the images and float32 hold whatever Keras is set to."""

import random
from unittest import mock

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.auto.judge import Judge
from keras_balance.data import labelled_images
from keras_balance.data.synthesis.augment import augment, augment_batches, layout_of

COLOUR = np.array([200, 100, 0])


def coloured(n=12):
    """Images of one colour, channels last, and labels."""
    x = np.broadcast_to(COLOUR.astype("uint8"), (n, 8, 8, 3))
    return x, np.repeat([0, 1], [n - 4, 4])


def still():
    return kb.layers.ManualAugmentation(noise_factor=0, fill_mode="nearest", seed=0)


@pytest.mark.parametrize(
    ("layer", "warned"),
    [
        (lambda: kb.layers.ManualAugmentation(seed=0), True),
        (lambda: keras.Sequential([keras.layers.RandomBrightness(0.2, seed=0)]), True),
        (lambda: kb.layers.ManualAugmentation(value_range=(0, 1), seed=0), False),
        (lambda: keras.layers.RandomFlip(seed=0), False),
        (lambda: "manual", False),
    ],
)
def test_a_layer_for_another_range_of_pixels_is_warned_of(layer, warned, recwarn):
    x, y = coloured()
    kb.BalancedDataset(x.astype("float32") / 255, y, synthesizer=layer(), seed=0)
    told = [str(one.message) for one in recwarn]
    assert any("must have their range" in text for text in told) == warned
    recwarn.clear()
    kb.BalancedDataset(x, y, synthesizer=kb.layers.ManualAugmentation(seed=0), seed=0)
    assert not list(recwarn)


class Generator:
    """Makes images of a range."""

    value_range = (0, 255)

    def generate(self, labels, seed=None):
        return np.full((len(labels), 8, 8, 3), 200.0)


class Unranged:
    """Makes images, and tells no range of them."""

    generate = Generator.generate


@pytest.mark.parametrize(
    "synthesizer",
    [
        Generator(),
        kb.data.FilteredSynthesizer(Generator(), judge=np.asarray),
        kb.data.AugmentedSynthesizer(Generator(), keras.layers.RandomFlip()),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_generator_of_another_range_of_pixels_is_warned_of(synthesizer):
    x, y = coloured()
    with pytest.warns(UserWarning, match=r"A generator .* images in \[0, 0.78"):
        kb.BalancedDataset(x / 255, y, synthesizer=synthesizer, seed=0)
    kb.BalancedDataset(x, y, synthesizer=synthesizer, seed=0)  # warnings are errors


@pytest.mark.parametrize(
    ("synthesizer", "looks"),
    [
        (lambda: keras.layers.RandomFlip(seed=0), 0),
        (lambda: kb.data.AugmentedSynthesizer(Unranged(), still()), 0),
        (lambda: kb.data.FilteredSynthesizer(Unranged(), judge=np.asarray), 0),
        (lambda: kb.layers.ManualAugmentation(value_range=(0, 1), seed=0), 1),
    ],
    ids=["layer", "augmented", "filtered", "with a range"],
)
def test_all_pixels_are_looked_at_for_a_range_alone(synthesizer, looks, monkeypatch):
    looked = mock.Mock(return_value=(0.0, 1.0))
    monkeypatch.setattr(labelled_images, "value_range", looked)
    x, y = coloured()
    kb.BalancedDataset(x / 255, y, synthesizer=synthesizer(), seed=0)
    assert looked.call_count == looks


@pytest.mark.parametrize("synthesizer", [still, lambda: "manual"], ids=["own", "name"])
@pytest.mark.parametrize("configured", ["channels_last", "channels_first"])
def test_colours_stay_whatever_the_layout(synthesizer, configured):
    keras.config.set_image_data_format(configured)
    x, y = coloured()
    for data_format, axes in [
        ("channels_last", (0, 1, 2)),
        ("channels_first", (0, 2, 3)),
    ]:
        images = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
        dataset = kb.BalancedDataset(
            images,
            y,
            synthesizer=synthesizer(),
            shuffle=False,
            seed=0,
            data_format=data_format,
        )
        colour = dataset[0][0][12:].mean(axes)
        assert colour[0] > 1.7 * colour[1] > 8 * colour[2]


def test_layouts_give_the_same_pixels():
    x = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")
    last = augment(still(), x, 3)
    first = augment(still(), x.transpose(0, 3, 1, 2), 3, "channels_first")
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)


class Dithered(keras.layers.Layer):
    """Makes its seed when it is built."""

    def build(self, input_shape):
        self.generator = keras.random.SeedGenerator(3)

    def call(self, images):
        return images + keras.random.uniform(images.shape, seed=self.generator)


def test_a_layer_that_was_not_built_keeps_its_seeds():
    x = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")
    layer = keras.Sequential([keras.layers.RandomFlip(seed=1), Dithered()])
    first = augment(layer, x, 3)
    states = [variable for variable in layer.variables if "seed" in variable.name]
    states = [keras.ops.convert_to_numpy(state).tolist() for state in states]
    assert states == [[1, 0], [3, 0]]
    np.testing.assert_array_equal(augment(layer, x, 3), first)


def test_layout_of_a_layer_and_all_in_it():
    last = keras.layers.RandomFlip(data_format="channels_last")
    first = keras.layers.RandomFlip(data_format="channels_first")
    assert layout_of(first) == "channels_first"
    assert layout_of(keras.Sequential([first])) == "channels_first"
    assert layout_of(keras.layers.Identity()) == keras.config.image_data_format()
    with pytest.raises(ValueError, match="must have one `data_format`"):
        layout_of(keras.Sequential([first, last]))


def test_a_judge_shrinks_height_and_width():
    """The other place that took the layout from Keras' configuration."""
    y = np.repeat([0, 1], 8)
    x = np.zeros((16, 64, 40, 3), "float32")
    x[y == 1, :, :20] = 255
    scores = []
    for data_format in ("channels_last", "channels_first"):
        images = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
        read = kb.data.LabelledImages(images, y, data_format=data_format)
        judge = Judge(read, [0, 1])
        assert judge._rows.shape == (16, 32 * 32 * 3)
        scores.append(judge.f1(kb.BalancedDataset(read, seed=0)).tolist())
    assert scores == [[1, 1], [1, 1]]


@pytest.fixture
def mixed_float16():
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield
    keras.mixed_precision.set_dtype_policy(before)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_synthesis_in_float32_whatever_the_policy(mixed_float16, dtype):
    low, high = {"uint16": (0, 65535), "int16": (-1024, 3071)}.get(dtype, (0, 1e5))
    ramp = np.linspace(low, high, 8)[None, :, None, None]
    x = np.broadcast_to(ramp, (20, 8, 8, 1)).astype(dtype)
    y = np.repeat([0, 1], [15, 5])
    layer = kb.layers.ManualAugmentation(
        rotation_factor=0,
        zoom_factor=0,
        noise_factor=0,
        value_range=(low, high),
        dtype="mixed_float16",
    )
    for synthesizer in (layer, keras.Sequential([layer])):
        dataset = kb.BalancedDataset(
            x, y, synthesizer=synthesizer, shuffle=False, seed=0
        )
        np.testing.assert_array_equal(dataset[0][0][20:], x[:10].astype("float32"))
    named = kb.BalancedDataset(x, y, synthesizer="elastic", shuffle=False, seed=0)
    assert np.isfinite(named[0][0]).all()


def test_a_layer_keeps_its_policy():
    layer = keras.layers.RandomFlip(seed=0, dtype="mixed_bfloat16")
    augment(layer, np.full((2, 4, 4, 1), 1001, "float32"), 0)
    assert layer.compute_dtype == "bfloat16"


def test_a_layer_in_a_model_holds_its_own_value_range(mixed_float16):
    for make in (
        kb.layers.ManualAugmentation,
        kb.layers.PhotoAugmentation,
        kb.layers.RandomGaussianNoise,
    ):
        layer = make(value_range=(0, 65535), seed=0)
        outputs = layer(np.full((2, 8, 8, 1), 65535, "uint16"), training=True)
        assert np.isfinite(keras.ops.convert_to_numpy(outputs)).all()
        again = make.from_config(layer.get_config())
        assert again.compute_dtype == layer.compute_dtype == "float32"
        assert make(seed=0).compute_dtype == "float16"


def test_what_a_layer_returns_is_checked():
    x, y = coloured()
    layer = keras.layers.Rescaling(np.inf, name="blow_up")
    with pytest.raises(ValueError, match=r"blow_up\(images\).*finite"):
        kb.BalancedDataset(x[..., :1] + 1, y, synthesizer=layer, seed=0)[0]


def test_made_images_of_32_bits_stay_within_them():
    x = np.full((6, 2, 2, 1), 2**31 - 1, "int32")

    class Bright:
        def generate(self, labels, seed=None):
            return np.full((len(labels), 2, 2, 1), 2.0**31, "float32")

    dataset = kb.BalancedDataset(
        x, [0, 0, 0, 0, 0, 1], synthesizer=Bright(), shuffle=False, seed=0
    )
    assert (dataset[0][0] > 2e9).all()


def large(name):
    """A filling's layer for large pictures."""
    shown = kb.data.LabelledImages(*coloured(), data_format="channels_last")
    return kb.data.registry.fit(name, shown, 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: large("flip"),
        lambda: large("photo"),
        lambda: large("elastic"),
        lambda: kb.layers.RandomGaussianNoise((0.1, 0.3), seed=0),
    ],
    ids=["flip", "photo", "elastic", "noise"],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.once
def test_large_pictures_go_through_a_few_at_a_time(make, data_format, monkeypatch):
    """Every operation of a layer keeps all images that go through it together."""
    keras.config.set_image_data_format(data_format)
    layer = make()
    x = np.random.default_rng(0).uniform(0, 255, (7, 9, 9, 3)).astype("float32")
    at_once = augment(layer, x, 3, "channels_last")
    own = getattr(layer, "layers", [layer])[-1]
    transform, together = own.transform_images, []

    def spy(images, *args, **kwargs):
        together.append(len(images))
        return transform(images, *args, **kwargs)

    monkeypatch.setattr(own, "transform_images", spy)
    monkeypatch.setattr(f"{augment.__module__}._AT_ONCE", 2 * x[0].size)
    in_parts = augment(layer, x, 3, "channels_last")
    assert together == [2, 2, 2, 1]
    np.testing.assert_array_equal(in_parts, at_once)


def test_a_call_of_the_users_own_is_kept():
    class Brighter(kb.layers.ManualAugmentation):
        def call(self, data, training=True):
            return super().call(data, training=training) * 0 + 7

    x = np.zeros((2, 1024, 1024, 2), "float32")
    assert (augment(Brighter(rotation_factor=0, noise_factor=0), x, 0) == 7).all()


def own():
    return kb.layers.ManualAugmentation(elastic_factor=0.04, seed=0)


def shared():
    """Two layers of one seed: the second goes on where the first has stopped."""
    first, second = own(), own()
    second.generator = first.generator
    return keras.Sequential([first, second])


@pytest.mark.parametrize(
    ("make", "calls"),
    [
        (own, 1),
        (lambda: kb.layers.ManualAugmentation(noise_factor=(0, 0.1), seed=0), 1),
        (lambda: kb.layers.PhotoAugmentation(seed=0), 1),
        (lambda: keras.Sequential([keras.layers.RandomFlip(seed=1), own()]), 1),
        (shared, 6),
        (lambda: keras.layers.RandomTranslation(0.1, 0.1, seed=0), 0),
    ],
)
def test_batches_together_draw_what_they_draw_alone(make, calls, monkeypatch):
    rng = np.random.default_rng(0)
    batches = [rng.uniform(0, 255, (n, 9, 8, 1)).astype("float32") for n in (4, 4, 3)]
    layer = make()
    alone = [augment(layer, one, seed) for seed, one in enumerate(batches)]
    seen = []
    for kind in (kb.layers.ManualAugmentation, kb.layers.PhotoAugmentation):
        before = kind.transform_images

        def spy(self, *args, _before=before, **kwargs):
            seen.append(self)
            return _before(self, *args, **kwargs)

        monkeypatch.setattr(kind, "transform_images", spy)
    together = augment_batches(layer, batches, range(3))
    np.testing.assert_allclose(together, np.concatenate(alone), atol=0.01)
    assert len(seen) == calls


@pytest.mark.once
def test_a_layer_that_draws_from_pythons_own_generator():
    layer = keras.layers.AugMix(seed=0)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), "uint8")
    before = random.getstate()
    first = augment(layer, images, 5)
    assert random.getstate() == before
    augment(layer, images, 6)
    np.testing.assert_array_equal(augment(layer, images, 5), first)
