"""How much each image of a batch weighs."""

import warnings

import keras
import numpy as np

from keras_balance.data.sources import to_numpy
from keras_balance.utils.callers import callers

# How much more than the most frequent class a rare one may weigh, by rounding.
_TOLERANCE = 1.1


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


def warn_of_class_weight(classes, real, shown):
    """Warn where the `fit` that asks for an epoch weighs rare classes, too.

    They are looked for in `fit` itself, since Keras weighs batches behind their data
    set and says nothing of it to anybody. Weights that leave each class that was
    filled no heavier than the most frequent one correct nothing twice.

    Args:
        classes: Labels of the classes in the batches, where these are not one-hot.
        real: Real images of each class, array `(num_classes,)`.
        shown: Images of each class in an epoch.

    Returns:
        Whether there was something to warn of.
    """
    class_weight = _class_weight_of_fit()
    classes = np.arange(len(real)) if classes is None else np.asarray(classes)
    if not isinstance(class_weight, dict) or classes.dtype.kind not in "iufb":
        return False
    weights = np.array([class_weight.get(int(label), 1.0) for label in classes])
    most = np.argmax(real)
    is_heavier = weights * shown > _TOLERANCE * weights[most] * shown[most]
    if not (is_heavier & (shown > real)).any():
        return False
    warnings.warn(
        "`class_weight` corrects a second time what balanced batches have corrected: "
        "leave it out, or leave the shortfall as it is by "
        '`synthesizer="nothing"`.',
        stacklevel=4,
    )
    return True


def _class_weight_of_fit():
    for _, name, held in callers():
        if name in ("fit", "evaluate") and isinstance(held.get("self"), keras.Model):
            return held.get("class_weight")
    return None


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
