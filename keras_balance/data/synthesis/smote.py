"""SMOTE through imbalanced-learn, where it is installed."""

import numpy as np

_NEIGHBORS = 5


class InterpolatedImages:
    """New images on the lines between an image and its nearest ones of the class.

    A class of a single image has no neighbour: that image is repeated.

    Args:
        real: `RealImages`. The images of the classes in need are read into memory.

    Raises:
        ImportError: When imbalanced-learn is not installed.

    Reference:
        Chawla et al. 2002, "SMOTE: Synthetic Minority Over-sampling Technique".
    """

    def __init__(self, real):
        self.real = real
        _import_smote()

    def generate(self, labels, seed):
        """One interpolated image for each class index in `labels`."""
        images = np.empty((len(labels), *self.real.source.shape[1:]), dtype="float32")
        for label in np.unique(labels):
            wanted = np.flatnonzero(labels == label)
            images[wanted] = self._interpolate(label, len(wanted), seed)
        return images

    def _interpolate(self, label, count, seed):
        real = self.real.source.take(self.real.rows_of(label)).astype("float32")
        if len(real) == 1:
            return np.repeat(real, count, axis=0)
        # imbalanced-learn wants a second class, which SMOTE does not look at.
        rows = np.concatenate([real, np.zeros_like(real[:1])]).reshape(
            len(real) + 1, -1
        )
        labels = np.array([1] * len(real) + [0])
        smote = _import_smote()(
            sampling_strategy={1: len(real) + count},
            k_neighbors=min(_NEIGHBORS, len(real) - 1),
            random_state=seed,
        )
        made, _ = smote.fit_resample(rows, labels)
        return made[len(rows) :].reshape(count, *real.shape[1:])


def _import_smote():
    try:
        from imblearn.over_sampling import SMOTE
    except ImportError as error:
        raise ImportError(
            "SMOTE needs imbalanced-learn: pip install imbalanced-learn"
        ) from error
    return SMOTE
