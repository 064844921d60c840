"""How useful generated images are to a classifier: the choice among checkpoints."""

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from keras_balance.metrics.features import principal_components


def usefulness(images, labels, real_images, real_labels, features=None):
    """Balanced accuracy on real images of a classifier trained on generated ones.

    The classification accuracy score of Ravuri and Vinyals 2019, with a support
    vector machine on principal components, which takes a second and has no
    randomness. Images that are sharp but alike score low, as do images that are
    diverse but of the wrong class.

    Args:
        images: Generated images `(n, ...)`.
        labels: Their class indices `(n,)`.
        real_images: Real images `(m, ...)` of the training data.
        real_labels: Their class indices `(m,)`.
        features: Optional `Features` that images are compared by in place of pixels.

    Returns:
        float in [0, 1].
    """
    real = np.asarray(real_images, dtype="float32")
    if features is None:
        flat, real = (part.reshape(len(part), -1) for part in (images, real))
    else:
        # Real images come again with each checkpoint, generated ones never.
        flat, real = features.compute(images), features(real)
    if (flat == flat[0]).all():  # nothing to tell classes by, and no component
        return 1 / len(np.unique(real_labels))
    components = principal_components(flat, svd_solver="full")
    classifier = make_pipeline(components, SVC(C=10.0))
    return float(
        balanced_accuracy_score(real_labels, classifier.fit(flat, labels).predict(real))
    )


def diversity(images, labels, real_images, real_labels, num_classes):
    """Spread of each class's generated images in parts of its real images' spread.

    Near 0 the class has collapsed to one image. A class of a single real image is
    held against the mean spread of the other classes.

    Returns:
        float array `(num_classes,)`.
    """
    spread = _spread(images, labels, num_classes)
    real = _spread(np.asarray(real_images, "float32"), real_labels, num_classes)
    known = real > 0
    real[~known] = real[known].mean() if known.any() else 1.0
    return spread / real


def _spread(images, labels, num_classes):
    """Root mean square distance of each class's images from their mean."""
    flat = images.reshape(len(images), -1)
    spread = np.zeros(num_classes)
    for c in range(num_classes):
        own = flat[labels == c]
        # n - 1: a dozen images are not to look narrower than they are.
        spread[c] = np.sqrt(
            np.square(own - own.mean(axis=0)).sum() / max(len(own) - 1, 1)
        )
    return spread
