"""Class-conditional Gaussians in the space of an encoder's codes."""

import keras
import numpy as np
from keras import ops
from sklearn.covariance import empirical_covariance, ledoit_wolf

from keras_balance.utils.numbers import real_number

_JITTER = 1e-6


@keras.saving.register_keras_serializable(package="keras_balance")
class ClassGaussians(keras.layers.Layer):
    """One Gaussian a class over codes, from one image a class on.

    A part of a generator, which makes its weights, fits it and draws codes from it;
    the formulas are those of `fit_class_gaussians`.

    Args:
        shrinkage: `"auto"`, or a number in [0, 1]: how far the covariance of each
            class's codes is drawn to the one within all classes.
        widening: How much wider than its images a rare class is drawn: its variance
            grows by up to this factor and one, the rarer it is the more.
        truncation: Quantile of the real codes' distance beyond which none is drawn;
            None for no bound.

    Raises:
        TypeError: When one is no number.
        ValueError: When one is out of bounds.

    Example:
        >>> published = ClassGaussians(shrinkage=0, widening=0, truncation=None)
        >>> bagan = kb.models.BAGAN((28, 28, 1), 10, gaussians=published)

    Reference:
        Mariani et al. 2018, section 3.2; Ledoit and Wolf 2004.
    """

    def __init__(
        self,
        shrinkage="auto",
        widening=1.2,
        truncation=0.95,
        name="class_gaussians",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.shrinkage = (
            shrinkage
            if shrinkage == "auto"
            else real_number("shrinkage", shrinkage, 0, 1)
        )
        self.widening = real_number("widening", widening, 0)
        self.truncation = (
            None if truncation is None else real_number("truncation", truncation, 0, 1)
        )

    def make_weights(self, num_classes, dimensions):
        """Create the weights, which are saved with the generator.

        Raises:
            ValueError: When they have been made for another generator.
        """
        if self.built:
            raise ValueError(
                "`gaussians` must belong to one generator. "
                f"Received: gaussians={self!r} of another"
            )
        shapes = {
            "means": (num_classes, dimensions),
            "factors": (num_classes, dimensions, dimensions),
            "radius": (),
        }
        for key, shape in shapes.items():
            weight = self.add_weight(
                name=key,
                shape=shape,
                initializer="zeros",
                trainable=False,
                dtype="float32",
            )
            setattr(self, key, weight)
        self.built = True

    def fit(self, codes, labels):
        """Fit to codes `(n, d)` and class indices `(n,)`; each class has one code."""
        means, factors = fit_class_gaussians(
            codes, labels, self.means.shape[0], self.shrinkage, self.widening
        )
        self.means.assign(means)
        self.factors.assign(factors)
        self.radius.assign(
            typical_radius(codes, labels, means, factors, self.truncation)
        )

    def draw(self, labels, generator):
        """Draw float32 codes `(n, d)` for class indices `(n,)`.

        Args:
            labels: Class indices.
            generator: A `numpy.random.Generator`.
        """
        means, factors, radius = map(
            ops.convert_to_numpy, (self.means, self.factors, self.radius)
        )
        return sample_class_gaussians(means, factors, labels, float(radius), generator)

    def transform(self, noise, labels):
        """Turn noise into codes, on tensors: `draw` within a training step.

        Args:
            noise: Standard normal `(n, d)`.
            labels: Class indices `(n,)`.
        """
        distance = ops.norm(noise, axis=1, keepdims=True)
        noise = noise * ops.minimum(1.0, self.radius / distance)
        factors = ops.take(self.factors, labels, axis=0)
        deviations = ops.einsum("nij,nj->ni", factors, noise)
        return ops.take(self.means, labels, axis=0) + deviations

    def get_config(self):
        """Config to rebuild the layer from; weights apart."""
        return super().get_config() | {
            "shrinkage": self.shrinkage,
            "widening": self.widening,
            "truncation": self.truncation,
        }


def fit_class_gaussians(codes, labels, num_classes, shrinkage="auto", widening=0.0):
    """Fit one Gaussian a class, finite and of full rank from one image on.

    A dozen images in 32 dimensions span a hull of rank 11. The covariance of
    class c is therefore shrunk towards the one within all classes,

        Sigma_c = (1 + w s_c) ((1 - s_c) S_c + s_c S_within),    s_c = d / (d + n_c),

    so that a rare class borrows its style from the frequent ones, which is what
    BAGAN promises. `S_within` is Ledoit and Wolf's estimate on the codes less
    their class means. The first factor makes room for what a dozen images do not
    tell, the class's true mean among it; for a frequent class it is near 1.

    Args:
        codes: Codes `(n, d)`.
        labels: Class indices `(n,)`; every class has one image at least.
        num_classes: Number of classes.
        shrinkage: `"auto"` as above, or one `s` in [0, 1] for all classes; 0
            is the published estimate.
        widening: The `w` of the formula.

    Returns:
        `(means, factors)`: float32 `(num_classes, d)` and the lower Cholesky
        factors `(num_classes, d, d)`.

    Reference:
        Mariani et al. 2018, section 3.2; Ledoit and Wolf 2004.
    """
    codes = np.asarray(codes, dtype="float64")
    dimensions = codes.shape[1]
    means = np.stack([codes[labels == c].mean(axis=0) for c in range(num_classes)])
    deviations = codes - means[labels]
    within = ledoit_wolf(deviations, assume_centered=True)[0]
    factors = []
    for c in range(num_classes):
        own = deviations[labels == c]
        s = dimensions / (dimensions + len(own)) if shrinkage == "auto" else shrinkage
        covariance = (1 - s) * _covariance(own) + s * within
        covariance *= 1 + widening * s
        factors.append(np.linalg.cholesky(covariance + _JITTER * np.eye(dimensions)))
    return means.astype("float32"), np.stack(factors).astype("float32")


def _covariance(deviations):
    """Sample covariance, with divisor n - 1; a single image has none."""
    n, dimensions = deviations.shape
    if n == 1:
        return np.zeros((dimensions, dimensions))
    return empirical_covariance(deviations, assume_centered=True) * n / (n - 1)


def sample_class_gaussians(means, factors, labels, radius, generator):
    """Draw one code for each label.

    Args:
        means: `(num_classes, d)`.
        factors: Lower Cholesky factors `(num_classes, d, d)`.
        labels: Class indices `(n,)`.
        radius: Draws further out than this Mahalanobis distance are moved onto
            it, since the decoder has not seen codes there.
        generator: A `numpy.random.Generator`.

    Returns:
        float32 codes `(n, d)`.
    """
    noise = generator.standard_normal((len(labels), means.shape[1])).astype("float32")
    distance = np.linalg.norm(noise, axis=1, keepdims=True)
    noise *= np.minimum(1.0, radius / np.maximum(distance, _JITTER))
    codes, labels = means[labels], np.asarray(labels)
    # Class by class: a factor for each label would take memory without bound.
    for c in np.unique(labels):
        own = labels == c
        codes[own] += noise[own] @ factors[c].T
    return codes


def typical_radius(codes, labels, means, factors, quantile):
    """Mahalanobis distance that holds `quantile` of the real codes, 1 at least.

    Infinite for the quantile None.
    """
    if quantile is None:
        return float("inf")
    distances = np.empty(len(codes))
    for c in np.unique(labels):
        own = labels == c
        noise = np.linalg.solve(factors[c], (codes[own] - means[c]).T)
        distances[own] = np.linalg.norm(noise, axis=0)
    return max(float(np.quantile(distances, quantile)), 1.0)
