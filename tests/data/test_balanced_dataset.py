import pickle
import threading
import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_balance as kb
from keras_balance.data import BalancedDataset

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = (40, 9, 1)


def imbalanced(counts=COUNTS, dtype="uint8"):
    """Every pixel of image i is i, so that a batch tells which images it holds."""
    n = sum(counts)
    x = np.broadcast_to(np.arange(n)[:, None, None, None], (n, 4, 4, 1))
    return x.astype(dtype), np.repeat(np.arange(len(counts)), counts)


def epoch_of(dataset):
    batches = list(dataset)
    return [np.concatenate(part) for part in zip(*batches, strict=True)]


class Constant:
    """A synthesizer whose images tell label, seed and number of the call."""

    def __init__(self, value=200.0, shape=(4, 4, 1)):
        self.value, self.shape, self.calls = value, shape, []

    def generate(self, labels, seed=None):
        self.calls.append((np.array(labels), seed))
        return np.full((len(labels), *self.shape), self.value, "float32")

    def __reduce__(self):
        raise TypeError("a live model must not be pickled")


class Gray:
    """A synthesizer that takes no time."""

    def __init__(self, shape):
        self.shape = shape

    def generate(self, labels, seed=None):
        return np.full((len(labels), *self.shape), 128, "uint8")


class Noise:
    def generate(self, labels, seed=None):
        generator = np.random.default_rng(seed)
        return generator.uniform(0, 255, (len(labels), 4, 4, 1)).astype("float32")


def rotation():
    return keras.layers.RandomFlip(seed=7)


def makers():
    return [None, rotation(), "manual", Noise(), {"repeat": 1, Noise(): 2}]


@pytest.mark.parametrize("index", range(5))
def test_every_real_image_once_and_exact_counts(index):
    x, y = imbalanced()
    dataset = BalancedDataset(x, y, 7, synthesizer=makers()[index], seed=1)
    images, labels = epoch_of(dataset)
    assert dataset.class_counts == {0: 40, 1: 40, 2: 40}
    assert np.bincount(labels).tolist() == [40, 40, 40]
    assert dataset.num_synthetic == 70
    weighted = BalancedDataset(
        x, y, 7, synthesizer=makers()[index], seed=1, synthetic_weight=0.25
    )
    same_images, same_labels, weights = epoch_of(weighted)
    np.testing.assert_array_equal(images, same_images)
    np.testing.assert_array_equal(labels, same_labels)
    assert weights.dtype == np.float32
    assert (weights == 0.25).sum() == 70
    real = images[weights == 1]
    assert sorted(real[:, 0, 0, 0]) == list(range(50))
    np.testing.assert_array_equal(labels[weights == 1], y[real[:, 0, 0, 0].astype(int)])


def test_repeats_evenly():
    x, y = imbalanced()
    images, labels = epoch_of(BalancedDataset(x, y, seed=0))
    times = np.bincount(images[labels == 1, 0, 0, 0].astype(int))[40:49]
    assert set(times) == {4, 5}
    assert (images[labels == 2, 0, 0, 0] == 49).all()


@pytest.mark.parametrize("index", range(5))
def test_a_batch_is_a_function_of_seed_epoch_and_index(index):
    x, y = imbalanced()
    first, second = (
        BalancedDataset(x, y, 16, synthesizer=makers()[index], seed=5) for _ in "ab"
    )
    whole = [first[i] for i in range(len(first))]
    for i in reversed(range(len(second))):
        np.testing.assert_array_equal(second[i][0], whole[i][0])
        np.testing.assert_array_equal(second[i][1], whole[i][1])
        np.testing.assert_array_equal(second[i][0], second[i][0])
    first.epoch = 4
    assert any((first[i][0] != whole[i][0]).any() for i in range(len(first) - 1))
    first.epoch = 0
    np.testing.assert_array_equal(first[3][0], whole[3][0])
    other = BalancedDataset(x, y, 16, synthesizer=makers()[index], seed=6)
    assert (other[0][0] != whole[0][0]).any()


