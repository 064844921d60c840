"""What taking the class shares out of probabilities does, for every strength."""

import numpy as np
from scipy.special import log_softmax

from keras_balance.metrics.names import check_score_names
from keras_balance.utils import plots
from keras_balance.utils.class_counts import read_class_counts
from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import real_number, whole_number
from keras_balance.utils.outputs import class_probabilities
from keras_balance.utils.priors import read_prior

TAUS = np.linspace(0, 2.5, 51)


class AdjustedScores:
    """Scores of predictions, adjusted with every strength, as another world has them.

    The adjustment adds `tau * direction` to the logarithms of the probabilities; images
    are weighed so that each class has its share of that world.

    Args:
        indices: Class indices `(n,)`.
        log_shares: float64 `(n, num_classes)`, logarithms of probabilities.
        offsets: float64 `(taus, num_classes)`, what each strength adds to them.
        target: float64 `(num_classes,)`, the shares of the classes in that world.

    Attributes:
        log_loss: float64 `(taus,)`.
    """

    def __init__(self, indices, log_shares, offsets, target):
        self.indices, self.num_classes = indices, len(target)
        counts = np.bincount(indices, minlength=self.num_classes)
        self.weights = (target / np.maximum(counts, 1))[indices]
        self.guesses = np.empty((len(offsets), len(indices)), "int64")
        self.log_loss = np.empty(len(offsets))
        for place, added in enumerate(offsets):
            adjusted = log_shares + added
            self.guesses[place] = adjusted.argmax(axis=1)
            losses = -log_likelihoods(adjusted, indices)
            self.log_loss[place] = np.average(losses, weights=self.weights)

    def class_scores(self, times=None):
        """Precision, recall and F1: a dict of float64 `(taus, num_classes)`.

        Args:
            times: How often each image counts, `(n,)`; once by default.
        """
        weights = self.weights if times is None else self.weights * times
        size = self.num_classes
        correct = self.guesses == self.indices
        hits = _sums(self.indices, correct * weights, size)
        predicted = _sums(self.guesses, np.broadcast_to(weights, correct.shape), size)
        actual = np.bincount(self.indices, weights, size)[None]
        return {
            "precision": _ratio(hits, predicted),
            "recall": _ratio(hits, actual),
            "f1": _ratio(2 * hits, predicted + actual),
        }

    def macro_f1(self, times=None):
        """Mean of the classes' F1, float64 `(taus,)`."""
        return self.class_scores(times)["f1"].mean(axis=1)


def log_likelihoods(logits, indices):
    """Logarithms of the probabilities that logits give the true classes, `(n,)`.

    Args:
        logits: float64 `(n, num_classes)`.
        indices: Class indices `(n,)`.
    """
    return log_softmax(logits, axis=1)[np.arange(len(indices)), indices]


def save_adjustment_curves(
    path,
    y_true,
    y_pred,
    class_counts,
    rare=None,
    tau=None,
    target_prior="uniform",
    class_names=None,
):
    """Draw precision, recall and F1 of rare classes over the strength of adjustment.

    It shows what another threshold would buy: with a larger `tau` of
    `kb.models.adjust_logits` more of a rare class is found, and more is taken for it
    that is not.

    Args:
        path: The picture's file, its folder made when missing.
        y_true: Labels as class indices `(n,)` or `(n, 1)`, or one-hot.
        y_pred: Probabilities `(n, num_classes)`, or `(n, 1)` of one sigmoid output,
            before any adjustment.
        class_counts: Images of each class that the classifier has seen: an array
            `(num_classes,)`, a dict `{class: count}` (in the order of
            its sorted classes) or a `BalancedDataset`.
        rare: Class indices to draw, or one; by default the class of the smallest
            count.
        tau: Optional strength to mark, for instance the one that
            `kb.tuners.AutoAdjustment` has found.
        target_prior: Shares of the classes where it is used, by which images are
            weighed: `"uniform"`, `"natural"`, or an array or a dict of them.
        class_names: Optional names, one a class.

    Raises:
        ValueError: When lengths or numbers of classes differ, and for a rare class that
            is none.
        TypeError: When `rare` is no integers, and `tau` no number.

    Example:
        >>> counts = [30] + [120] * 9
        >>> shares = model.predict(x_test)
        >>> kb.metrics.save_adjustment_curves("rare.png", y_test, shares, counts, tau=1)
    """
    counts = read_class_counts(class_counts)
    indices, _ = read_labels(y_true, num_classes=len(counts), name="y_true")
    log_shares = read_log_shares(y_pred, len(indices), len(counts))
    names = check_score_names(class_names, len(counts))
    rare = _read_rare(int(np.argmin(counts)) if rare is None else rare, len(counts))
    tau = None if tau is None else real_number("tau", tau)
    offsets = TAUS[:, None] * -np.log(counts / counts.sum())
    target = read_prior(target_prior, counts)
    adjusted = AdjustedScores(indices, log_shares, offsets, target)
    scores = adjusted.class_scores()
    curves = {
        names[c]: {score: values[:, c] for score, values in scores.items()}
        for c in rare
    }
    figure = plots.strength_curves(TAUS, curves, adjusted.macro_f1(), tau)
    plots.save_figure(figure, path)


def read_log_shares(y_pred, length, num_classes, name="y_pred"):
    """Logarithms of probabilities, float64 `(n, num_classes)`.

    Raises:
        ValueError: For another shape, and for what are no probabilities.
    """
    shares = class_probabilities(np.asarray(y_pred, "float64"))
    if shares.shape != (length, num_classes):
        raise ValueError(
            f"`{name}` must have shape (n={length}, num_classes={num_classes}). "
            f"Received: {name} of shape {np.shape(y_pred)}"
        )
    if not ((shares >= 0) & (shares <= 1 + 1e-4)).all():
        row = int(np.argmin(((shares >= 0) & (shares <= 1 + 1e-4)).all(axis=1)))
        raise ValueError(
            f"`{name}` must hold probabilities. "
            f"Received: {name}[{row}]={shares[row].tolist()}"
        )
    return np.log(np.maximum(shares, 1e-37))


def _read_rare(rare, num_classes):
    """List of class indices, of one or several of them."""
    chosen = [rare] if np.ndim(rare) == 0 else list(rare)
    chosen = [whole_number("rare", one, 0) for one in chosen]
    if not chosen or max(chosen) >= num_classes:
        raise ValueError(
            f"`rare` must hold class indices below {num_classes}. "
            f"Received: rare={rare!r}"
        )
    return chosen


def _sums(classes, values, size):
    """Sum of values of each class, one row a strength."""
    places = np.arange(len(values))[:, None] * size + classes
    sums = np.bincount(places.ravel(), values.ravel(), len(values) * size)
    return sums.reshape(len(values), size)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
