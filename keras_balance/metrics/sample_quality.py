"""Whether generated images are right, new, and different from each other."""

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin_min
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_balance.metrics.features import (
    Features,
    principal_components,
    warn_of_pixels,
)
from keras_balance.metrics.manifold import manifold_scores
from keras_balance.utils.images import check_images, check_same_length
from keras_balance.utils.labels import read_labels
from keras_balance.utils.outputs import check_single_probability, predicted_classes


def sample_quality(
    images, labels, real_images, real_labels, classifier=None, features=None
):
    """Score generated images class by class against real ones.

    Args:
        images: Generated images `(n, height, width, channels)`.
        labels: The labels they were asked for, `(n,)` or one-hot.
        real_images: Real images of the training data, in the same scale.
        real_labels: Their labels, in the same encoding.
        classifier: Optional function from images to class probabilities
            `(n, num_classes)`, or `(n, 1)` of class 1 of two, trained on real images
            and independent of the generator. By default a logistic regression on
            principal components.
        features: Optional Keras model from images to vectors `(n, d)`, such as one of
            `keras.applications` with `include_top=False, pooling="avg"` behind its
            preprocessing. Distances and the default classifier then are those of its
            features; by default of pixels, which tell little about photographs.

    Returns:
        Dict of class name to a dict of floats:

        - `"agreement"`: share of the images that the classifier sees as their class,
        - `"novelty"`: median distance to the nearest real image of the class, in
          parts of the median distance between nearest real images. Near 0 the
          images are copies (memorised), far above 1 they are off the class. NaN
          for a class of one real image.
        - `"diversity"`: root of the mean squared distance between two generated images
          of the class, in parts of that between two real ones. Near 0 the class has
          collapsed. NaN for a class of one real or generated image,
        - `"precision"`, `"recall"`, `"density"` and `"coverage"`: how much of the
          generated images lies where real ones do, and the other way about. They are of
          pixels or features, as the distances are, and move with the number of images:
          compare generators by as many.

    Raises:
        ValueError: For images that do not fit together, bad labels, a generated
            class without real images, and `features` that are no finite `(n, d)`.

    Example:
        >>> labels = np.repeat(np.arange(10), 50)
        >>> images = bagan.generate(labels, seed=0)
        >>> quality = kb.metrics.sample_quality(images, labels, x_train, y_train)
        >>> quality["0"]["agreement"]
    """
    for name, batch in (("images", images), ("real_images", real_images)):
        check_images(batch, name)
    if tuple(images.shape[1:]) != tuple(real_images.shape[1:]):
        raise ValueError(
            "`images` and `real_images` must have the same shape. Received: images of "
            f"shape {tuple(images.shape)}, real_images of {tuple(real_images.shape)}"
        )
    check_same_length(images, labels)
    check_same_length(real_images, real_labels)
    real, encoding = read_labels(real_labels, name="real_labels")
    wanted = encoding.decode(labels, name="labels")
    if features is None:
        warn_of_pixels(images.shape, "sample_quality")
    to_rows = Features(features, side=None)
    rows, real_rows = to_rows(images), to_rows(real_images)
    if classifier is None:
        found = _fit_classifier(real_rows, real).predict(rows)
    else:
        outputs = keras.ops.convert_to_numpy(classifier(images))
        check_single_probability(outputs, "classifier(images)")
        found = predicted_classes(outputs)
    hits = found == wanted
    quality = {}
    for index in np.unique(wanted):
        own, own_real = rows[wanted == index], real_rows[real == index]
        quality[str(encoding.classes[index])] = {
            "agreement": float(hits[wanted == index].mean()),
            "novelty": _ratio(_nearest(own, own_real), _nearest_others(own_real)),
            "diversity": _ratio(_rms_distance(own), _rms_distance(own_real)),
            **manifold_scores(own, own_real),
        }
    return quality


def _fit_classifier(rows, labels):
    classifier = make_pipeline(
        principal_components(rows),
        StandardScaler(),
        LogisticRegression(max_iter=1000, class_weight="balanced"),
    )
    return classifier.fit(rows, labels)


def _nearest(rows, others):
    return float(np.median(pairwise_distances_argmin_min(rows, others)[1]))


def _nearest_others(rows):
    """Median distance of rows to the nearest other row; NaN for a single one."""
    if len(rows) < 2:
        return float("nan")
    distances = pairwise_distances(rows)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))


def _rms_distance(rows):
    """Root of the mean squared distance between two rows; NaN for a single one."""
    if len(rows) < 2:
        return float("nan")
    return float(np.sqrt(2 * rows.var(axis=0, ddof=1).sum()))


def _ratio(value, reference):
    return value / reference if reference else float("nan")
