import copy
import json
import os
import pickle
import re

import keras
import numpy as np
import pytest
from PIL import Image

import keras_balance as kb
from keras_balance.data import balanced_image_dataset_from_directory as from_directory
from keras_balance.data.image_files import ImageFiles
from keras_balance.utils.class_counts import read_class_counts

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = {"cat": 12, "dog": 5, "newt": 3}


@pytest.fixture
def folder(tmp_path):
    """Image files of one colour each, which tells the file."""
    number = 0
    for name, count in COUNTS.items():
        os.makedirs(tmp_path / name)
        for i in range(count):
            image = np.full((6, 8, 3), number, "uint8")
            keras.utils.save_img(tmp_path / name / f"{i}.png", image, scale=False)
            number += 10
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    return tmp_path


def test_balances_files(folder):
    dataset = from_directory(folder, batch_size=7, image_size=(6, 8), seed=1)
    assert dataset.class_names == ["cat", "dog", "newt"]
    assert dataset.class_counts == {"cat": 12, "dog": 12, "newt": 12}
    assert len(dataset.file_paths) == 20
    images, labels = (np.concatenate(part) for part in zip(*dataset, strict=True))
    assert images.shape == (36, 6, 8, 3)
    assert sorted(set(images[:, 0, 0, 0])) == list(range(0, 200, 10))
    borders = np.array([120, 170])
    np.testing.assert_array_equal(labels, np.digitize(images[:, 0, 0, 0], borders))
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[1][0], dataset[1][0])


def test_arguments_of_keras(folder):
    options = {"image_size": (np.int64(4), 4), "seed": 1, "color_mode": "grayscale"}
    one_hot = from_directory(folder, label_mode="categorical", **options)
    assert one_hot[0][0].shape == (32, 4, 4, 1)
    assert one_hot[0][1].shape == (32, 3)
    names = ["newt", "cat"]
    binary = from_directory(folder, class_names=names, label_mode="binary", **options)
    assert binary.class_names == names
    assert binary[0][1].shape == (24, 1)
    first = from_directory(folder, data_format="channels_first", **options)
    np.testing.assert_array_equal(first[0][0][:, 0], one_hot[0][0][..., 0])
    numbers = from_directory(folder, labels=[3, 7] * 10, **options)
    assert numbers.class_counts == {3: 10, 7: 10}
    flipped = from_directory(
        folder, synthesizer=keras.layers.RandomFlip(), workers=2, **options
    )
    assert flipped.num_synthetic == 16
    assert flipped.workers == 2


def test_counts_keep_the_order_of_the_names(folder):
    dataset = from_directory(folder, class_names=["newt", "cat"], sampling_strategy={})
    expected = [COUNTS["newt"], COUNTS["cat"]]
    for counts in (dataset, dataset.class_counts, dataset.real_counts):
        assert read_class_counts(counts).tolist() == expected
    assert read_class_counts(copy.deepcopy(dataset.class_counts)).tolist() == expected
    names = json.loads(json.dumps(dataset.class_counts))
    assert [*names.values()] == expected


def test_aspect_ratio(folder):
    image = np.zeros((4, 12, 3), "uint8")
    image[:, 4:8] = 255
    keras.utils.save_img(folder / "dog" / "wide.png", image, scale=False)
    options = {"image_size": 4, "shuffle": False, "sampling_strategy": {}}

    def read(**more):
        dataset = from_directory(folder, **options, **more)
        return dataset[0][0][dataset.file_paths.index(str(folder / "dog" / "wide.png"))]

    assert (read(crop_to_aspect_ratio=True) == 255).all()
    padded = read(pad_to_aspect_ratio=True, interpolation="nearest")
    assert (padded[0] == 0).all()
    assert padded.max() == 255
    assert 0 < read().mean() < 255


def test_splits_as_keras_does(folder):
    pytest.importorskip("tensorflow")
    options = {"validation_split": 0.4, "seed": 5, "image_size": (6, 8)}
    with pytest.warns(UserWarning, match="3 of 'dog', 0 of 'newt'"):
        ours, held_out = from_directory(folder, subset="both", **options)
    keras_set = keras.utils.image_dataset_from_directory(
        folder, subset="validation", verbose=False, **options
    )
    assert held_out.file_paths == keras_set.file_paths
    assert not set(ours.file_paths) & set(keras_set.file_paths)
    assert len(ours.file_paths) == 12
    assert held_out.num_synthetic == 0
    training = from_directory(folder, subset="training", **options)
    assert training.file_paths == ours.file_paths