@pytest.mark.parametrize(
    ("synthesizer", "shuffle"),
    [("nothing", True), (None, False), ("manual", False), (Noise(), False)],
    ids=["order", "repeated", "augmented", "generated"],
)
def test_epochs_differ_in_each_of_their_draws(synthesizer, shuffle):
    dataset = BalancedDataset(
        *imbalanced(), 120, synthesizer=synthesizer, shuffle=shuffle, seed=0
    )
    first = dataset[0][0]
    dataset.epoch = 1
    assert (dataset[0][0] != first).any()


def test_images_made_in_several_batches_all_differ(monkeypatch):
    monkeypatch.setattr("keras_balance.data.synthesis.makers._PIXELS_AT_ONCE", 160)
    dataset = BalancedDataset(
        *imbalanced(), 120, synthesizer=Noise(), shuffle=False, seed=0
    )
    assert len(np.unique(dataset[0][0][50:], axis=0)) == 70


@pytest.mark.parametrize(
    ("name", "strengths"),
    [("manual", {}), ("elastic", {"translation_factor": 0.07, "elastic_factor": 0.04})],
)
def test_a_name_stands_for_the_layer_in_the_range_of_the_images(name, strengths):
    x, y = imbalanced()
    x = x.astype("float32") / x.max()
    # Their borders are not black.
    strengths = {**strengths, "value_range": (0, 1), "fill_mode": "reflect"}
    layer = kb.layers.ManualAugmentation(**strengths, seed=3)
    named, given = (
        epoch_of(BalancedDataset(x, y, 7, synthesizer=synthesizer, seed=1))[0]
        for synthesizer in (name, layer)
    )
    np.testing.assert_array_equal(named, given)


def test_a_layer_keeps_its_own_state():
    x, y = imbalanced(dtype="float32")
    made, used = (keras.layers.RandomRotation(0.3, seed=3) for _ in range(2))
    BalancedDataset(x, y, synthesizer=used, seed=0)[0]
    assert used.built
    states = [[v.numpy() for v in one.variables] for one in (made, used)]
    np.testing.assert_array_equal(*states)


def test_synthesizer_gets_original_labels_and_an_int_seed():
    x, y = imbalanced()
    names = np.array(["ant", "bee", "cat"])
    synthesizer = Constant()
    BalancedDataset(x, names[y], synthesizer=synthesizer, seed=np.int64(1))[0]
    labels = np.concatenate([labels for labels, _ in synthesizer.calls])
    assert sorted(labels) == ["bee"] * 31 + ["cat"] * 39
    assert all(labels.ndim == 1 for labels, _ in synthesizer.calls)
    assert all(type(seed) is int for _, seed in synthesizer.calls)
    one_hot = Constant()
    BalancedDataset(x, np.eye(3)[y], synthesizer=one_hot, seed=1)[0]
    assert sorted(one_hot.calls[0][0].tolist()) == [1] * 31 + [2] * 39


def test_label_forms_draw_the_same_and_keep_their_encoding():
    x, y = imbalanced()
    one_hot = np.eye(3, dtype="float32")[y]
    forms = [y, y[:, None], one_hot, np.array([-7, 2, 40])[y], np.array(list("abc"))[y]]
    sets = [BalancedDataset(x, form, 16, seed=3) for form in forms]
    for form, dataset in zip(forms, sets, strict=True):
        images, labels = dataset[1]
        np.testing.assert_array_equal(images, sets[0][1][0])
        assert labels.dtype == form.dtype
        assert labels.shape == (16, *form.shape[1:])
        np.testing.assert_array_equal(labels, form[_first_of(dataset, sets[0], y)])
    assert sets[3].class_counts == {-7: 40, 2: 40, 40: 40}
    assert sets[4].class_counts == {"a": 40, "b": 40, "c": 40}


