"""`AutoAdjustment`: finds out how strongly to correct a classifier for rare classes."""

import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.folds import stratified_folds
from keras_balance.auto.out_of_fold import by_classifier, by_regression
from keras_balance.auto.per_class_tau import one_each
from keras_balance.auto.progress import Progress
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.layers import LogitAdjustment
from keras_balance.metrics.adjustment import TAUS, AdjustedScores, read_log_shares
from keras_balance.models.adjust import behind, gives_logits
from keras_balance.utils.class_counts import check_every_class, read_class_counts
from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.priors import check_prior, read_prior
from keras_balance.utils.seeds import check_seed, random_generator
from keras_balance.utils.tables import text_table

_BOOTSTRAPS = 50
_ROWS = 10  # of the table: every fifth strength or so


class AutoAdjustment:
    """Finds `tau` of `kb.models.adjust_logits` on the training data alone.

    The theory says 1 where all classes are equally frequent, which many networks do not
    follow, and where some are as rare as in the training data, 1 costs more than it
    brings. So a classifier is trained without a tenth of the images, ten times, and
    says of each image what it was not trained on. One training serves all strengths.
    The images are weighed by how frequent the classes will be, and the strength of the
    best macro F1 is taken: the median over bootstraps, since F1 jumps. Where the
    classes are equally frequent, it is the mean of that and of the strength of the
    least log-loss, which is steadier, but asks for too much of a classifier that is too
    sure of itself.

    One strength serves all classes, unless `per_class` asks for one each, held near it.

    Args:
        classifier: Function without arguments that returns a compiled Keras model, the
            one to adjust; its labels are class indices, one-hot where `y` is.
        features: Keras model, or other function, from images to vectors, whose logistic
            regression is the classifier. Without both it is that of principal
            components of the pixels.
        target_prior: How frequent the classes are where the model is used: `"uniform"`,
            `"natural"` (as in the training data) or shares, see
            `kb.layers.LogitAdjustment`.
        folds: Number of folds, 2 or more: fewer where a training takes long.
        seed: Integer, or None for a fresh one.
        steps: Optimiser steps of `classifier`, on batches of 64. By default six epochs,
            at least 400 and at most 800.
        feed: Function from images and labels to the `BalancedDataset` that `classifier`
            is trained on, where it is not to be the images as they are. Of one that
            mixes, the labels are one-hot, which the loss must take.
        verbose: 0 for silence, 1 for a line about every training.
        per_class: Whether each class gets a strength of its own, by the log-loss
            and held near the common one: on a pretrained network's features 0.1 points
            of macro F1 ahead, on pixels level. It needs a `target_prior` of
            `"uniform"`.

    Attributes:
        tau: The strength that was found; None before `fit`.
        taus: float64 `(num_classes,)`, the strength of each class: `tau`, unless
            `per_class`.
        class_counts: float64 `(num_classes,)`, the real images of each class.
        probabilities: float64 `(n, num_classes)`, of each training image by a
            classifier that was trained without it, before any adjustment.

    Raises:
        ValueError: For numbers out of bounds, both `classifier` and `features`, and
            `steps` or `feed` without `classifier`; from `fit`, for a class of fewer
            than two images.
        TypeError: For arguments of a wrong type.

    Example:
        >>> auto = kb.tuners.AutoAdjustment(folds=3, seed=0, verbose=0).fit(x, y)
        >>> adjusted = auto.adjust(model)
        >>> table = auto.table()

    References:
        - Menon et al. 2021, "Long-tail learning via logit adjustment", section 4.2.
        - Saerens et al. 2002, "Adjusting the Outputs of a Classifier to New a Priori
          Probabilities".
    """

    def __init__(
        self,
        classifier=None,
        features=None,
        target_prior="uniform",
        folds=10,
        seed=None,
        steps=None,
        feed=None,
        verbose=1,
        per_class=False,
    ):
        self.classifier = checks.classifier(classifier)
        self.features = checks.features(features, classifier)
        self.target_prior = check_prior(target_prior)
        self.folds = whole_number("folds", folds, 2)
        self.seed = check_seed(seed)
        self.steps = checks.steps(steps, classifier)
        self.feed = checks.feed(feed, classifier)
        self.verbose = verbose
        self.per_class = checks.per_class(per_class, target_prior)
        self.tau, self.taus = None, None
        self.class_counts, self.probabilities = None, None

    def fit(self, x, y=None):
        """Train the classifier once a fold, and find the strength.

        Args:
            x: Images, as `BalancedDataset` takes them, or `kb.data.LabelledImages`.
            y: Their labels; None with `LabelledImages`.

        Returns:
            The object itself.

        Raises:
            ValueError: As `BalancedDataset` does, and for a class of one image.
            TypeError: As `BalancedDataset` does.
            FloatingPointError: For a `classifier` that gives NaN.
        """
        images = LabelledImages.read(x, y)
        images.check_every_class()
        checks.two_images_a_class(images)
        read_prior(self.target_prior, images.counts)  # an error before any training
        folds = stratified_folds(images.indices, self.folds, self.seed)
        number, folds = len(np.unique(folds)), np.unique(folds, return_inverse=True)[1]
        progress = Progress([("fold", 0)] * number, np.inf, self.verbose)
        if self.classifier is None:
            log_shares = by_regression(images, self.features, folds, progress)
        else:
            log_shares = by_classifier(
                images,
                self.classifier,
                self.steps,
                self.feed,
                folds,
                progress,
                self.seed,
            )
        counts = images.counts.astype("float64")
        names = images.encoding.keys
        self._find(images.indices.astype("int64"), log_shares, counts, names)
        progress.tell(f"{self.table()}auto: tau {self.tau:g} is chosen")
        return self

    def fit_predictions(self, probabilities, y, class_counts):
        """Find the strength from predictions that are there already.

        Args:
            probabilities: `(n, num_classes)`, or `(n, 1)` of one sigmoid output, of
                images that the classifier was not trained on: out-of-fold ones, or
                those of a validation set.
            y: Their labels: class indices `(n,)` or `(n, 1)`, or one-hot.
            class_counts: Images of each class that the classifier was trained on: an
                array, a dict or a `BalancedDataset`.

        Returns:
            The object itself.

        Raises:
            ValueError: For lengths or numbers of classes that differ, what are no
                probabilities, and a class without a label.
            TypeError: For counts of a wrong type.
        """
        counts = read_class_counts(class_counts)
        indices, _ = read_labels(y, num_classes=len(counts))
        check_every_class(np.bincount(indices, minlength=len(counts)))
        log_shares = read_log_shares(
            probabilities, len(indices), len(counts), "probabilities"
        )
        self._find(indices, log_shares, counts, range(len(counts)))
        return self

    def adjust(self, model, from_logits=None):
        """Put the correction at the end of a trained model.

        For equal shares it is `kb.models.adjust_logits` with the strength that was
        found. For others, too, `tau` says how far it goes from the shares of the
        training data towards equal ones (0: not at all), which is found and not
        computed: `adjust_logits(target_prior=...)` computes it, by Bayes' rule.

        Args:
            model: A Keras model, trained on the images that this was fitted to.
            from_logits: Whether it gives logits; by default it tells.

        Returns:
            A new `keras.Model` that shares its weights.

        Raises:
            RuntimeError: Before `fit`.
            TypeError: When `model` is no Keras model.
            ValueError: When it has not one output, or another number of classes.
        """
        self._check_fitted()
        if from_logits is None:
            from_logits = gives_logits(model)
        tau, prior = self.tau, "uniform"
        if self.per_class or self._rest.any():
            # All that is added to the logarithms, as shares.
            tau, prior = 1.0, self.class_counts * np.exp(self._offsets(self.taus))
        layer = LogitAdjustment(self.class_counts, tau, prior, from_logits)
        return behind(model, layer)

    def adjusted_probabilities(self):
        """Give `probabilities` as `adjust` would have a model give them.

        Raises:
            RuntimeError: Before `fit`.
        """
        self._check_fitted()
        shares = np.log(np.maximum(self.probabilities, 1e-37))
        shares += self._offsets(self.taus)
        shares = np.exp(shares - shares.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def table(self):
        """Scores of some strengths as text; `*` marks the chosen one.

        Raises:
            RuntimeError: Before `fit`.
        """
        self._check_fitted()
        scores, rows = self._scores.class_scores(), []
        macro = scores["f1"].mean(axis=1)
        rarest = int(np.argmin(self.class_counts))
        chosen = int(np.argmin(np.abs(TAUS - self.tau)))
        for place in sorted({*range(0, len(TAUS), len(TAUS) // _ROWS), chosen}):
            values = [self._scores.log_loss[place], macro[place]]
            values += [scores[key][place, rarest] for key in ("precision", "recall")]
            mark = "*" * (place == chosen)
            rows.append([f"{TAUS[place]:g}", *(f"{v:.4f}" for v in values), mark])
        name = self._names[rarest]
        titles = ["log-loss", "macro f1", f"precision {name}", f"recall {name}"]
        return text_table(["tau", *titles, "chosen"], rows)

    def _find(self, indices, log_shares, counts, names):
        self._names = names
        target = read_prior(self.target_prior, counts)
        self.class_counts = counts
        self._rest = beyond_tau(target, counts)
        self.probabilities = np.exp(log_shares)
        offsets = self._offsets(TAUS[:, None])
        self._scores = AdjustedScores(indices, log_shares, offsets, target)
        found = self._median_of_bootstraps(len(indices))
        if np.allclose(target, 1 / len(target), rtol=1e-3):
            found = (found + TAUS[np.argmin(self._scores.log_loss)]) / 2
        self.tau = float(TAUS[np.argmin(np.abs(TAUS - found))])
        self.taus = np.full(len(counts), self.tau)
        if self.per_class:
            logs = self._log_shares_of_classes()
            self.taus = one_each(log_shares, indices, logs, self.tau)

    def _median_of_bootstraps(self, length):
        best = []
        for number in range(_BOOTSTRAPS):
            drawn = random_generator(self.seed, number).integers(0, length, length)
            times = np.bincount(drawn, minlength=length)
            best.append(middle_of_the_best(self._scores.macro_f1(times)))
        return np.median(best)

    def _offsets(self, taus):
        """Give what strengths `(num_classes,)` or `(n, 1)` add to the logarithms."""
        return taus * -self._log_shares_of_classes() + self._rest

    def _log_shares_of_classes(self):
        return np.log(self.class_counts / self.class_counts.sum())

    def _check_fitted(self):
        if self.tau is None:
            raise RuntimeError("Call `fit` or `fit_predictions` first.")


def beyond_tau(target, counts):
    """Give what no strength of adjustment can correct, `(num_classes,)`.

    Strengths lead from the shares of the training data over equal ones and beyond.
    What lies beside that line, in logarithms, is Bayes' rule's to correct.
    """
    target, natural = (_centred(np.log(shares)) for shares in (target, counts))
    length = natural @ natural
    along = (target @ natural) / length * natural if length > 1e-12 else 0.0
    rest = target - along
    return np.where(np.abs(rest) > 1e-9, rest, 0.0)


def middle_of_the_best(scores):
    """Give the strength in the middle of those with the best score."""
    return float(np.mean(TAUS[scores >= scores.max() - 1e-12]))


def _centred(values):
    return values - values.mean()
