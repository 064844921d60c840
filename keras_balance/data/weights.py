"""How much each image of a batch weighs."""

import reprlib
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
            real = check_sample_weight(sample_weight, len(images))
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


def warn_of_rarity_counted_twice(classes, real, shown):
    """Warn where the `fit` that asks for an epoch corrects for rarity, too.

    Its `class_weight`, and the class counts and `tau` of its loss, are looked for in
    `fit` itself, since Keras says nothing of them to a data set. What leaves each class
    that was filled no heavier than the most frequent one corrects nothing twice.

    Args:
        classes: Labels of the classes in the batches, where these are not one-hot.
        real: Real images of each class, array `(num_classes,)`.
        shown: Images of each class in an epoch.

    Returns:
        Whether there was something to warn of.
    """
    classes = np.arange(len(real)) if classes is None else np.asarray(classes)
    model, class_weight = _fit_in_progress()
    by_weight = _factors_of_class_weight(class_weight, classes)
    by_loss = _factors_of_loss(getattr(model, "loss", None), len(real))
    given = [factors for factors in (by_weight, by_loss) if factors is not None]
    weights = np.prod([shown, *given], axis=0)
    is_heavier = weights > _TOLERANCE * weights[np.argmax(real)]
    by_feed = (is_heavier & (shown > real)).any()
    if not is_heavier.any() or not (len(given) + by_feed > 1):
        return False
    name = "The loss" if by_weight is None else "`class_weight`"
    advice = "give it the BalancedDataset" if by_weight is None else "leave it out"
    if by_feed:
        other = "balanced batches have"
        advice += ', or leave the shortfall as it is by `synthesizer="nothing"`'
    else:
        other = "the loss has"
    warnings.warn(
        f"{name} corrects a second time what {other} corrected: {advice}.",
        stacklevel=4,
    )
    return True


def _fit_in_progress():
    """Give the model that `fit` trains and its `class_weight`, where `fit` asks.

    An evaluation within `fit` weighs nothing.
    """
    for _, name, held in callers():
        if name in ("fit", "evaluate") and isinstance(held.get("self"), keras.Model):
            is_fit = name == "fit"
            return held["self"] if is_fit else None, held.get("class_weight")
    return None, None


def _factors_of_class_weight(class_weight, classes):
    if not isinstance(class_weight, dict) or classes.dtype.kind not in "iufb":
        return None
    return np.array([class_weight.get(int(label), 1.0) for label in classes])


def _factors_of_loss(loss, num_classes):
    """By how much a loss weighs up each class; None where it does not, or has said."""
    counts = np.array(getattr(loss, "class_counts", ()), "float64")
    tau = getattr(loss, "tau", 0.0)
    if len(counts) != num_classes or not tau or getattr(loss, "has_warned", False):
        return None
    return counts**-tau


def read_sample_weight(sample_weight):
    """`sample_weight` as a new float64 array.

    Raises:
        TypeError: For what are no numbers.
    """
    try:
        return np.array(to_numpy(sample_weight), dtype="float64")
    except (TypeError, ValueError) as error:
        raise TypeError(
            "`sample_weight` must hold numbers. "
            f"Received: sample_weight={reprlib.repr(sample_weight)}"
        ) from error


def check_sample_weight(sample_weight, number):
    """`sample_weight` as float64 `(number,)`.

    Raises:
        TypeError: For what are no numbers.
        ValueError: For weights of another shape, negative ones and such as are not
            finite.
    """
    weights = read_sample_weight(sample_weight)
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
