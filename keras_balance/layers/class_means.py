"""Class means of few features, and how far each of them can be trusted."""

import dataclasses

import numpy as np
from sklearn.covariance import shrunk_covariance

# Of the mean deviation: a feature that hardly moved in training may do so later.
_LEAST_DEVIATION = 0.1
# Of a mean's squared length: the most that can be taken for error is the rest.
_LEAST_SIGNAL = 0.1


@dataclasses.dataclass(frozen=True)
class ClassMeans:
    """Class means of features `(n, d)`, and what to do to features to compare them.

    Attributes:
        centre: Vector `(d,)` in the middle of the classes, each weighing by how well
            its mean is known.
        deviation: Standard deviations `(d,)`.
        whitening: Matrix `(d, d)` behind which the noise within classes is alike in all
            directions, or None.
        directions: Unit vectors `(k, d)` of the means, so centred, scaled and whitened.
        gain: How much longer each mean is than the true one, `(k,)`, 1 or more: a mean
            of few rows points beside the true one, and so its cosines are too small.
    """

    centre: np.ndarray
    deviation: np.ndarray
    whitening: np.ndarray | None
    directions: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, rows, indices, num_classes, shrinkage=None):
        """Estimate them.

        Args:
            rows: Features `(n, d)`.
            indices: Their class indices `(n,)`; each class has one row or more.
            num_classes: Number of classes.
            shrinkage: Of the covariance within classes, in (0, 1]; None for no
                whitening.
        """
        counts = np.bincount(indices, minlength=num_classes)
        freedom = max(1, len(rows) - num_classes)
        middle, deviation = rows.mean(axis=0), _deviation(rows)
        rows = (rows - middle) / deviation
        plain = np.stack([rows[indices == c].mean(axis=0) for c in range(num_classes)])
        noise, means, whitening = rows - plain[indices], plain, None
        if shrinkage is not None:
            whitening = _whitening(noise.T @ noise / freedom, shrinkage)
            noise, means = noise @ whitening, plain @ whitening
        error = np.sum(noise**2) / freedom / counts
        weights = _weights(means, error)
        means = means - weights @ means
        # Of a mean less the centre, which it has a part in.
        others = np.sum(weights**2 * error) - weights**2 * error
        error = (1 - weights) ** 2 * error + others
        squares = np.maximum(np.sum(means**2, axis=1), 1e-12)
        signal = np.maximum(squares - error, _LEAST_SIGNAL * squares)
        return cls(
            centre=middle + deviation * (weights @ plain),
            deviation=deviation,
            whitening=whitening,
            directions=means / np.sqrt(squares)[:, None],
            gain=np.sqrt(squares / signal),
        )


def _deviation(rows):
    deviation = rows.std(axis=0)
    least = _LEAST_DEVIATION * deviation.mean()
    return np.maximum(deviation, least if least > 0 else 1.0)


def _whitening(covariance, shrinkage):
    covariance = shrunk_covariance(covariance, shrinkage)
    if not np.trace(covariance) > 0:  # a single row in each class
        return np.eye(len(covariance), dtype="float32")
    return np.linalg.inv(np.linalg.cholesky(covariance)).T.astype("float32")


def _weights(means, error):
    """Weights of the classes in their mean, which sum to one: those of random effects.

    In the long run a mean is as far from the middle as the true means are, and as its
    own squared `error` besides.
    """
    count = len(means)
    squares = np.sum((means - means.mean(axis=0)) ** 2, axis=1)
    between = np.maximum(squares * count / (count - 1) - error, 0).mean()
    weights = between / np.maximum(between + error, 1e-12)
    return weights / weights.sum() if weights.any() else np.full(count, 1 / count)
