import os
import pickle

import keras
import numpy as np
import pytest

from keras_balance.data import balanced_image_dataset_from_directory as from_directory

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
    assert dataset.class_counts == {0: 12, 1: 12, 2: 12}
    assert len(dataset.file_paths) == 20
    images, labels = (np.concatenate(part) for part in zip(*dataset, strict=True))
    assert images.shape == (36, 6, 8, 3)
    assert sorted(set(images[:, 0, 0, 0])) == list(range(0, 200, 10))
    borders = np.array([120, 170])
    np.testing.assert_array_equal(labels, np.digitize(images[:, 0, 0, 0], borders))
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[1][0], dataset[1][0])


def test_arguments_of_keras(folder):
    options = {"image_size": (4, 4), "seed": 1, "color_mode": "grayscale"}
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
        ({"image_size": (0, 4)}, r"image_size=\(0, 4\)"),
        ({"label_mode": "binary"}, "3 classes"),
        ({"class_names": ["cow"]}, "class_names=.'cow'"),
        ({"labels": [1, 2]}, "20 files"),
        ({"validation_split": 0.5}, "given together"),
        ({"validation_split": 1.5, "subset": "both"}, "1.5"),
        ({"validation_split": 0.5, "subset": "both"}, "seed=None"),
        ({"validation_split": 0.5, "subset": "test", "seed": 1}, "subset='test'"),
    ]:
        with pytest.raises(ValueError, match=text):
            from_directory(folder, **arguments)
    os.makedirs(tmp_path / "empty" / "cat")
    with pytest.raises(ValueError, match="must hold images"):
        from_directory(tmp_path / "empty")


def test_a_broken_file_is_named(folder):
    (folder / "dog" / "broken.png").write_bytes(b"not a picture")
    dataset = from_directory(folder, image_size=(6, 8), batch_size=100, seed=0)
    with pytest.raises(OSError, match=r"broken\.png"):
        dataset[0]
