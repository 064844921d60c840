"""What is measured of a generator's images, and how it is told."""

import numpy as np

from small_data import class_images
from study import quality


class Copies:
    """Draws the images that it was trained on."""

    def __init__(self, image_shape, num_classes, seed):
        self.image_shape = image_shape

    def fit(self, x, y, verbose):
        self.x, self.y = x, y

    def generate(self, labels, seed=None):
        rows = [np.flatnonzero(self.y == label) for label in labels]
        chosen = [of[n % len(of)] for n, of in enumerate(rows)]
        return self.x[chosen].astype("float32")


def test_copies_are_of_their_class_and_near_what_they_copy(monkeypatch):
    monkeypatch.setattr(quality, "RARE", 1)
    monkeypatch.setattr(quality, "PER_CLASS", 60)
    told = quality.measure(Copies, *class_images((60, 60, 60)))
    assert told["agreement"] == told["agreement_all"] == 1
    assert told["nearest"] == 0
    assert told["precision"] == 1
    assert 0.7 < told["diversity"] < 1.1
    (line,) = quality.quality_table([{"arm": "Copies", **told}]).splitlines()[2:]
    assert line.startswith("| `Copies` | 1.00 | 1.00 |")


def test_what_is_no_copy_is_as_far_as_real_images_are():
    x, _ = class_images((200,))
    near = quality.nearest(x[100:].astype("float32"), x[:12], x)
    assert 0.95 < near < 1.05
