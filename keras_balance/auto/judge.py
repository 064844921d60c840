"""How well a support vector machine does after training on one or the other feed."""

import math
from concurrent.futures import Future

import numpy as np
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from keras_balance.auto.rows import Rows, in_own_layout, rows_of
from keras_balance.metrics.features import Features, principal_components

# Images of a feed that a backbone looks at; a support vector machine on its features
# needs fewer than one on pixels, and the backbone takes longer than it.
_MOST_BY_BACKBONE = 2_000
_NUMBERS_TOGETHER = 2**19  # in batches of a feed that are augmented together


class Judge:
    """Fits a support vector machine to principal components of the images' features.

    It has no randomness, so that small differences between two feeds are seen: a
    network trained twice on the same feed differs more from itself than most feeds do.
    And it takes a second.

    Args:
        held_out: `LabelledImages` that are held out.
        scored: Indices of the classes to score.
        epochs: Epochs of a feed to fit to.
        most_images: Of a feed; what comes after them is left out.
        features: `Features`, from images to rows; by default their pixels.
    """

    def __init__(self, held_out, scored, epochs=1, most_images=50_000, features=None):
        self.held_out, self.scored = held_out, scored
        self.features = features or Features()
        if self.features.backbone is not None:
            most_images = min(most_images, _MOST_BY_BACKBONE)
        self.epochs, self.most_images = epochs, most_images
        self._rows = rows_of(held_out, self.features)

    def f1(self, dataset):
        """Fit to epochs of a dataset; array of the F1 of each class scored."""
        return self._fit(*self._read(dataset))

    def begin(self, dataset, thread):
        """Read epochs of a dataset, and have a `ThreadPoolExecutor` fit to them.

        Returns:
            `Future` of what `f1` gives.
        """
        return thread.submit(self._fit, *self._read(dataset))

    def _fit(self, rows, indices):
        components = principal_components(rows, copy=False)
        classifier = make_pipeline(components, SVC())
        classifier.fit(rows, indices)
        return class_f1(self.held_out, self.scored, classifier.predict(self._rows))

    def _read(self, dataset):
        """Rows and class indices of the epochs, or of the first part of them."""
        total = self.epochs * len(dataset)
        batches = min(total, -(-self.most_images // dataset.batch_size))
        rows, indices = Rows(batches * dataset.batch_size), []
        for images, labels in _read(dataset, batches):
            for start in range(0, len(images), dataset.batch_size):
                some = images[start : start + dataset.batch_size]
                some = in_own_layout(some, self.held_out.data_format)
                rows.add(self.features(some))
            indices.append(self.held_out.encoding.decode(labels))
        return rows.all, np.concatenate(indices)


def _read(dataset, number):
    """Give images and labels of so many batches, several together where it pays."""
    places = [divmod(batch, len(dataset)) for batch in range(number)]
    if not hasattr(dataset, "batches"):
        yield from (dataset.batch(*place) for place in places)
        return
    numbers = dataset.batch_size * math.prod(dataset.images.image_shape)
    together = max(1, _NUMBERS_TOGETHER // numbers)
    for start in range(0, number, together):
        yield dataset.batches(places[start : start + together])


def known(result):
    """`Future` of what is known already."""
    future = Future()
    future.set_result(result)
    return future


def class_f1(held_out, scored, predicted):
    """Array of the F1 of each class that is scored.

    Every class of the held-out images counts the same, however many they are.

    Args:
        held_out: `LabelledImages` that are held out.
        scored: Indices of the classes to score.
        predicted: Class indices that a classifier gives the images.
    """
    indices = held_out.indices
    return f1_score(
        indices,
        predicted,
        labels=scored,
        average=None,
        sample_weight=1 / np.bincount(indices)[indices],
        zero_division=0,
    )
