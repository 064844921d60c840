"""What a classifier says of each training image that it was not trained on."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_balance.auto.keras_judge import KerasJudge
from keras_balance.auto.lengths import BATCH_SIZE, default_steps
from keras_balance.auto.rows import rows_of
from keras_balance.data import BalancedDataset
from keras_balance.metrics.adjustment import read_log_shares
from keras_balance.metrics.features import Features
from keras_balance.models.adjust import gives_logits
from keras_balance.models.head import ITERATIONS
from keras_balance.utils.seeds import derive_seed

# Strength of the prior on the weights, for standardised features: 1,280 of them and
# some hundred images a class were classified best by 0.001 to 0.01.
C = 0.003
_COMPONENTS = 50  # of pixels, which are many and alike


def by_regression(images, features, folds, progress):
    """Logarithms of a logistic regression's probabilities, float64 `(n, num_classes)`.

    Args:
        images: `LabelledImages`.
        features: Backbone from images to vectors; None for principal components of
            the pixels.
        folds: int array `(n,)`, the fold of each image.
        progress: `Progress`.
    """
    rows = rows_of(images, Features(features))
    if features is None:  # the strength of the prior is that for standardised ones
        rows = rows / (rows.std() or 1.0)
    log_shares = np.empty((len(rows), images.num_classes))
    for fold in range(folds.max() + 1):
        held_out = folds == fold
        parts = [StandardScaler(), LogisticRegression(max_iter=ITERATIONS, C=C)]
        if features is None:
            size = min(_COMPONENTS, (~held_out).sum(), rows.shape[1])
            parts[0] = PCA(size, random_state=0)
        classifier = make_pipeline(*parts)
        classifier.fit(rows[~held_out], images.indices[~held_out])
        log_shares[held_out] = classifier.predict_log_proba(rows[held_out])
        score = classifier.score(rows[held_out], images.indices[held_out])
        progress.end(f"fold {fold + 1}", score)
    return np.maximum(log_shares, np.log(1e-37))


def by_classifier(images, build, steps, feed, folds, progress, seed):
    """Give the same of a Keras classifier, trained anew for each fold.

    Args:
        images: `LabelledImages`.
        build: Function without arguments that returns a compiled Keras model.
        steps: Optimiser steps of a training, None for six epochs of the images, at
            least 400 and at most 800.
        feed: Function from images and labels to the `BalancedDataset` to train on;
            None for the images as they are.
        folds: int array `(n,)`, the fold of each image.
        progress: `Progress`.
        seed: Integer.
    """
    if steps is None:
        steps = default_steps(len(images))
    every_class = np.arange(images.num_classes)
    log_shares = np.empty((len(images), images.num_classes))
    for fold in range(folds.max() + 1):
        train, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        judge = KerasJudge(build, images.part(held_out), every_class, steps, seed)
        train, fold_seed = images.part(train), derive_seed(seed, fold)
        outputs = judge.outputs(_dataset(train, feed, fold_seed))
        log_shares[held_out] = _log_shares(judge.model, outputs, images.num_classes)
        guesses = log_shares[held_out].argmax(axis=1)
        score = np.mean(guesses == images.indices[held_out])
        progress.end(f"fold {fold + 1}", score)
    return log_shares


def _dataset(images, feed, seed):
    if feed is not None:
        dataset = feed(images.x, images.labels)
        if not isinstance(dataset, BalancedDataset):
            raise TypeError(
                "`feed(x, y)` must return a BalancedDataset. "
                f"Received: feed(x, y)={dataset!r}"
            )
        return dataset
    return BalancedDataset(
        images, batch_size=BATCH_SIZE, synthesizer="nothing", seed=seed
    )


def _log_shares(model, outputs, num_classes):
    if not gives_logits(model):
        return read_log_shares(outputs, len(outputs), num_classes)
    outputs = outputs.astype("float64")
    if outputs.shape[1] == 1:
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    return outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True)