def _first_of(dataset, reference, y):
    return [np.flatnonzero(y == label)[0] for label in reference[1][1]]


def test_uint8_and_float_agree():
    x, y = imbalanced()
    batches = [
        BalancedDataset(x.astype(dtype), y, synthesizer=makers()[1], seed=3)[0][0]
        for dtype in ("uint8", "float32", "float64")
    ]
    for images in batches:
        assert images.dtype == np.float32
        np.testing.assert_allclose(images, batches[0], atol=2.55)


@pytest.mark.once
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize(
    "options",
    [{}, {"synthesizer": "manual"}, {"synthesizer": Noise()}, {"mix": "cutmix"}],
    ids=["repeat", "manual", "generated", "cutmix"],
)
def test_batches_of_integers_hold_the_same_images(dtype, options):
    x, y = imbalanced(dtype=dtype)
    weights = np.linspace(1, 2, len(x))
    options = {"batch_size": 16, "sample_weight": weights, "seed": 0, **options}
    whole = epoch_of(BalancedDataset(x, y, dtype=dtype, **options))
    floats = epoch_of(BalancedDataset(x, y, **options))
    assert [part.dtype for part in whole] == [dtype, *(p.dtype for p in floats[1:])]
    for part, other in zip(whole, floats, strict=True):
        np.testing.assert_array_equal(part, other)