def test_errors(folder, tmp_path):
    for arguments, text in [
        ({"label_mode": "soft"}, "label_mode='soft'"),
        ({"color_mode": "cmyk"}, "color_mode='cmyk'"),
        ({"interpolation": "magic"}, "interpolation='magic'"),
        ({"image_size": (0, 4)}, r"image_size\[0\]=0"),
        ({"image_size": (4, 4, 3)}, r"two positive.*image_size=\(4, 4, 3\)"),
        ({"label_mode": "binary"}, "3 classes"),
        ({"class_names": ["cow"]}, "class_names=.'cow'"),
        ({"labels": [0, 1] * 10, "class_names": ["cat"]}, "class_names=.'cat'"),
        ({"labels": [1, 2]}, "20 files"),
        ({"validation_split": 0.5}, "given together"),
        ({"validation_split": 1.5, "subset": "both"}, "1.5"),
        ({"validation_split": 0.5, "subset": "both"}, "seed=None"),
        ({"validation_split": 0.5, "subset": "test", "seed": 1}, "subset='test'"),
    ]:
        with pytest.raises(ValueError, match=text):
            from_directory(folder, **arguments)
    for size in [(4, True), (4, 4.0), "ab"]:
        with pytest.raises(TypeError, match=r"must be an integer.*d: image_size"):
            from_directory(folder, image_size=size)
    os.makedirs(tmp_path / "empty" / "cat")
    with pytest.raises(ValueError, match="must hold images"):
        from_directory(tmp_path / "empty")


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def break_file(folder, kind):
    """Put a file in that cannot be read."""
    path = folder / "dog" / f"broken.{kind}"
    if kind == "bomb.png":
        Image.new("1", (14000, 13000)).save(path)
    elif kind == "txt.png":
        path.write_bytes(b"not a picture")
    else:
        noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), "uint8")
        Image.fromarray(noise).save(path)
        halve(path)
    return path


@pytest.mark.parametrize("kind", ["jpg", "png", "bmp", "gif", "txt.png", "bomb.png"])
def test_a_broken_file_is_named(folder, kind):
    path = break_file(folder, kind)
    options = {"image_size": (6, 8), "batch_size": 100, "seed": 0}
    dataset = from_directory(folder, **options)
    with pytest.raises(OSError, match=re.escape(str(path))):
        dataset[0]
    ((found, error),) = kb.data.unreadable_images(folder)
    assert found == str(path)
    assert found in error
    assert "np.str_" not in error
    assert kb.data.unreadable_images(dataset.file_paths) == [(found, error)]
    with pytest.warns(UserWarning, match="1 of 21 files cannot be read"):
        dataset = from_directory(folder, on_error="skip", **options)
    assert str(path) not in dataset.file_paths
    assert dataset.class_counts == {"cat": 12, "dog": 12, "newt": 12}


