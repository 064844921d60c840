"""SMOTE through imbalanced-learn, where it is installed."""

import numpy as np

from keras_balance.utils.labels import read_labels
from keras_balance.utils.seeds import check_seed, derive_seed

_NEIGHBORS = 5


class InterpolatedImages:
    """New images on the lines between an image and its nearest ones of the class.

    A class of a single image has no neighbour: that image is repeated.

    Args:
        images: `LabelledImages`. Those of the classes in need are read into memory.

    Raises:
        ImportError: When imbalanced-learn is not installed.

    Reference:
        Chawla et al. 2002, "SMOTE: Synthetic Minority Over-sampling Technique".
    """

    def __init__(self, images):
        self.images = images
        _import_smote()

    def generate(self, labels, seed=None):
        """One interpolated image for each label `(n,)`."""
        classes = self.images.encoding.classes
        indices, _ = read_labels(labels, class_names=classes, name="labels")
        seed = check_seed(seed)
        made = np.empty((len(indices), *self.images.image_shape), dtype="float32")
        for label in np.unique(indices):
            wanted = np.flatnonzero(indices == label)
            made[wanted] = self._interpolate(label, len(wanted), seed)
        return made

    def _interpolate(self, label, count, seed):
        real = self.images.source.take(self.images.rows_of(label)).astype("float32")
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
            random_state=derive_seed(seed, int(label)),
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
