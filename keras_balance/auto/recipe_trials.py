"""How good recipes are: trainings on cases, scored at every strength of adjustment."""

import hashlib
import time

import numpy as np
from scipy.special import expit, softmax

from keras_balance.auto import checks
from keras_balance.auto.folds import splits, stratified_folds
from keras_balance.auto.recipe_training import build_by, train
from keras_balance.callbacks import RaiseOnNaN, ResumableBackup
from keras_balance.metrics.adjustment import TAUS, AdjustedScores, log_likelihoods
from keras_balance.models.adjust import adjust_logits, gives_logits
from keras_balance.models.head import can_retrain, outputs_of, retrain_head
from keras_balance.utils.outputs import class_probabilities
from keras_balance.utils.priors import read_prior
from keras_balance.utils.seeds import derive_seed

STRENGTHS = TAUS[::5]  # by which log-likelihoods are told: they change slowly
# What is sure of itself and what is not, such as a model that was trained with mixup,
# may decide alike.
_TEMPERATURES = 0.5, 0.7, 1.0, 1.4, 2.0, 2.8
# Before so many, what learns fastest leads: a strong layer needs them most.
_LEAST_STEPS, _LEAST_BRIEF_STEPS = 300, 150
_MOST_CASES, _STEPS_OF_CASES = 7, 1500  # of one recipe, where trainings are short
_LEAST = 1e-7  # probability


class Trainings:
    """Trainings by recipes on one set of images, each done once and kept.

    A subclass says what a recipe trains: `_predictions`, `final` and `folds`.

    Args:
        images: `LabelledImages`, whose labels the classifier takes.
        steps: Optimiser steps of a full training.
        seed: Integer.
        kept: `Kept` results.

    Attributes:
        cases: Number of cases to try the best recipes on.
        folds: Number of trainings by which the decision is found.
        cost: All trials so far, in full trainings.
    """

    cases = 3

    def __init__(self, images, *, steps, seed, kept):
        self.images, self.steps, self.seed = images, steps, seed
        self.kept, self.cost = kept, 0.0

    def steps_on(self, rows, share=1.0):
        """Optimiser steps on some of the images, or a share of them.

        As many epochs of the balanced data as on all images, but a few hundred steps.
        """
        images = self.images
        largest = np.bincount(images.indices[rows]).max() / images.counts.max()
        steps = round(self.steps * share * largest)
        least = _LEAST_STEPS if share == 1 else _LEAST_BRIEF_STEPS
        return max(steps, min(least, self.steps))

    def trial(self, name, recipe, case, prior, share=1.0):
        """Train by a recipe on a case, for a share of the steps.

        `prior` is the `target_prior` of `RecipeSearch`.

        Returns:
            dict of what `scores_over_taus` gives, and `"seconds"`.
        """

        def make():
            start = time.monotonic()
            predicted = self._predictions(
                recipe, case.train, case.held_out, steps, case.title
            )
            indices = self.images.indices
            counts = np.bincount(indices[case.train], minlength=self.images.num_classes)
            met = read_prior(prior, counts), read_prior(prior, self.images.counts)
            scores = scores_over_taus(
                predicted,
                indices[case.held_out],
                counts,
                case.shares(*met),
                case.scored,
            )
            return {**scores, "seconds": time.monotonic() - start}

        steps = self.steps_on(case.train, share)
        self.cost += steps / self.steps
        return self.kept.get(name, make)

    def held_out(self, name, recipe, train_rows, rows):
        """Train by a recipe on some rows; log-probabilities of others."""

        def make():
            return self._predictions(recipe, train_rows, rows, steps, name)

        steps = self.steps_on(train_rows)
        self.cost += steps / self.steps
        return self.kept.get(name, make)

    def decided(self, model, recipe, tau, adjustment):
        """Put the decision at the end of a trained model.

        Args:
            model: The model that `final` gives.
            recipe: Its `Recipe`.
            tau: Strength of the decision.
            adjustment: The `AutoAdjustment` that found it, or None.

        Returns:
            A new `keras.Model` with a `LogitAdjustment` as its last layer.
        """
        if adjustment is not None:
            return adjustment.adjust(model)
        return adjust_logits(model, self.images.counts, tau)

    def tau_in_theory(self, recipe):
        """Strength for equal shares, where nothing was tried."""
        return recipe.tau_in_theory


