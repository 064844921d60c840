"""Generated images, of which only the most convincing are kept."""

import math

import numpy as np

from keras_balance.data import checks
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.labels import read_class_labels
from keras_balance.utils.numbers import real_number
from keras_balance.utils.outputs import check_single_probability, class_probabilities


class FilteredSynthesizer:
    """Generates more images than asked for and keeps the most convincing ones.

    Args:
        synthesizer: Object with `generate(labels, seed=None)`, such as a `BAGAN`.
        keep: Part of the generated images that is kept, in (0, 1].
        judge: Function from images `(n, height, width, channels)` to probabilities
            `(n, num_classes)` or wider, or to `(n, 1)` of class 1 of two; an image is
            judged by the one of its class.
            By default `synthesizer.discriminate`, whose last column is "fake". A BAGAN
            without its GAN phase cannot discriminate: give it `bagan.classify`.
        class_names: Optional sequence of the labels in the order of the judge's
            columns; by default the synthesizer's, or else 0, 1, ...

    Raises:
        ValueError: When `keep` is not in (0, 1].
        TypeError: When there is no `generate`, or no `judge` and no `discriminate`.
        RuntimeError: From `generate`, for such a BAGAN and no `judge`.

    Example:
        >>> best_third = kb.data.FilteredSynthesizer(bagan, keep=1 / 3)
        >>> dataset = kb.BalancedDataset(x, y, synthesizer=best_third)
    """

    def __init__(self, synthesizer, keep=0.5, judge=None, class_names=None):
        self.synthesizer = checks.synthesizer(synthesizer)
        real_number("keep", keep, above=0, highest=1)
        if judge is None and not hasattr(synthesizer, "discriminate"):
            raise TypeError(
                "`judge` must be a function where the synthesizer has no "
                f"`discriminate`. Received: judge={judge!r}"
            )
        self.keep = keep
        self.judge = judge
        self.class_names = class_names

    @property
    def data_format(self):
        """Layout of the images, where the synthesizer tells it."""
        return getattr(self.synthesizer, "data_format", None)

    @property
    def value_range(self):
        """Range of the pixels, where the synthesizer tells it."""
        return getattr(self.synthesizer, "value_range", None)

    def generate(self, labels, seed=None):
        """Generate one image for each label.

        Args:
            labels: Labels `(n,)`, as the synthesizer wants them.
            seed: Integer or None.

        Returns:
            Images `(n, height, width, channels)` as the synthesizer makes them; of a
            class, the more convincing come first.
        """
        labels = np.asarray(labels)
        classes, counts = np.unique(labels, return_counts=True)
        tries = np.repeat(classes, [math.ceil(count / self.keep) for count in counts])
        images = to_numpy(self.synthesizer.generate(tries, seed=seed))
        scores = self._scores(images, tries)
        kept = np.empty(len(labels), dtype="int64")
        for label, count in zip(classes, counts, strict=True):
            rows = np.flatnonzero(tries == label)
            best = np.argsort(-scores[rows], kind="stable")[:count]
            kept[labels == label] = rows[best]
        return images[kept]

    def _scores(self, images, labels):
        judge = self.synthesizer.discriminate if self.judge is None else self.judge
        outputs = to_numpy(judge(images))
        check_single_probability(outputs, "judge(images)")
        probabilities = class_probabilities(outputs)
        names = self.class_names
        if names is None:
            names = getattr(self.synthesizer, "class_names", None)
        if names is None:
            names = range(probabilities.shape[1])
        columns, _ = read_class_labels(labels, len(names), list(names), "labels")
        return probabilities[np.arange(len(labels)), columns]
