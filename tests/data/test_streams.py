"""Pipelines as a source to balance."""

import logging

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import BalancedDataset, LabelledImages, reading
from keras_balance.utils import progress_line

X = np.arange(20).astype("uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8")
Y = np.repeat([0, 1], [15, 5])
AGE = np.arange(20).astype("float32")[:, None]


class Items:
    """As a torch `Dataset` is: items by index."""

    def __init__(self, y=Y, length=20):
        self.y, self.length, self.fetched = y, length, 0

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        self.fetched += 1
        return X[index], self.y[index]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(5 * index, 5 * index + 5)
        return X[rows], Y[rows]


def same_as_arrays(x, y=None, **options):
    """That the epochs of a source are those of the arrays, its counts exact."""
    ours = BalancedDataset(x, y, seed=0, **options)
    wanted = BalancedDataset(X, Y, seed=0)
    assert list(ours.class_counts.values()) == [15, 15]
    assert list(ours.real_counts.values()) == [15, 5]
    for epoch in (2, 0):
        images, labels = ours.batch(epoch, 0)
        if options:
            images, labels = images["photo"], labels["defect"]
        assert np.bincount(labels).tolist() == [15, 15]
        for one, other in zip((images, labels), wanted.batch(epoch, 0), strict=True):
            np.testing.assert_array_equal(one, other)
    ours.epoch = 2
    keras.tree.map_structure(np.testing.assert_array_equal, ours[0], ours.batch(2, 0))


def tensors(batch_size=None, named=False):
    tf = pytest.importorskip("tensorflow")
    parts = ({"photo": X, "age": AGE}, {"defect": Y}) if named else (X, Y)
    x = tf.data.Dataset.from_tensor_slices(parts)
    return x if batch_size is None else x.batch(batch_size)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_names_of_tensorflow_are_text(batch_size):
    tf = pytest.importorskip("tensorflow")
    names = np.array(["a", "bee"])[Y]
    x = tf.data.Dataset.from_tensor_slices((X, names))
    x = x if batch_size is None else x.batch(batch_size)
    for parts in [(x,), (X, tf.constant(names))]:
        dataset = BalancedDataset(*parts, sampling_strategy={"bee": 9}, seed=0)
        assert dataset.class_counts == {"a": 15, "bee": 9}


def of_unknown_length():
    return tensors().filter(lambda image, label: True)


def items_of_torch(named=False):
    torch = pytest.importorskip("torch")
    if not named:
        return torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))

    class Named(torch.utils.data.Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, index):
            return {"photo": X[index], "age": AGE[index]}, {"defect": Y[index]}

    return Named()


def stream_of_torch():
    torch = pytest.importorskip("torch")

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return zip(torch.tensor(X), torch.tensor(Y), strict=True)

    return Stream()


def loader(data, **options):
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(data, batch_size=3, **options)


def mapped(folder):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def hdf5(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "x.h5", "w") as file:
        file["x"] = X
    return h5py.File(folder / "x.h5")["x"]


def image_files(folder):
    for row, image in enumerate(X):
        path = folder / "images" / str(Y[row]) / f"{row:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, image, scale=False)
    return folder / "images"


def from_folder(folder):
    return kb.data.balanced_image_dataset_from_directory(
        image_files(folder), image_size=(4, 4), color_mode="grayscale", shuffle=False
    ).images


def from_table(folder):
    paths = sorted(str(path) for path in image_files(folder).rglob("*.png"))
    table = folder / "table.csv"
    rows = "\n".join(f"{path},{label}" for path, label in zip(paths, Y, strict=True))
    table.write_text(f"filename,class\n{rows}\n", encoding="utf-8")
    return kb.data.balanced_image_dataset_from_dataframe(
        table,
        image_size=(4, 4),
        color_mode="grayscale",
        label_mode="int",
        shuffle=False,
    ).images