def test_a_model_takes_batches_of_bytes():
    x, y = imbalanced()
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(1e-5), loss, run_eagerly=False)
    start, losses = model.get_weights(), []
    for dtype in ("uint8", "float32"):
        model.set_weights(start)
        dataset = BalancedDataset(x, y, 40, dtype=dtype, seed=0)
        losses += model.fit(dataset, verbose=0).history["loss"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_made_images_are_rounded_and_clipped_to_an_integer_type():
    x, y = imbalanced()
    for value, kept in [(200.6, 201), (-3, 0), (300, 255)]:
        dataset = BalancedDataset(
            x, y, synthesizer=Constant(value), seed=0, synthetic_weight=0
        )
        images, _, weights = epoch_of(dataset)
        assert (images[weights == 0] == kept).all()


@pytest.mark.parametrize("shuffle", [True, False])
def test_inputs_stay_as_they_are(shuffle):
    x, y = imbalanced(dtype="float32")
    x_before, y_before = x.copy(), y.copy()
    for images, labels in BalancedDataset(
        x, y, synthesizer=rotation(), shuffle=shuffle, seed=0
    ):
        images += 1
        labels += 1
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    batch_size=st.integers(1, 200),
    ratio=st.floats(0.01, 1),
    shuffle=st.booleans(),
)
def test_any_split_gives_whole_batches_and_a_short_last_one(
    counts, batch_size, ratio, shuffle
):
    x, y = imbalanced(counts)
    dataset = BalancedDataset(
        x, y, batch_size, sampling_strategy=ratio, shuffle=shuffle, seed=0
    )
    sizes = [len(labels) for _, labels in dataset]
    total = sum(dataset.class_counts.values())
    assert len(dataset) == len(sizes) == -(-total // batch_size) > 0
    assert sum(sizes) == total
    assert all(size == batch_size for size in sizes[:-1])
    labels = np.concatenate([labels for _, labels in dataset])
    assert np.bincount(labels).tolist() == list(dataset.class_counts.values())


def test_memory_stays_flat_over_epochs_of_100_000_images(tmp_path):
    shape, number = (10, 10, 1), 100_000
    x = np.memmap(tmp_path / "x", "uint8", "w+", shape=(number, *shape))
    y = np.arange(number, dtype="uint8") % 10
    y[(y == 0) & (np.arange(number) >= 10_000)] = 1
    dataset = BalancedDataset(x, y, 500, synthesizer=Gray(shape), seed=0)
    assert dataset.num_synthetic > 50_000
    tracemalloc.start()
    taken = []
    for epoch in range(3):
        dataset.epoch = epoch
        for index in range(0, len(dataset), 20):
            assert dataset[index][0].dtype == "float32"
        taken.append(tracemalloc.get_traced_memory()[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # As uint8 the synthetic images take 9 MiB; all images take 70 MiB as float32.
    assert peak < 40 * 2**20
    assert taken[2] < 1.01 * taken[1]


def test_order_without_shuffle_and_bad_index():
    x, y = imbalanced()
    dataset = BalancedDataset(x, y, 50, shuffle=False, seed=0)
    np.testing.assert_array_equal(dataset[0][0], x)
    np.testing.assert_array_equal(dataset[-1][0], dataset[2][0])
    with pytest.raises(IndexError):
        dataset[3]


@pytest.mark.parametrize(("refresh", "calls"), [(True, 4), (False, 1), (2, 2)])
def test_refresh(refresh, calls):
    x, y = imbalanced()
    synthesizer = Constant()
    dataset = BalancedDataset(x, y, synthesizer=synthesizer, refresh=refresh, seed=0)
    for epoch in range(4):
        dataset.epoch = epoch
        list(dataset)
    assert len(synthesizer.calls) == calls
    assert len({seed for _, seed in synthesizer.calls}) == calls


def test_mixture_shares():
    x, y = imbalanced((100, 20, 10))
    dataset = BalancedDataset(
        x,
        y,
        synthesizer={"repeat": 0.5, Constant(200): 0.25, Constant(201): 0.25},
        seed=0,
        synthetic_weight=0,
    )
    images, labels, weights = epoch_of(dataset)
    values = images[weights == 0, 0, 0, 0]
    labels = labels[weights == 0]
    for label, shortfall in [(1, 80), (2, 90)]:
        mine = values[labels == label]
        assert len(mine) == shortfall
        assert abs((mine == 200).sum() - shortfall / 4) < 1
        assert abs((mine == 201).sum() - shortfall / 4) < 1


def test_nothing_leaves_the_shortfall_as_it_is():
    x, y = np.arange(12.0).reshape(12, 1, 1, 1), np.array([0] * 10 + [1] * 2)
    dataset = BalancedDataset(x, y, batch_size=12, synthesizer="nothing", seed=0)
    assert dataset.class_counts == {0: 10, 1: 2}
    assert dataset.num_synthetic == 0
    images, _ = dataset[0]
    np.testing.assert_array_equal(np.sort(images.ravel()), np.arange(12))
    half = {"nothing": 1, "repeat": 1}
    dataset = BalancedDataset(x, y, synthesizer=half, seed=0)
    assert dataset.class_counts == {0: 10, 1: 6}


def test_nothing_is_known_by_its_value():
    """Out of a file, it is another string than the one in the code."""
    x, y = np.arange(12.0).reshape(12, 1, 1, 1), np.array([0] * 10 + [1] * 2)
    name = "".join(["noth", "ing"])
    for synthesizer, count in [(name, 2), ({name: 1, "repeat": 1}, 6)]:
        dataset = BalancedDataset(x, y, 12, synthesizer=synthesizer, seed=0)
        assert dataset.class_counts == {0: 10, 1: count}
        assert len(dataset[0][0]) == 12


def test_a_part_that_is_another_name_is_refused():
    kb.data.registry.register("other name", lambda images, seed: "manual", rank=99)
    try:
        with pytest.raises(TypeError, match="Received: synthesizer='manual'"):
            BalancedDataset(*imbalanced(), synthesizer={"other name": 1}, seed=0)
    finally:
        kb.data.registry.unregister("other name")


def test_smote_stays_between_images_of_the_class():
    pytest.importorskip("imblearn")
    x, y = imbalanced((60, 20, 1), dtype="float32")
    dataset = BalancedDataset(x, y, synthesizer="smote", seed=0, synthetic_weight=0)
    images, labels, weights = epoch_of(dataset)
    made = images[(weights == 0) & (labels == 1), 0, 0, 0]
    assert ((made >= 60) & (made <= 79)).all()
    assert (made % 1 > 0).any()
    assert (images[labels == 2] == 80).all()


def small_model(x, num_classes=3):
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


class Recorder(BalancedDataset):
    """Keeps what was fetched, by the epoch it was fetched for."""

    def __getitem__(self, index):
        self.__dict__.setdefault("seen", []).append((self.epoch, index))
        return super().__getitem__(index)


def test_fit_counts_epochs_from_zero_and_resumes():
    x, y = imbalanced()
    dataset = Recorder(x, y, 16, synthesizer=Noise(), seed=0)
    model = small_model(x)
    model.fit(dataset, epochs=2, verbose=0)
    assert dataset.epoch == 2
    for epoch in (0, 1):
        fetched = {index for when, index in dataset.seen if when == epoch}
        assert fetched == set(range(len(dataset)))
    model.fit(dataset, epochs=1, verbose=0)
    assert dataset.epoch == 3
    resumed = BalancedDataset(x, y, 16, synthesizer=Noise(), seed=0)
    resumed.epoch = 3
    np.testing.assert_array_equal(resumed[2][0], dataset[2][0])


def test_a_worker_may_begin_before_the_epoch_does():
    """Keras starts its threads, and only then calls `on_epoch_begin`."""
    dataset = BalancedDataset(*imbalanced(), 16, seed=0)
    worker = threading.Thread(target=dataset.__getitem__, args=(0,))
    worker.start()
    worker.join()
    dataset.on_epoch_begin()
    for index in range(1, len(dataset)):
        dataset[index]
    dataset.on_epoch_end()
    assert dataset.epoch == 1


def test_what_a_user_looks_at_is_no_epoch():
    dataset = BalancedDataset(*imbalanced(), 16, seed=0)
    [dataset[index] for index in range(len(dataset))]
    dataset.on_epoch_begin()  # as Keras does to see a batch before the first epoch
    dataset[0]
    dataset.on_epoch_end()
    assert dataset.epoch == 0


def test_fit_twice_gives_the_same_weights():
    x, y = imbalanced()
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = small_model(x)
        dataset = BalancedDataset(x, y, 16, synthesizer=Noise(), seed=0)
        model.fit(dataset, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_data_and_sample_weights():
    x, y = imbalanced()
    dataset = BalancedDataset(x, y, 16, seed=0, synthetic_weight=0.5)
    held_out = BalancedDataset(x, y, 16, seed=1)
    history = small_model(x).fit(dataset, validation_data=held_out, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()


def test_a_copy_for_a_worker_holds_the_epoch_but_no_model():
    x, y = imbalanced()
    dataset = BalancedDataset(x, y, 16, synthesizer=Constant(), seed=0)
    copy = pickle.loads(pickle.dumps(dataset))
    for i in range(len(dataset)):
        np.testing.assert_array_equal(copy[i][0], dataset[i][0])
    assert copy.synthesizer is None


BAD = [
    ({"x": np.zeros((50, 4, 4))}, ValueError, "rank 4"),
    ({"x": [[1]]}, TypeError, "array of images"),
    ({"x": np.full((50, 4, 4, 1), np.nan)}, ValueError, r"x\[0, 0, 0, 0\]"),
    ({"x": np.zeros((49, 4, 4, 1))}, ValueError, "len.x.=49, len.y.=50"),
    ({"x": np.zeros((0, 4, 4, 1)), "y": np.zeros(0, int)}, ValueError, "at least one"),
    ({"y": np.zeros(50, int)}, ValueError, "at least two classes"),
    ({"y": np.eye(4)[np.arange(50) % 3]}, ValueError, "without class 3"),
    ({"num_classes": 2}, ValueError, "num_classes=2"),
    ({"num_classes": 4}, ValueError, "without class 3"),
    ({"num_classes": "3"}, TypeError, "num_classes='3'"),
    ({"num_classes": 3.0}, TypeError, "num_classes=3.0"),
    ({"y": np.ones((50, 3))}, ValueError, "single 1"),
    ({"y": np.full(50, 0.5)}, ValueError, "whole numbers"),
    ({"batch_size": 0}, ValueError, "batch_size=0"),
    ({"batch_size": 2.0}, TypeError, "batch_size=2.0"),
    ({"seed": -1}, ValueError, "seed=-1"),
    ({"seed": 1.5}, TypeError, "seed=1.5"),
    ({"synthesizer": "gan"}, ValueError, "synthesizer='gan'"),
    ({"synthesizer": 3}, TypeError, "synthesizer=3"),
    ({"synthesizer": {}}, ValueError, "a part"),
    ({"synthesizer": {"repeat": -1}}, ValueError, r"'repeat'\]=-1"),
    ({"synthesizer": {"manual": "a"}}, TypeError, r"synthesizer\['manual'\]='a'"),
    ({"sampling_strategy": "most"}, ValueError, "sampling_strategy='most'"),
    ({"synthetic_weight": -1}, ValueError, "synthetic_weight=-1"),
    ({"synthetic_weight": "1"}, TypeError, "synthetic_weight='1'"),
    ({"shuffle": "yes"}, TypeError, "shuffle='yes'"),
    ({"refresh": -1}, ValueError, "refresh=-1"),
    ({"refresh": 0.5}, TypeError, "refresh=0.5"),
    ({"format": "tf"}, TypeError, "no argument `format`"),
]


def test_bad_arguments():
    x, y = imbalanced()
    for arguments, error, text in BAD:
        with pytest.raises(error, match=text):
            BalancedDataset(**{"x": x, "y": y, **arguments})


@pytest.mark.once
@pytest.mark.parametrize("dtype", ["uint8", "float64", "bytes", None])
def test_bad_dtypes(dtype):
    x, y = imbalanced(dtype="int16")
    with pytest.raises(ValueError, match=r"one of \['float32', 'int16'\] .*Received: "):
        BalancedDataset(x, y, dtype=dtype)
    with pytest.raises(ValueError, match=r"one of \['float32'\] for images of float64"):
        BalancedDataset(x.astype("float64"), y, dtype=dtype)
    with pytest.raises(ValueError, match='"float32" with `mix="mixup"`'):
        BalancedDataset(x, y, dtype="int16", mix="mixup")


def test_bad_epoch():
    dataset = BalancedDataset(*imbalanced())
    with pytest.raises(ValueError, match="epoch=-1"):
        dataset.epoch = -1
    with pytest.raises(TypeError, match=r"epoch=1\.0"):
        dataset.epoch = 1.0


@pytest.mark.parametrize(
    ("synthesizer", "text"),
    [
        (Constant(shape=(4, 4, 3)), r"\(70, 4, 4, 1\)"),
        (Constant(np.nan), "finite"),
        (keras.layers.CenterCrop(2, 2), "keep the shape"),
    ],
)
def test_bad_synthesizers_are_told(synthesizer, text):
    x, y = imbalanced()
    dataset = BalancedDataset(x, y, synthesizer=synthesizer, seed=0)
    with pytest.raises(ValueError, match=text):
        dataset[0]


def test_square_root_of_the_imbalance_and_the_real_counts():
    x, y = np.zeros((34, 2, 2, 1), "uint8"), np.array(["many"] * 32 + ["few"] * 2)
    dataset = BalancedDataset(x, y, sampling_strategy="sqrt", seed=0)
    assert dataset.class_counts == {"few": 8, "many": 32}
    assert dataset.real_counts == {"few": 2, "many": 32}
    assert dataset.real_counts.shown == dataset.class_counts


def test_a_strategy_of_another_type_is_told_what_it_must_be():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="must be a name, a float or a dict"):
        BalancedDataset(*imbalanced(), sampling_strategy=pandas.Series({1: 20}))
