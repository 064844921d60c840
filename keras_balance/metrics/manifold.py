"""Where generated rows lie among real ones: precision, recall, density, coverage."""

import numpy as np
from sklearn.metrics import pairwise_distances


def manifold_scores(rows, real_rows, neighbours=5):
    """Compare generated and real rows by the balls to their nearest neighbours.

    The ball of a row reaches to its k-th nearest neighbour among its own kind.

    Args:
        rows: Generated rows `(n, d)`.
        real_rows: Real rows `(m, d)`.
        neighbours: The k; fewer where there are not as many others.

    Returns:
        Dict of floats, all NaN where one side has a single row:

        - `"precision"`: share of generated rows within the ball of a real one,
        - `"recall"`: share of real rows within the ball of a generated one,
        - `"density"`: how many balls of real rows a generated one lies in, in parts of
          k. It can be above 1, and one outlier among the real rows hardly moves it,
        - `"coverage"`: share of real rows whose ball holds a generated one.

    Reference:
        - Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing
          Generative Models", equation 2.
        - Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative
          Models", equations 3 and 4.
    """
    names = ("precision", "recall", "density", "coverage")
    if min(len(rows), len(real_rows)) < 2:
        return dict.fromkeys(names, float("nan"))
    k = min(neighbours, len(rows) - 1, len(real_rows) - 1)
    between = pairwise_distances(real_rows, rows)
    in_real = between <= _radii(real_rows, k)[:, None]
    in_generated = between <= _radii(rows, k)
    scores = (
        in_real.any(axis=0).mean(),
        in_generated.any(axis=1).mean(),
        in_real.sum(axis=0).mean() / k,
        in_real.any(axis=1).mean(),
    )
    return dict(zip(names, map(float, scores), strict=True))


def _radii(rows, k):
    """Distance of each row to its k-th nearest other one."""
    # The nearest of all is the row itself.
    return np.partition(pairwise_distances(rows), k, axis=1)[:, k]