SOURCES = {
    "array": lambda folder: (X, Y),
    "memmap": lambda folder: (mapped(folder), Y),
    "hdf5": lambda folder: (hdf5(folder), Y),
    "folder": lambda folder: (from_folder(folder),),
    "table": lambda folder: (from_table(folder),),
    "tf.data": lambda folder: (tensors(),),
    "tf.data, batched": lambda folder: (tensors(7),),
    "tf.data, unknown length": lambda folder: (of_unknown_length(),),
    "tf.data, in a file": lambda folder: (
        LabelledImages(tensors(7), cache=folder / "images"),
    ),
    "torch Dataset": lambda folder: (items_of_torch(),),
    "torch Dataset, in a file": lambda folder: (
        LabelledImages(items_of_torch(), cache=folder / "images"),
    ),
    "torch IterableDataset": lambda folder: (stream_of_torch(),),
    "DataLoader": lambda folder: (loader(items_of_torch(), shuffle=True),),
    "DataLoader, iterable": lambda folder: (loader(stream_of_torch()),),
    "PyDataset": lambda folder: (Batches(),),
}
NAMED = {
    "dict": lambda: ({"photo": X, "age": AGE}, {"defect": Y}),
    "tf.data of dicts": lambda: (tensors(named=True),),
    "tf.data of dicts, batched": lambda: (tensors(7, named=True),),
    "torch Dataset of dicts": lambda: (items_of_torch(named=True),),
    "DataLoader of dicts": lambda: (loader(items_of_torch(named=True)),),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_epochs_of_the_arrays(source, tmp_path):
    same_as_arrays(*SOURCES[source](tmp_path))


@pytest.mark.parametrize("source", NAMED)
def test_every_source_of_named_entries(source):
    same_as_arrays(*NAMED[source](), images="photo", labels="defect")


def test_entries_of_a_pipeline_that_are_not_there():
    with pytest.raises(ValueError, match=r"`images` must name one of .*'photo', 'age'"):
        LabelledImages(tensors(named=True), labels="defect")
    with pytest.raises(ValueError, match="`labels` must name one of"):
        LabelledImages(items_of_torch(named=True), images="photo", labels="age")


def folder_of_keras(label_mode, path):
    for name, number in [("frequent", 6), ("rare", 2)]:
        (path / name).mkdir()
        for place in range(number):
            keras.utils.save_img(path / name / f"{place}.png", np.zeros((4, 4, 3)))
    return keras.utils.image_dataset_from_directory(
        path, label_mode=label_mode, image_size=(4, 4), verbose=False
    )


@pytest.mark.parametrize("label_mode", ["int", "categorical", "binary"])
def test_a_folder_of_keras_tells_the_names_of_its_classes(label_mode, tmp_path):
    pytest.importorskip("tensorflow")
    x = folder_of_keras(label_mode, tmp_path)
    dataset = BalancedDataset(x, sampling_strategy={"rare": 5}, seed=0)
    assert dataset.class_counts == {"frequent": 6, "rare": 5}
    named = LabelledImages(x, titles=["many", "few"])
    assert named.encoding.keys == ["many", "few"]


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], None])
def test_names_that_are_not_one_a_label_are_left_out(names):
    batches = Batches()
    batches.class_names = names
    assert BalancedDataset(batches, seed=0).class_counts == {0: 15, 1: 15}


@pytest.mark.parametrize("make", [Items, Batches, lambda: tensors(9)])
def test_labels_beside_a_pipeline_are_refused(make):
    with pytest.raises(ValueError, match=r"`y` must be None.*Received: y of type nd"):
        BalancedDataset(make(), Y)


def test_what_is_no_pipeline_to_balance():
    with pytest.raises(ValueError, match="must end"):
        BalancedDataset(tensors().repeat())
    with pytest.raises(ValueError, match="images and labels"):
        BalancedDataset(tensors().map(lambda image, label: image))
    for empty in (Items(length=0), tensors().take(0)):
        with pytest.raises(ValueError, match="must hold images"):
            BalancedDataset(empty)
    with pytest.raises(ValueError, match="`cache` must be None"):
        LabelledImages(X, Y, cache="images")


@pytest.mark.parametrize("batch_size", [None, 7])
def test_weights_of_a_pipeline_are_kept(batch_size):
    tf = pytest.importorskip("tensorflow")
    x = tf.data.Dataset.from_tensor_slices((X, Y, AGE[:, 0]))
    x = x if batch_size is None else x.batch(batch_size)
    ours = BalancedDataset(x, synthetic_weight=0.5, seed=0)
    wanted = BalancedDataset(
        X, Y, sample_weight=AGE[:, 0], synthetic_weight=0.5, seed=0
    )
    np.testing.assert_array_equal(ours[0][2], wanted[0][2])


def test_a_file_is_mapped_and_not_read(tmp_path):
    path = tmp_path / "images"
    images = LabelledImages(tensors(7), cache=path)
    assert isinstance(images.x, np.memmap)
    assert path.stat().st_size == X.nbytes
    assert [one.name for one in tmp_path.iterdir()] == ["images"]


def test_the_size_is_said_before(caplog, capsys, monkeypatch):
    caplog.set_level(logging.INFO)
    LabelledImages(tensors(7))
    assert "Reading 3 elements, 336 bytes, into memory" in caplog.text
    LabelledImages(of_unknown_length())
    assert "an unknown number of elements, 16 bytes each, into memory" in caplog.text
    LabelledImages(Items())
    assert "Reading the labels of 20 items" in caplog.text
    assert capsys.readouterr().out == ""  # of a small one nothing is on the screen
    monkeypatch.setattr(reading, "_BYTES", 100)
    LabelledImages(tensors(7))
    assert capsys.readouterr().out.startswith("Reading 3 elements, 336 bytes")


def test_progress(capsys, monkeypatch):
    seconds = iter(range(0, 1000, 20))
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: next(seconds))
    for rewrites, lines in ((False, 10), (True, 1)):
        monkeypatch.setattr(progress_line, "can_rewrite", lambda can=rewrites: can)
        LabelledImages(Items())
        text = capsys.readouterr().out
        assert text.count("\n") == lines
        assert "Reading the labels of 20 items: 50%" in text


def test_items_are_fetched_when_they_are_needed():
    items = Items()
    dataset = BalancedDataset(items, batch_size=4, seed=0)
    read = items.fetched
    assert read <= len(X) + 1
    dataset[0]
    assert items.fetched == read + 4
    kb.data.LabelledImages(items).part([3]).x[0, 0, 0, 0] = 0


