"""New rows of a rare class from what frequent classes vary in: for features."""

import numpy as np

from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, random_generator


class _AroundMeans:
    """Class means and deviations of flattened images."""

    def __init__(self, images, nearest):
        self.images = images
        self.nearest = whole_number("nearest", nearest, 1)
        images.check_every_class()
        every = np.arange(len(images))
        rows = images.source.take(every).reshape(len(images), -1).astype("float32")
        self._means = np.stack(
            [rows[images.rows_of(c)].mean(axis=0) for c in range(images.num_classes)]
        )
        # From a mean of their own, few rows deviate too little.
        counts = images.counts[images.indices, None]
        stretch = np.sqrt(counts / np.maximum(counts - 1, 1)).astype("float32")
        self._deviations = (rows - self._means[images.indices]) * stretch

    def generate(self, labels, seed=None):
        """One row, in the shape of the images, for each label `(n,)`: float32."""
        classes = self.images.encoding.classes
        indices, _ = read_labels(labels, class_names=classes, name="labels")
        seed = check_seed(seed)
        made = np.empty((len(indices), self._means.shape[1]), dtype="float32")
        for c in np.unique(indices):
            wanted = np.flatnonzero(indices == c)
            generator = random_generator(seed, int(c))
            made[wanted] = self._means[c] + self._draw(c, len(wanted), generator)
        # A draw is no more extreme than anything that is real.
        made = np.clip(made, *self.images.value_range)
        return made.reshape(len(indices), *self.images.image_shape)

    def _neighbours(self, label):
        """Rows of the images of the classes whose means are nearest to one class's."""
        distances = np.square(self._means - self._means[label]).sum(axis=1)
        others = np.arange(len(distances)) != label
        # A single image deviates in nothing.
        varying = others & (self.images.counts > 1)
        classes = np.flatnonzero(varying if varying.any() else others)
        classes = classes[np.argsort(distances[classes], kind="stable")]
        classes = classes[: self.nearest]
        return np.flatnonzero(np.isin(self.images.indices, classes))

    def _draw(self, label, count, generator):
        """Deviations `(count, d)` for one class."""
        raise NotImplementedError


class MovedDeviations(_AroundMeans):
    """The rare class's mean, plus the deviation of a real image of a class nearby.

    How the images of one class differ from each other tells how those of a similar one
    do. What deviates from the mean of n images is too short by `sqrt(1 - 1 / n)`, and
    is stretched by as much; a class of a single image has nothing to give. For features
    of a backbone, given as `(n, 1, 1, d)`; the mean of pixels is a blur.

    Args:
        images: `LabelledImages`, or of features.
        nearest: How many classes the deviations are taken from.

    Raises:
        ValueError: For a class without images, and `nearest` below 1.
        TypeError: When `nearest` is no integer.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(len(y), 1, 1, 5))
        >>> dataset = kb.BalancedDataset(features, y, synthesizer="moved")
        >>> dataset[0][0].shape
        (32, 1, 1, 5)

    Reference:
        Hariharan and Girshick 2017, "Low-shot Visual Recognition by Shrinking and
        Hallucinating Features", section 4.2, of which it is the simplest form.
    """

    def __init__(self, images, nearest=3):
        super().__init__(images, nearest)

    def _draw(self, label, count, generator):
        rows = self._neighbours(label)
        return self._deviations[generator.choice(rows, count, replace=True)]


class BorrowedGaussian(_AroundMeans):
    """A Gaussian around the rare class's mean, with the covariance of classes nearby.

    As `MovedDeviations`, and for the same features; what is drawn mixes the real
    deviations evenly, and so has their covariance without being any of them.

    Args:
        images: `LabelledImages`, or of features.
        nearest: How many classes the covariance is taken from.

    Raises:
        ValueError: For a class without images, and `nearest` below 1.
        TypeError: When `nearest` is no integer.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(len(y), 1, 1, 5))
        >>> images = kb.data.LabelledImages(features, y)
        >>> BorrowedGaussian(images).generate([3, 3], seed=0).shape
        (2, 1, 1, 5)

    Reference:
        Yang et al. 2021, "Free Lunch for Few-Shot Learning: Distribution Calibration",
        equations 5 to 7.
    """

    def __init__(self, images, nearest=3):
        super().__init__(images, nearest)

    def _draw(self, label, count, generator):
        deviations = self._deviations[self._neighbours(label)]
        # Sums of them with normal weights: no matrix of d by d is needed.
        shares = generator.normal(size=(count, len(deviations))).astype("float32")
        return shares @ deviations / np.sqrt(len(deviations))