class ModelTrainings(Trainings):
    """Trainings of the user's classifier.

    Args:
        images: `LabelledImages`, whose labels the classifier takes.
        build: Function without arguments that returns a compiled Keras model.
        batch_size: Images in a batch.
        **options: Of `Trainings`.
    """

    folds = 3

    def __init__(self, images, build, *, batch_size, **options):
        super().__init__(images, **options)
        self.build, self.batch_size = build, batch_size
        # Two short trainings differ by chance more than two recipes do.
        self.cases = min(_MOST_CASES, max(self.cases, _STEPS_OF_CASES // self.steps))

    def final(self, recipe, verbose):
        """Train by a recipe on all images, going on where it was killed.

        Returns:
            `(model, feed)`, see `train`.

        Raises:
            FloatingPointError: When a loss or a weight is NaN or infinite.
        """
        # With more time another recipe may be chosen: not with this one's weights.
        recipe_digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
        path = self.kept.path(f"model-{recipe_digest}.backup")

        def watch(feed):
            return [RaiseOnNaN() if path is None else ResumableBackup(path, feed)]

        return train(
            recipe,
            self.images,
            self.build,
            batch_size=self.batch_size,
            steps=self.steps,
            seed=self.seed,
            verbose=verbose,
            callbacks=watch,
        )

    def decided(self, model, recipe, tau, adjustment):
        """Put the decision at the end, behind a last layer that is trained anew."""
        return super().decided(retrained(model, self.images), recipe, tau, adjustment)

    def tau_in_theory(self, recipe):
        """Strength for equal shares, where nothing was tried."""
        model = self.build()
        build_by(model, self.images)
        return 1.0 if can_retrain(model) else recipe.tau_in_theory

    def _predictions(self, recipe, train_rows, rows, steps, title):
        """Log-probabilities of some rows after a training on others.

        NaN where what fills the classes has diverged, as a generator may.
        """
        images = self.images.part(train_rows)
        try:
            model, _ = train(
                recipe,
                images,
                self.build,
                batch_size=self.batch_size,
                steps=steps,
                seed=derive_seed(self.seed, *title.encode()),
            )
        except FloatingPointError:
            return np.full((len(rows), images.num_classes), np.nan, "float32")
        return log_probabilities(retrained(model, images), self.images.part(rows))


def retrained(model, images):
    """Train the last layer of a model anew, where it is one that can be."""
    if not can_retrain(model):
        return model
    checks.outputs(model.outputs[0], images.num_classes, "build")
    try:
        return retrain_head(model, images, target_prior="natural")
    except FloatingPointError:  # it has diverged, and shall be seen to
        return model


def out_of_fold(trainings, name, recipe, progress):
    """Train by a recipe in stratified folds.

    Returns:
        `(probabilities, class indices)` of all images in their order, each held out
        once; None where a class has a single image or the time is over.
    """
    images = trainings.images
    folds = min(trainings.folds, images.counts.min())
    if folds < 2:
        return None
    parts = splits(stratified_folds(images.indices, folds, trainings.seed))
    rows, found = [], []
    for place, (train_rows, held_out) in enumerate(parts):
        key = f"fold-{place}-of-{name}"
        if progress.is_over() and not trainings.kept.has(key):
            return None
        found.append(trainings.held_out(key, recipe, train_rows, held_out))
        checks.finite(found[-1], f"recipe={name!r}")
        rows.append(held_out)
        progress.end(f"fold {place + 1} of {folds}, {name}")
    order = np.argsort(np.concatenate(rows))
    return np.exp(np.concatenate(found))[order], images.indices


def log_probabilities(model, images):
    """Predict the log-probabilities of images: float32 `(n, num_classes)`."""
    outputs = outputs_of(model, images)
    checks.outputs(outputs, images.num_classes, "build")
    return to_log_probabilities(outputs, gives_logits(model))


def to_log_probabilities(outputs, from_logits):
    """Log-probabilities `(n, num_classes)` of logits or probabilities."""
    outputs = np.asarray(outputs, "float64")
    if from_logits:
        is_one = outputs.shape[1] == 1
        outputs = expit(outputs) if is_one else softmax(outputs, axis=1)
    probabilities = class_probabilities(outputs)
    return np.log(np.maximum(probabilities, _LEAST)).astype("float32")


def scores_over_taus(log_probabilities, indices, counts, prior, scored):
    """Scores at many strengths, for a world of the given shares.

    Args:
        log_probabilities: `(n, num_classes)` of held-out images.
        indices: Their class indices `(n,)`.
        counts: `(num_classes,)`, images of each class that were trained on.
        prior: `(num_classes,)`, shares of the classes that the classifier will meet.
        scored: Indices of the classes whose F1 is wanted.

    Returns:
        dict of `"f1"`, float `(len(TAUS), len(scored))`; and of each image at each
        strength, float32 `(len(STRENGTHS), n)`, weighted so that the mean is that of
        the world: `"log_likelihood"`, at the strength's best temperature, and
        `"right"`, which is 0 where it is taken for another class.
    """
    direction = -np.log(counts / np.sum(counts))
    adjusted = AdjustedScores(
        indices, log_probabilities, TAUS[:, None] * direction, prior
    )
    weights = adjusted.weights / adjusted.weights.mean()
    likelihoods, right = [], []
    for tau in STRENGTHS:
        logits = log_probabilities + tau * direction
        likelihoods.append(weights * _at_best_temperature(logits, indices, weights))
        right.append(weights * (logits.argmax(axis=1) == indices))
    f1 = adjusted.class_scores()["f1"][:, scored]
    if not np.isfinite(log_probabilities).all():
        f1 = np.full_like(f1, np.nan)  # of guesses that are none
    return {
        "f1": f1,
        "log_likelihood": np.array(likelihoods, "float32"),
        "right": np.array(right, "float32"),
    }


def _at_best_temperature(logits, indices, weights):
    """Log-likelihoods `(n,)` at the temperature of the best weighted mean."""
    found = [log_likelihoods(logits / one, indices) for one in _TEMPERATURES]
    return max(found, key=lambda values: np.mean(weights * values))
