"""The one door for images and labels."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset, LabelledImages

COUNTS = (20, 6, 1)


def pictures(dtype="float32"):
    n = sum(COUNTS)
    x = np.broadcast_to(np.arange(n)[:, None, None, None], (n, 8, 8, 1))
    return x.astype(dtype), np.repeat(np.arange(len(COUNTS)), COUNTS)


class Labels:
    """Labels that count how often they are read."""

    def __init__(self, y):
        self.y, self.reads = y, 0

    def __len__(self):
        return len(self.y)

    def __array__(self, dtype=None, copy=None):
        self.reads += 1
        return np.asarray(self.y)


@pytest.fixture
def checks(monkeypatch):
    """Sizes of the arrays whose pixels are checked, in the order of the checks."""
    sizes = []
    check = kb.utils.images.check_finite

    def counting(x, *args, **kwargs):
        sizes.append(len(x))
        return check(x, *args, **kwargs)

    monkeypatch.setattr("keras_balance.utils.images.check_finite", counting)
    return sizes


def test_a_feed_reads_once(checks):
    x, y = pictures()
    labels = Labels(y)
    dataset = BalancedDataset(x, labels, synthesizer="manual", seed=0)
    list(dataset)
    assert labels.reads == 1
    assert checks == [len(x)]


@pytest.mark.once
def test_an_automatic_choice_reads_once(checks):
    x, y = pictures()
    labels = Labels(y)
    kb.tuners.AutoAugmentation(["nothing", "shift"], folds=2, seed=0, verbose=0).fit(
        x, labels
    )
    assert labels.reads == 1
    assert checks == [len(x)]
    auto = kb.tuners.AutoSynthesizer(["repeat", "manual"], folds=2, verbose=0)
    BalancedDataset(x, labels, synthesizer=auto, seed=0)
    assert labels.reads == 2
    assert checks == [len(x)] * 2


@pytest.mark.once
def test_a_trial_reads_once(checks):
    keras_tuner = pytest.importorskip("keras_tuner")
    x, y = pictures()
    labels = Labels(y)
    hypermodel = kb.tuners.BalancedHyperModel(
        lambda hp: kb.models.convnet((8, 8, 1), 3),
        search_space={"synthesizer": "manual"},
    )
    hp = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(hp)
    hypermodel.fit(hp, hypermodel.build(hp), x, labels, epochs=1, verbose=0)
    assert labels.reads == 1
    assert checks == [len(x)]


def test_what_was_read_goes_through_as_it_is():
    images = LabelledImages(*pictures())
    assert LabelledImages.read(images) is images
    assert BalancedDataset(images).images is images
    for options in ({"y": pictures()[1]}, {"num_classes": 3}):
        with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be None"):
            LabelledImages.read(images, **options)


def test_labels_are_needed():
    with pytest.raises(ValueError, match="`y` must be given"):
        BalancedDataset(pictures()[0])


def test_class_names_are_those_of_the_columns_of_one_hot_labels():
    x, y = np.zeros((6, 8, 8, 1), "uint8"), np.eye(3)[[0, 0, 0, 1, 1, 2]]
    images = LabelledImages(x, y, class_names=["cat", "dog", "emu"])
    counts = kb.BalancedDataset(images, sampling_strategy={"emu": 3}).class_counts
    assert counts == {"cat": 3, "dog": 2, "emu": 3}
    for names in (["cat", "dog"], ["cat", "dog", "cat"]):
        with pytest.raises(ValueError, match="`class_names` must be 3 distinct"):
            LabelledImages(x, y, class_names=names)


@pytest.mark.parametrize("titles", [["a", "b"], ["a", "b", "a"], [], list("abcd")])
def test_titles_are_one_a_class(titles):
    x, y = pictures()
    with pytest.raises(ValueError, match=r"`titles` must be 3 distinct.*titles=\["):
        LabelledImages(x, y, titles=titles)
    with pytest.raises(TypeError, match=r"`titles` must be a sequence.*titles='abc'"):
        LabelledImages(x, y, titles="abc")
    named = LabelledImages(x, y, titles=np.array(["a", "b", "c"]))
    assert BalancedDataset(named, seed=0).real_counts == {"a": 20, "b": 6, "c": 1}


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y,
        lambda y: y[:, None],
        lambda y: np.eye(3, dtype="float32")[y],
        lambda y: np.array(["ant", "bee", "cat"])[y],
        lambda y: (y * 7 - 3).tolist(),
    ],
    ids=["sparse", "column", "one-hot", "names", "list"],
)
def test_labels_come_back_as_they_were(write):
    x, y = pictures()
    images = LabelledImages(x, write(y))
    np.testing.assert_array_equal(images.indices, y)
    np.testing.assert_array_equal(images.labels, write(y))
    assert images.counts.tolist() == list(COUNTS)
    indices = images.as_indices()
    np.testing.assert_array_equal(indices.labels, y)
    assert indices.source is images.source


def test_tensors_of_any_backend():
    x, y = pictures()
    read = LabelledImages(x, y)
    packages = ["tensorflow", "torch"]
    if keras.backend.backend() == "jax":  # which warns of every fork after it
        packages.append("jax.numpy")
    for package in packages:
        module = pytest.importorskip(package)
        make = module.tensor if package == "torch" else None
        make = make or getattr(module, "constant", None) or module.asarray
        tensors = LabelledImages(make(x), make(y))
        assert isinstance(tensors.source.array, np.ndarray)
        np.testing.assert_array_equal(tensors.source.take([3]), read.source.take([3]))
        np.testing.assert_array_equal(tensors.labels, read.labels)


def test_a_part_keeps_classes_and_range():
    images = LabelledImages(*pictures())
    part = images.part(np.array([25, 0, 3]))
    assert part.value_range == images.value_range == (0, 26)
    assert part.indices.tolist() == [1, 0, 0]
    assert part.counts.tolist() == [2, 1, 0]
    assert part.rows_of(0).tolist() == [1, 2]
    assert part.x[:, 0, 0, 0].tolist() == [25, 0, 3]
    with pytest.raises(ValueError, match="without class 2"):
        BalancedDataset(part)


def test_a_sample_holds_a_few_of_each_class_in_order():
    images = LabelledImages(*pictures())
    sample, indices = images.sample(4, seed=0)
    assert np.bincount(indices).tolist() == [4, 4, 1]
    rows = sample[:, 0, 0, 0]
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(indices, images.indices[rows.astype(int)])
    again, _ = images.sample(4, seed=0)
    np.testing.assert_array_equal(sample, again)
    assert (images.sample(4, seed=1)[0] != sample).any()


def test_the_layout_is_that_of_the_data():
    x, y = pictures()
    assert LabelledImages(x, y).data_format == "channels_last"
    given = LabelledImages(x, y, data_format="channels_first")
    assert given.data_format == "channels_first"
    keras.config.set_image_data_format("channels_first")
    wanted = "channels_first"
    with pytest.warns(UserWarning, match='Give `data_format="channels_last"`'):
        assert LabelledImages(x, y).data_format == wanted
    assert LabelledImages(x.transpose(0, 3, 1, 2), y).data_format == wanted
    with pytest.raises(ValueError, match="`data_format`"):
        LabelledImages(x, y, data_format="channels")


def test_images_that_look_like_another_layout_are_warned_of():
    torch = pytest.importorskip("torch")
    x, y = pictures()
    x = np.repeat(x, 3, axis=3).transpose(0, 3, 1, 2)
    items = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    for parts in [(x, y), (items,)]:
        with pytest.warns(UserWarning, match=r"\(3, 8, 8\) are taken for 'channels_l"):
            assert BalancedDataset(*parts).images.data_format == "channels_last"
        for data_format in ("channels_first", "channels_last"):
            dataset = BalancedDataset(*parts, data_format=data_format)
            assert dataset.images.data_format == data_format
    # Small images may be anything.
    LabelledImages(np.zeros((4, 3, 4, 8)), [0, 0, 1, 1])
    LabelledImages(np.zeros((4, 4, 5, 3)), [0, 0, 1, 1])


def test_a_batch_is_pure():
    dataset = BalancedDataset(*pictures(), batch_size=8, synthesizer="manual", seed=0)
    wanted = dataset.batch(2, 1)
    assert dataset.epoch == 0
    dataset.epoch = 2
    for one, other in zip(dataset[1], wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(dataset.batch(0, -1)[0], dataset.batch(0, 7)[0])
    with pytest.raises(IndexError):
        dataset.batch(0, 8)


def test_fingerprints_tell_data_apart():
    x, y = np.zeros((4, 2, 2, 1), "uint8"), np.array([0, 0, 1, 1])
    other = x.copy()
    other[3, 1, 1, 0] = 1
    pairs = [(x, y), (other, y), (x, y[::-1]), (x.copy(), y)]
    data = [LabelledImages(*pair) for pair in pairs]
    data += [data[0].weighed([1, 1, 1, weight]) for weight in (1, 2)]
    assert len({images.fingerprint() for images in data}) == 5
    # So few in memory are all looked at.
    for images in data:
        assert images.fingerprint(at_a_glance=True) == images.fingerprint()
