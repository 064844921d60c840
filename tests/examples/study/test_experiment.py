"""The data sets of the experiment, where they are read from a folder."""

import io
import zipfile

import numpy as np
from PIL import Image

from study import cifar, experiment


def test_reads_the_planes_of_cifar10(tmp_path):
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 2, 32, 32, 3), dtype="uint8")
    for label, (name, two) in enumerate(
        zip([*names, "test_batch.bin"], images, strict=True)
    ):
        planes = two.transpose(0, 3, 1, 2).reshape(2, -1)
        np.insert(planes, 0, label, axis=1).tofile(tmp_path / name)
    (x, y), (x_test, y_test) = experiment.load("cifar10", tmp_path)
    np.testing.assert_array_equal(x, images[:5].reshape(10, 32, 32, 3))
    assert y.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    np.testing.assert_array_equal(x_test, images[5])
    assert y_test.tolist() == [5, 5]


def test_a_copy_of_cifar10_in_folders_is_drawn_as_the_original(tmp_path):
    rng = np.random.default_rng(0)
    seen = {"train": np.zeros(10, int), "test": np.zeros(10, int)}
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
        for name in [*names, "test_batch.bin"]:
            split = name.replace("data", "train").split("_")[0]
            labels = rng.integers(0, 10, 20, dtype="uint8")
            images = rng.integers(0, 256, (20, 32, 32, 3), dtype="uint8")
            planes = images.transpose(0, 3, 1, 2).reshape(20, -1)
            np.insert(planes, 0, labels, axis=1).tofile(tmp_path / name)
            for image, label in zip(images, labels, strict=True):
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                number = seen[split][label]
                archive.writestr(
                    f"{split}/{cifar.CLASSES[label]}/{number:04}.png", file.getvalue()
                )
                seen[split][label] += 1
    original, copy = cifar.load(tmp_path), cifar.load(tmp_path / "copy.zip")
    assert len(original.images) == 120
    np.testing.assert_array_equal(original.images, copy.images)
    np.testing.assert_array_equal(original.labels, copy.labels)
    np.testing.assert_array_equal(original.test, copy.test)
    for mine, copied in zip(original.ranked, copy.ranked, strict=True):
        np.testing.assert_array_equal(mine, copied)


def test_reads_a_zip_of_cifar10s_photographs(tmp_path):
    path = tmp_path / "cifar10.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, name in enumerate(cifar.CLASSES):
            for split, grey in (("train", 10 * place), ("test", 200)):
                file = io.BytesIO()
                Image.new("RGB", (32, 32), (grey,) * 3).save(file, "JPEG")
                archive.writestr(f"cifar10/{split}/{name}/0001.jpg", file.getvalue())
    (x, y), (x_test, y_test) = experiment.load("cifar10", path)
    assert x.shape == x_test.shape == (10, 32, 32, 3)
    assert sorted(y.tolist()) == sorted(y_test.tolist()) == [*range(10)]
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), 10 * y, atol=2)
    np.testing.assert_allclose(x_test, 200, atol=2)


def test_what_keras_loads_gets_the_same_form(monkeypatch):
    x, y = np.zeros((4, 32, 32, 3), "uint8"), np.arange(4, dtype="uint8")[:, None]
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: ((x, y), (x, y)))
    for images, labels in experiment.load("cifar10"):
        assert images.shape == (4, 32, 32, 3)
        assert labels.tolist() == [0, 1, 2, 3]
    x, y = np.zeros((4, 28, 28), "uint8"), np.arange(4)
    monkeypatch.setattr(
        "keras.datasets.fashion_mnist.load_data", lambda: ((x, y), (x, y))
    )
    for images, labels in experiment.load("fashion_mnist"):
        assert images.shape == (4, 28, 28, 1)
        assert labels.tolist() == [0, 1, 2, 3]
