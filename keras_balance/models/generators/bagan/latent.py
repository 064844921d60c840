"""Class-conditional Gaussians in the latent space of the autoencoder."""

import numpy as np
from sklearn.covariance import empirical_covariance, ledoit_wolf

_JITTER = 1e-6


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
    return means[labels] + np.einsum("nij,nj->ni", factors[labels], noise)


def typical_radius(codes, labels, means, factors, quantile):
    """Mahalanobis distance that holds `quantile` of the real codes, 1 at least.

    Infinite for the quantile None.
    """
    if quantile is None:
        return float("inf")
    noise = np.linalg.solve(factors[labels], (codes - means[labels])[..., None])
    distance = np.quantile(np.linalg.norm(noise[..., 0], axis=1), quantile)
    return max(float(distance), 1.0)
