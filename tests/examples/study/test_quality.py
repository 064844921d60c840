"""What is measured of a generator's images, and how it is told."""

import numpy as np
import pytest
from matplotlib.image import imread

from small_data import class_images, grey_images
from study import quality, quality_sets
from study.lines import Lines
from study.quality_table import quality_table


class Copies:
    """Draws the images that it was trained on."""

    trained = 0

    def __init__(self, image_shape, num_classes, seed):
        Copies.trained += 1

    def fit(self, x, y, verbose):
        self.x, self.y = x, y

    def generate(self, labels, seed=None):
        rows = [np.flatnonzero(self.y == label) for label in labels]
        chosen = [of[n % len(of)] for n, of in enumerate(rows)]
        return self.x[chosen].astype("float32")


@pytest.fixture
def copies(monkeypatch):
    """The generators are one that copies, and a picture goes where the test says."""
    monkeypatch.setattr(quality, "GENERATORS", {"Copies": Copies})
    monkeypatch.setattr(Copies, "trained", 0)


def few_images(monkeypatch):
    """Sixty images of three classes, twelve of the second one."""
    monkeypatch.setattr(quality_sets, "PER_CLASS", 60)
    monkeypatch.setattr(quality_sets, "MOST", 60)
    counts = (60, 60, 60)
    data = class_images(counts), class_images(counts, seed=1)
    return quality_sets.by_pixels(data, ["a", "b", "c"], (1, 2))


def test_copies_are_of_their_class_and_near_what_they_copy(copies, monkeypatch):
    images = few_images(monkeypatch)
    assert np.bincount(images.few[1]).tolist() == [60, 12, 60]
    told, shown = quality.measure("Copies", images)
    assert told["agreement"] == told["agreement_all"] == 1
    assert told["nearest"] == 0
    assert told["precision"] == 1
    assert 0.7 < told["diversity"] < 1.1
    kept = images.few[0][images.few[1] == 1]
    assert all((one == kept).all(axis=(1, 2, 3)).any() for one in shown[0])
    cells = [{"data": "noise", "arm": "Copies", **told}]
    (line,) = quality_table(cells).splitlines()[2:]
    assert line.startswith("| noise | `Copies` | 1.00 | 1.00 |")


def test_real_images_are_none_that_was_trained_on(monkeypatch):
    images = few_images(monkeypatch)
    told, shown = quality.measure(quality.REAL, images)
    assert told["agreement_all"] == 1
    assert 0.9 < told["nearest"] < 1.1
    assert "processor_seconds" not in told
    assert (shown[1] == images.held_out[0][images.held_out[1] == 2][:8]).all()
    (line,) = quality_table([{"data": "noise", "arm": "real", **told}]).splitlines()[2:]
    assert line.startswith("| noise | real | 1.00 |")
    assert line.endswith("|  |")


def test_what_is_there_is_not_trained_again(copies, monkeypatch, tmp_path):
    monkeypatch.setattr(quality, "GALLERY", tmp_path)
    arms = [quality.REAL, "Copies"]
    for _ in range(2):
        cells = Lines(tmp_path / "lines", ["data", "arm"])
        quality.compare(
            cells, "noise", lambda: few_images(monkeypatch), arms, tmp_path / "work"
        )
        assert Copies.trained == 1
    assert [cell["arm"] for cell in cells.cells] == arms
    assert imread(tmp_path / "samples_noise.png").size > 0


def test_a_network_judges_by_what_its_last_hidden_layer_sees(monkeypatch):
    monkeypatch.setattr(quality_sets, "EPOCHS", 20)
    real = grey_images((60, 60), dark=50, step=150)
    held_out = grey_images((10, 10), dark=50, step=150, seed=1)
    counts = {0: 12}
    images = quality_sets.by_network(real, held_out, counts, ["a", "b"], (0, 1))
    assert np.bincount(images.few[1]).tolist() == [12, 60]
    assert images.classify(held_out[0]).shape == (20, 2)
    assert images.features.output_shape == (None, 128)
    told, _ = quality.measure(quality.REAL, images)
    assert told["agreement"] > 0.8


def test_what_is_no_copy_is_as_far_as_real_images_are():
    x, _ = class_images((200,))
    near = quality.nearest(x[100:].astype("float32"), x[:12], x)
    assert 0.95 < near < 1.05