class Said:
    """Elements of which it says that there are more."""

    element_spec = None

    def __iter__(self):
        return zip(X, Y, strict=True)

    def cardinality(self):
        return 21


def test_a_source_that_changes_is_one_error(tmp_path):
    items = Items()
    images = LabelledImages(items)
    hdf5_images = LabelledImages(hdf5(tmp_path), Y)
    with pytest.raises(RuntimeError, match="same number of items, in the same order"):
        LabelledImages(Said())
    items.y = 1 - Y
    with pytest.raises(RuntimeError, match=r"same order.*item 3 with the label"):
        images.source.take([3])
    items.y, items.length = Y, 19
    with pytest.raises(RuntimeError, match="19 items, before 20"):
        images.source.take([3])
    hdf5_images.source.array = X[:-1]
    with pytest.raises(RuntimeError, match="19 images, before 20"):
        hdf5_images.source.take([3])


def test_images_of_several_shapes(tmp_path):
    class Growing(Items):
        def __getitem__(self, index):
            return np.zeros((4 + index // 10, 4, 1)), self.y[index]

    with pytest.raises(ValueError, match="one shape"):
        LabelledImages(Growing())
    with pytest.raises(ValueError, match="one shape"):
        LabelledImages(Growing(), cache=tmp_path / "images")
    assert list(tmp_path.iterdir()) == []


def test_of_a_loader_of_some_items_these_are_read():
    torch = pytest.importorskip("torch")
    places = [0, 3, 17, 18, 6]
    sampler = torch.utils.data.SubsetRandomSampler(places)
    images = LabelledImages(loader(items_of_torch(), sampler=sampler))
    np.testing.assert_array_equal(images.labels, Y[places])
    np.testing.assert_array_equal(images.source.take(np.arange(5)), X[places])


class Dicts(Items):
    def __getitem__(self, index):
        return {"image": X[index], "label": self.y[index]}


def test_what_wraps_a_dataset_is_not_what_it_wraps():
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    whole = data.TensorDataset(torch.zeros(6, 2, 2, 1), torch.tensor([0, 1] * 3))

    class Other(data.Dataset):
        dataset = whole

        def __len__(self):
            return 4

        def __getitem__(self, index):
            image, label = whole[index]
            return image + 7, label

    other = kb.BalancedDataset(Other(), sampling_strategy={})
    assert len(other.images) == 4
    assert (other[0][0] == 7).all()
    some = kb.BalancedDataset(data.Subset(whole, [0, 1, 3]), sampling_strategy={})
    assert some.real_counts == {0: 1, 1: 2}
    sampler = data.SubsetRandomSampler([0, 1, 3])
    for options in (
        {"batch_sampler": data.BatchSampler(sampler, 2, False)},
        {"sampler": [0, 1, 3]},
    ):
        loader = data.DataLoader(whole, **options)
        some = kb.BalancedDataset(loader, sampling_strategy={})
        assert some.real_counts == {0: 1, 1: 2}


def test_a_file_that_another_took_the_place_of_is_an_error(tmp_path):
    torch = pytest.importorskip("torch")

    class Stream(torch.utils.data.IterableDataset):
        def __init__(self, rows):
            self.rows = rows

        def __iter__(self):
            return ((torch.full((2, 2, 1), row), row % 2) for row in self.rows)

    path = tmp_path / "images"
    read = kb.data.LabelledImages
    dataset = kb.BalancedDataset(read(Stream(range(6)), cache=path))
    assert dataset[0][0].shape[1:] == (2, 2, 1)
    read(Stream(range(6, 12)), cache=path)
    with pytest.raises(RuntimeError, match="which another file has replaced"):
        dataset[0]


def test_what_a_loader_makes_of_its_items_is_warned_of():
    def collate(items):
        return items

    told = "`collate_fn` is not used.* read from `loader.dataset`"
    with pytest.warns(UserWarning, match=told):
        images = LabelledImages(loader(Items(), collate_fn=collate))
    np.testing.assert_array_equal(images.source.take(np.arange(20)), X)
    with (
        pytest.warns(UserWarning, match=told),
        pytest.raises(ValueError, match=r"must give images.*Received: dict"),
    ):
        BalancedDataset(loader(Dicts(), collate_fn=collate))


def test_loaders_of_torchs_own_kind_are_not_warned_of():
    torch = pytest.importorskip("torch")
    LabelledImages(torch.utils.data.DataLoader(Items(), batch_size=None))
    collate = torch.utils.data.default_collate
    LabelledImages(loader(Items(), collate_fn=collate))


class TwoTypes(Items):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image.astype("uint16") if index % 2 else image, label


@pytest.mark.once
@pytest.mark.parametrize("is_indexed", [True, False])
def test_images_of_two_types_are_refused(is_indexed, tmp_path):
    cache = None if is_indexed else tmp_path / "images"
    with pytest.raises(ValueError, match=r"one type.*uint8 and uint16"):
        LabelledImages(TwoTypes(), cache=cache)
