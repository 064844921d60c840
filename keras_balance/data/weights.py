"""How much each image of a batch weighs."""

import numpy as np

from keras_balance.data.sources import to_numpy


class Weights:
    """Sample weights: the user's own, times those of synthetic images.

    Args:
        sample_weight: Weights `(n,)` of the real images, or None for 1 each.
        synthetic_weight: Number or None for 1.
        images: `LabelledImages`.
        classes: Class indices of all images of an epoch, the synthetic ones last.

    Raises:
        ValueError: For weights of another shape, negative ones and such as are not
            finite.
    """

    def __init__(self, sample_weight, synthetic_weight, images, classes):
        self._num_real = len(images)
        self._synthetic = synthetic_weight
        self._own = None
        if sample_weight is not None:
            real = _check(sample_weight, len(images))
            sums = np.bincount(images.indices, real, images.num_classes)
            means = sums / np.maximum(images.counts, 1)
            self._own, self._means, self._classes = real, means, classes

    def of(self, positions, rows):
        """Float32 weights of the images at positions of an epoch; None where all are 1.

        Args:
            positions: int array; those of synthetic images lie beyond the real ones.
            rows: The rows behind them, beyond the real images for those that are made.
        """
        if self._own is None and self._synthetic is None:
            return None
        weights = np.ones(len(positions))
        if self._own is not None:
            weights = self._means[self._classes[positions]]
            is_real = rows < self._num_real
            weights[is_real] = self._own[rows[is_real]]
        if self._synthetic is not None:
            weights[positions >= self._num_real] *= self._synthetic
        return weights.astype("float32")


def _check(sample_weight, number):
    weights = np.asarray(to_numpy(sample_weight), dtype="float64")
    if weights.shape != (number,):
        raise ValueError(
            f"`sample_weight` must hold one number for each of the {number} images. "
            f"Received: sample_weight of shape {weights.shape}"
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            "`sample_weight` must be finite and not negative. Received: "
            f"sample_weight from {weights.min()} to {weights.max()}"
        )
    return weights
