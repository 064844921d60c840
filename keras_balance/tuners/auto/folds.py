"""Folds to judge synthesizers by, where a dozen images are too few to hold out."""

import dataclasses

import numpy as np
from sklearn.model_selection import StratifiedKFold

from keras_balance.utils.seeds import derive_seed, random_generator

# A class this many times as large as the rarest one can play its part.
_FREQUENT = 3
_CUT_SHARE = 3  # at most one in so many frequent classes is cut in a fold
_HELD_OUT_SHARE = 5  # one in so many
_MOST_HELD_OUT = 500  # of one class: more tell little and cost time


@dataclasses.dataclass(frozen=True)
class Fold:
    """Rows to train on, rows to score on, and what shall be filled.

    Attributes:
        train: int array of rows.
        held_out: int array of other rows.
        targets: int array `(num_classes,)`, images that balancing shall give each
            class of the training rows.
        rare: Indices of the classes that play the rare ones.
        scored: Sorted indices of the classes to score, which are held out.
        title: What the fold does, in words.
    """

    train: np.ndarray
    held_out: np.ndarray
    targets: np.ndarray
    rare: np.ndarray
    scored: np.ndarray
    title: str


def make_folds(rows, targets, number, max_ratio, seed):
    """Make the folds of one training set.

    Where a class is three times as large as the rarest one, or larger, each fold
    *simulates* rarity: some of the frequent classes are cut to as many images as the
    rarest has, and what was cut off, which is much, is what they are scored on. All
    frequent classes have their turn, unless it were more than a third of them in a
    fold. The rarest keeps all its images and is not scored. Otherwise the folds are
    stratified ones.

    Args:
        rows: List of int arrays, the rows of each class.
        targets: int array, images that balancing shall give each class; some of
            them more than there are.
        number: Number of folds.
        max_ratio: Frequent classes are cut to this many times the rarest one.
        seed: Integer.

    Returns:
        List of `Fold`; empty where a class is too small for either way.
    """
    counts = np.array([len(members) for members in rows])
    short = np.flatnonzero(targets > counts)
    rarest = short[np.argmin(counts[short])]
    frequent = np.flatnonzero(counts >= _FREQUENT * counts[rarest])
    shares = targets / counts.max()
    if not len(frequent):
        return _stratified(rows, shares, short, number, seed)
    order = random_generator(seed).permutation(frequent)
    at_once = max(1, min(len(frequent) // _CUT_SHARE, -(-len(frequent) // number)))
    cuts = np.resize(order, (number, at_once))
    return [
        _simulated(rows, shares, rarest, np.sort(cut), frequent, max_ratio, seed, place)
        for place, cut in enumerate(cuts)
    ]


def _simulated(rows, shares, rarest, cut, frequent, max_ratio, seed, place):
    few = len(rows[rarest])
    train, held_out = list(rows), []
    for c in frequent:
        members = random_generator(seed, place, c).permutation(rows[c])
        kept = few if c in cut else len(members) - -(-len(members) // _HELD_OUT_SHARE)
        train[c] = members[: min(kept, max_ratio * few)]
        held_out.append(members[kept:][:_MOST_HELD_OUT])
    shares = shares.copy()
    shares[cut] = shares[rarest]
    return Fold(
        np.concatenate(train),
        np.concatenate(held_out),
        _targets(train, shares),
        cut,
        frequent,
        f"{'class' if len(cut) == 1 else 'classes'} {_listed(cut)} cut to {few}",
    )


def _listed(classes):
    *first, last = map(str, classes)
    return f"{', '.join(first)} and {last}" if first else last


def _stratified(rows, shares, short, number, seed):
    number = min(number, *(len(members) for members in rows))
    if number < 2:
        return []
    labels = np.repeat(np.arange(len(rows)), [len(members) for members in rows])
    rows = np.concatenate(rows)
    splitter = StratifiedKFold(number, shuffle=True, random_state=derive_seed(seed))
    folds = []
    for train, held_out in splitter.split(rows, labels):
        by_class = [rows[train][labels[train] == c] for c in range(len(shares))]
        folds.append(
            Fold(
                np.concatenate(by_class),
                rows[held_out],
                _targets(by_class, shares),
                short,
                np.arange(len(shares)),
                f"one of {number} held out",
            )
        )
    return folds


def _targets(train, shares):
    """Give each class the share of the largest that it shall have in the whole."""
    counts = np.array([len(members) for members in train])
    return np.maximum(counts, np.rint(shares * counts.max()).astype("int64"))
