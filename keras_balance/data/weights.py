"""How much each image of a batch weighs."""

import reprlib
import warnings

import keras
import numpy as np

from keras_balance.data.in_fit import fit_in_progress
from keras_balance.utils.arrays import to_numpy

# How much more than the most frequent class a rare one may weigh, by rounding.
_TOLERANCE = 1.1

_CLASS_WEIGHT = "`class_weight`"


class Weights:
    """Sample weights: the user's own, times those of synthetic images.

    Args:
        synthetic_weight: Number or None for 1.
        images: `LabelledImages`, with the weights of the real ones or None for 1 each.
        classes: Class indices of all images of an epoch, the synthetic ones last.
    """

    def __init__(self, synthetic_weight, images, classes):
        self._num_real = len(images)
        self._synthetic = synthetic_weight
        self._own = None
        if images.sample_weight is not None:
            real = images.sample_weight
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

    Its `class_weight`, and the `class_factors` of its loss and callbacks, are looked
    for in `fit` itself, since Keras says nothing of them to a data set. What leaves
    each class that was filled no heavier than the most frequent one corrects nothing
    twice.

    Args:
        classes: Labels of the classes in the batches, where these are not one-hot.
        real: Real images of each class, array `(num_classes,)`.
        shown: Images of each class in an epoch.

    Returns:
        Whether there was something to warn of.
    """
    classes = np.arange(len(real)) if classes is None else np.asarray(classes)
    given = _factors_in_fit(classes)
    weights = np.prod([shown, *given.values()], axis=0)
    is_heavier = weights > _TOLERANCE * weights[np.argmax(real)]
    by_feed = (is_heavier & (shown > real)).any()
    if not is_heavier.any() or not (len(given) + by_feed > 1):
        return False
    *others, name = given
    is_of_counts = by_feed and name != _CLASS_WEIGHT
    advice = "give it the BalancedDataset" if is_of_counts else "leave it out"
    if by_feed:
        other = "balanced batches have"
        advice += ', or leave the shortfall as it is by `synthesizer="nothing"`'
    else:
        other = f"{others[-1]} has"
    warnings.warn(
        f"{name[0].upper()}{name[1:]} corrects a second time what {other} corrected: "
        f"{advice}.",
        stacklevel=4,
    )
    return True


def _factors_in_fit(classes):
    """By how much the `fit` that asks weighs up each class: a dict of what does it.

    An evaluation within `fit` weighs nothing.
    """
    name, held = fit_in_progress()
    if name != "fit":
        return {}
    callbacks = held.get("callbacks")  # a list, or Keras' own `CallbackList`
    callbacks = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
    given = {"the loss": _factors_of(getattr(held["self"], "loss", None))}
    given |= {f"`{type(part).__name__}`": _factors_of(part) for part in callbacks}
    class_weight = held.get("class_weight")
    given[_CLASS_WEIGHT] = _factors_of_class_weight(class_weight, classes)
    return {
        name: factors
        for name, factors in given.items()
        if len(factors) == len(classes) and np.ptp(factors) > 0
    }


def _factors_of_class_weight(class_weight, classes):
    if not isinstance(class_weight, dict) or classes.dtype.kind not in "iufb":
        return ()
    return np.array([class_weight.get(int(label), 1.0) for label in classes])


def _factors_of(part):
    """Factors of a loss or a callback; none where it has none, or has said so."""
    factors = getattr(part, "class_factors", None)
    return () if factors is None or getattr(part, "has_warned", False) else factors


def read_sample_weight(sample_weight):
    """`sample_weight` as a new float64 array; a column `(n, 1)` as `(n,)`.

    Raises:
        TypeError: For what are no numbers.
    """
    try:
        weights = np.array(to_numpy(sample_weight), dtype="float64")
    except (TypeError, ValueError) as error:
        raise TypeError(
            "`sample_weight` must hold numbers. "
            f"Received: sample_weight={reprlib.repr(sample_weight)}"
        ) from error
    return weights[:, 0] if weights.shape[1:] == (1,) else weights


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