@pytest.fixture
def deep(tmp_path):
    """Grey pictures of 16 bits, one of 8 among them."""
    ramp = np.linspace(0, 65535, 64).reshape(8, 8).astype("uint16")
    for name in ("a/0", "a/1", "b/0"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(ramp).save(tmp_path / f"{name}.png")
    Image.fromarray(np.full((8, 8), 255, "uint8")).save(tmp_path / "b" / "1.png")
    return tmp_path, ramp


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
def test_pictures_of_16_bits(deep, color_mode):
    folder, ramp = deep
    options = {"color_mode": color_mode, "image_size": (8, 8), "shuffle": False}
    upper = from_directory(folder, **options)[0][0]
    np.testing.assert_array_equal(upper[0, ..., 0], ramp >> 8)
    dataset = from_directory(folder, dtype="uint16", **options)
    assert dataset.x.dtype == np.uint16
    whole = dataset[0][0]
    colours = whole[..., :3] if color_mode == "rgba" else whole
    assert (colours[0] == ramp[..., None]).all()
    assert (whole[3] == 65535).all()
    if color_mode == "rgba":
        assert (upper[..., 3] == 255).all()
        assert (whole[..., 3] == 65535).all()
    half = from_directory(folder, dtype="uint16", **options | {"image_size": (4, 4)})
    assert (np.diff(half[0][0][0, ..., 0].ravel()) > 0).all()


@pytest.mark.parametrize("label_mode", ["int", "categorical"])
def test_each_class_is_split_where_it_is_asked_for(folder, label_mode):
    options = {"validation_split": 0.2, "subset": "both", "image_size": (6, 8)}
    for seed in range(5):
        with pytest.warns(UserWarning, match="2 of 'cat', 1 of 'dog', 1 of 'newt'"):
            training, validation = from_directory(
                folder, stratify=True, seed=seed, label_mode=label_mode, **options
            )
        assert list(validation.class_counts.values()) == [2, 1, 1]
        assert training.class_counts == {"cat": 10, "dog": 10, "newt": 10}
        assert not set(training.file_paths) & set(validation.file_paths)
        assert len(training.file_paths) + len(validation.file_paths) == 20


def test_validation_files_may_lack_a_class(folder):
    options = {"validation_split": 0.3, "image_size": (6, 8), "shuffle": False}
    with pytest.warns(UserWarning, match="0 of 'cat'"):
        validation = from_directory(folder, subset="validation", **options)
    assert validation.class_counts == {"cat": 0, "dog": 3, "newt": 3}
    # Trained on, a class may not be missing: why it does is said first.
    with (
        pytest.warns(UserWarning, match="are none for training of 'newt'.*`stratify="),
        pytest.raises(ValueError, match="without class 'newt'"),
    ):
        from_directory(folder, subset="training", **options)
    with pytest.warns(UserWarning, match="0 of 'cat', .*and none for training"):
        from_directory(folder, subset="both", sampling_strategy={}, **options)


def test_labels_of_files_are_read_by_the_rule_of_labels(folder):
    with pytest.raises(ValueError, match="`labels` must hold whole numbers"):
        from_directory(folder, labels=[0.5, 1] * 10)
    with pytest.raises(ValueError, match=r"labels\[1\]=None"):
        from_directory(folder, labels=[0, None] * 10)
    named = from_directory(folder, labels=["x", "y"] * 10, image_size=(6, 8), seed=0)
    assert named.class_counts == {"x": 10, "y": 10}


def test_classes_are_called_as_their_folders_are(folder):
    options = {"image_size": (6, 8), "seed": 0}
    named = from_directory(folder, sampling_strategy={"newt": 7}, **options)
    numbered = from_directory(folder, sampling_strategy={2: 7}, **options)
    assert named.class_counts == numbered.class_counts
    assert named.class_counts == {"cat": 12, "dog": 5, "newt": 7}
    assert named.real_counts == COUNTS
    assert "'newt': 3 -> 7" in repr(named)
    assert repr(named).startswith("<BalancedDataset of 20 real and 4 synthetic images")
    with pytest.raises(ValueError, match="'cat', 'dog', 'newt'"):
        from_directory(folder, sampling_strategy={"cow": 7}, **options)


def test_an_automatic_choice_takes_the_dataset_of_a_folder(folder, monkeypatch):
    dataset = from_directory(folder, image_size=(8, 8), seed=0)
    read = []
    take = type(dataset.images.source).take

    def counting(self, rows):
        read.append(len(rows))
        return take(self, rows)

    monkeypatch.setattr(type(dataset.images.source), "take", counting)
    auto = kb.tuners.AutoAugmentation(["nothing", "shift"], folds=2, verbose=0)
    assert auto.fit(dataset).choice in ("nothing", "shift")
    assert "class cat cut to 3" in auto.table()
    assert kb.data.LabelledImages.read(dataset) is dataset.images
    assert 0 < max(read) < 20
    synthesizer = kb.tuners.AutoSynthesizer(["nothing", "repeat"], folds=2, verbose=0)
    chosen = from_directory(folder, image_size=(8, 8), synthesizer=synthesizer, seed=0)
    assert chosen.synthesizer.choice in ("nothing", "repeat")


def build(hp=None):
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((2, 2, 3)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_reports_and_pictures_have_the_names_of_the_folders(folder, tmp_path_factory):
    dataset = from_directory(
        folder, image_size=(2, 2), shuffle=False, sampling_strategy={}
    )
    model = build()
    directory = tmp_path_factory.mktemp("report")
    report = kb.callbacks.PerClassReport(dataset, directory=directory)
    history = model.fit(dataset, callbacks=[report], verbose=0).history
    assert "val_recall_newt" in history
    assert report.report_dict["cat"]["support"] == 12
    assert "newt" in (directory / "report.html").read_text(encoding="utf-8")
    scores = kb.metrics.class_report(dataset, model.predict(dataset, verbose=0))
    assert scores.report == report.report


# keras-tuner calls what `threading` has long deprecated.
@pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")
@pytest.mark.once
def test_a_search_and_a_recipe_take_the_dataset_of_a_folder(folder, tmp_path):
    keras_tuner = pytest.importorskip("keras_tuner")

    training, validation = (
        from_directory(folder, image_size=(2, 2), seed=0, **options)
        for options in ({}, {"sampling_strategy": {}})
    )
    hypermodel = kb.tuners.BalancedHyperModel(
        build, search_space={"synthesizer": "repeat"}, class_names=list(COUNTS)
    )
    tuner = keras_tuner.RandomSearch(
        hypermodel,
        keras_tuner.Objective("val_f1_macro", "max"),
        max_trials=1,
        directory=tmp_path / "search",
        seed=0,
    )
    tuner.search(training, epochs=1, validation_data=validation, verbose=0)
    (trial,) = tuner.oracle.get_best_trials(1)
    assert "val_recall_newt" in trial.metrics.metrics
    auto = kb.AutoBalance(build, recipes=["plain"], seed=0, verbose=0)
    auto.fit(training, epochs=1)
    assert auto.model.predict(np.zeros((1, 2, 2, 3)), verbose=0).shape == (1, 3)


def weights_by_brightness():
    """Weights of the files in their sorted order, and what they are by brightness."""
    paths = [f"{name}/{i}.png" for name, count in COUNTS.items() for i in range(count)]
    weights = np.empty(len(paths))
    weights[np.argsort(paths)] = np.arange(len(paths)) + 1.0
    return np.sort(weights), weights


@pytest.mark.once
def test_weights_go_with_their_files(folder):
    in_order, wanted = weights_by_brightness()
    options = {"image_size": (6, 8), "seed": 1, "sample_weight": in_order}
    split = {"validation_split": 0.4, "subset": "both", "stratify": True}
    (folder / "cat" / "5.png").write_bytes(b"broken")
    with pytest.warns(UserWarning, match="1 of 20 files|for validation"):
        parts = from_directory(folder, on_error="skip", **options, **split)
    brightness = {"train": [], "held out": []}
    for part, seen in zip(parts, brightness.values(), strict=True):
        for images, _, weights in part:
            numbers = (images[:, 0, 0, 0] // 10).astype(int)
            np.testing.assert_array_equal(weights, wanted[numbers])
            seen.extend(weights)
    assert len(set(brightness["train"]) | set(brightness["held out"])) == 19
    with pytest.raises(ValueError, match="one number for each file"):
        from_directory(folder, **{**options, "sample_weight": in_order[1:]})


def test_validation_images_are_not_mixed(folder):
    options = {"validation_split": 0.4, "subset": "both", "stratify": True}
    options |= {"image_size": (6, 8), "seed": 1, "mix": "mixup"}
    with pytest.warns(UserWarning, match="for validation"):
        train, held_out = from_directory(folder, **options)
    assert train.mix is not None
    assert held_out.mix is None
    images, labels = held_out[0]
    assert labels.shape[1:] == train[0][1].shape[1:] == (3,)
    assert set(labels.ravel()) == {0, 1}
    assert (images[:, 0, 0, 0] % 10 == 0).all()


@pytest.mark.once
@pytest.mark.parametrize(
    "pixels",
    [np.full((6, 8), 0.5, "float32"), np.full((6, 8), 70000, "int32")],
)
def test_pictures_that_16_bits_cannot_hold_are_named(tmp_path, pixels):
    for name in ("a", "b"):
        os.makedirs(tmp_path / name)
        Image.fromarray(pixels).save(tmp_path / name / "picture.tiff")
    files = ImageFiles(
        np.array([str(tmp_path / "a" / "picture.tiff")]), "grayscale", (6, 8)
    )
    with pytest.raises(OSError, match=r"picture\.tiff.*of 8 or 16 bits"):
        files[0]
