"""Folds to judge synthesizers by, where a dozen images are too few to hold out."""

import dataclasses

import numpy as np

from keras_balance.utils.seeds import random_generator

# A class this many times as large as the rarest one can play its part.
_FREQUENT = 3
_CUT_SHARE = 3  # at most one in so many frequent classes is cut in a fold
_HELD_OUT_SHARE = 3  # one in so many
_MOST_HELD_OUT = 500  # of one class: more tell little and cost time


@dataclasses.dataclass(frozen=True)
class Case:
    """What a classifier is trained on, and what it is scored on.

    Attributes:
        train: int array of rows.
        held_out: int array of other rows.
        targets: int array `(num_classes,)`, images that balancing shall give each
            class of the training rows.
        scored: Sorted indices of the classes to score, which are held out.
        title: What the case does, in words.
        cut: Those of them that play the part of the rare classes; none where the rare
            ones are scored themselves.
    """

    train: np.ndarray
    held_out: np.ndarray
    targets: np.ndarray
    scored: np.ndarray
    title: str
    cut: tuple = ()

    def shares(self, of_case, of_all):
        """Shares of the scored classes in the world that the case stands for.

        Classes that are cut have together the share of those that are too rare to be
        scored: of a long tail that is most of the classes, and one is cut.

        Args:
            of_case: float64 `(num_classes,)`, shares of the classes of this case.
            of_all: The same of all the data.

        Returns:
            float64 `(num_classes,)` that sums to one, 0 for what is not scored.
        """
        if not len(self.cut):
            return of_case
        places = np.arange(len(of_case))
        is_cut = np.isin(places, self.cut)
        others = np.isin(places, self.scored) & ~is_cut
        rare = of_all[~np.isin(places, self.scored)].sum()
        found = np.zeros(len(of_case))
        found[is_cut] = rare * of_case[is_cut] / of_case[is_cut].sum()
        found[others] = (1 - rare) * of_case[others] / of_case[others].sum()
        return found / found.sum()


@dataclasses.dataclass(frozen=True)
class Fold:
    """Cases that share what the synthesizers are fitted on.

    Attributes:
        rows: int array of rows to fit on, none of them held out in a case.
        cases: List of `Case`.
    """

    rows: np.ndarray
    cases: list


def simulated_cases(images, number, max_ratio, seed):
    """Cases that make frequent classes rare, each of a fold of its own.

    Args:
        images: `LabelledImages`.
        number: Number of folds.
        max_ratio: Frequent classes are cut to this many times the rarest one.
        seed: Integer.
    """
    rows = [images.rows_of(c) for c in range(images.num_classes)]
    targets = np.full(images.num_classes, images.counts.max())
    folds = make_folds(rows, targets, number, max_ratio, seed, together=True)
    return [case for fold in folds for case in fold.cases]


def make_folds(rows, targets, number, max_ratio, seed, names=None, together=False):
    """Make the folds of one training set.

    Where a class is three times as large as the rarest one, or larger, each fold
    *simulates* rarity: some of the frequent classes are cut to as many images as the
    rarest has, all of them for the synthesizers, and one after the other, a case each,
    for the classifier. What was cut off, which is much, is what it is scored on. All
    frequent classes have their turn, unless it were more than a third of them in a
    fold. The rarest keeps all its images, and is neither filled nor scored. Otherwise
    the folds are stratified ones, of one case each; so they are where nothing would be
    left to fill, as with two classes.

    Args:
        rows: List of int arrays, the rows of each class.
        targets: int array, images that balancing shall give each class.
        number: Number of folds.
        max_ratio: Frequent classes are cut to this many times the rarest one.
        seed: Integer.
        names: Optional names of the classes, for the titles of cases.
        together: Whether a fold has a single case, in which as large a part of the
            frequent classes is cut as there are rare ones among all, as far as a third.

    Returns:
        List of `Fold`; empty where a class is too small for either way.
    """
    counts = np.array([len(members) for members in rows])
    short = np.flatnonzero(targets > counts)
    shares = targets / counts.max()
    if not len(short):
        return _stratified(rows, shares, number, seed)
    rarest = short[np.argmin(counts[short])]
    frequent = np.flatnonzero(counts >= _FREQUENT * counts[rarest])
    if not len(frequent):
        return _stratified(rows, shares, number, seed)
    order = random_generator(seed).permutation(frequent)
    at_once = max(1, min(len(frequent) // _CUT_SHARE, -(-len(frequent) // number)))
    names = range(len(rows)) if names is None else names
    rare = round((1 - len(frequent) / len(rows)) * len(frequent))
    folds = []
    for place, cut in enumerate(np.sort(np.resize(order, (number, at_once)))):
        parts = [cut[: max(1, rare)]] if together else cut[:, None]
        folds.append(
            _simulated(
                rows, shares, rarest, parts, frequent, max_ratio, (seed, place), names
            )
        )
    # With two classes, one cut to the size of the other leaves nothing to fill.
    if all(_leaves_a_shortfall(case) for fold in folds for case in fold.cases):
        return folds
    return _stratified(rows, shares, number, seed)


def stratified_folds(indices, number, seed):
    """Split images into parts that hold each class alike, as near as can be.

    A class of fewer images than folds is missing from some of them, but never from the
    rest, if it has two.

    Args:
        indices: Class indices `(n,)`.
        number: Number of folds.
        seed: Integer.

    Returns:
        int array `(n,)`, the fold of each image.
    """
    folds, start = np.empty(len(indices), "int64"), 0
    for c in np.unique(indices):
        members = random_generator(seed, c).permutation(np.flatnonzero(indices == c))
        folds[members] = (start + np.arange(len(members))) % number
        start += len(members)
    return folds


def splits(folds):
    """Yield the rows `(trained on, held out)` of each fold that holds any.

    Args:
        folds: int array `(n,)`, what `stratified_folds` gives.
    """
    for fold in np.unique(folds):
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def _leaves_a_shortfall(case):
    return case.targets.sum() > len(case.train)


def _simulated(rows, shares, rarest, parts, frequent, max_ratio, seeds, names):
    few = len(rows[rarest])
    kept, rest, cut_off = list(rows), {}, {}
    for c in frequent:
        members = random_generator(*seeds, c).permutation(rows[c])
        end = len(members) - -(-len(members) // _HELD_OUT_SHARE)
        kept[c] = members[: min(end, max_ratio * few)]
        rest[c] = members[end:][:_MOST_HELD_OUT]
        cut_off[c] = members[few:][:_MOST_HELD_OUT]

    def cut_to_few(classes):
        return [m[:few] if c in classes else m for c, m in enumerate(kept)]

    # A class that is not scored is not filled: what it costs the others would be seen,
    # and what it gains would not.
    filled = np.where(np.isin(np.arange(len(rows)), frequent), shares, 0)
    cases = []
    for cut in parts:
        train, as_rare = cut_to_few(cut), filled.copy()
        as_rare[cut] = shares[rarest]
        case = Case(
            np.concatenate(train),
            np.concatenate([*(rest | {c: cut_off[c] for c in cut}).values()]),
            _targets(train, as_rare),
            frequent,
            f"{_named(names[c] for c in cut)} cut to {few}",
            tuple(cut.tolist()),
        )
        cases.append(case)
    return Fold(np.concatenate(cut_to_few(np.concatenate(parts))), cases)


def _named(names):
    names = [str(name) for name in names]
    return f"{'classes' if len(names) > 1 else 'class'} {', '.join(names)}"


def _stratified(rows, shares, number, seed):
    number = min(number, *(len(members) for members in rows))
    if number < 2:
        return []
    labels = np.repeat(np.arange(len(rows)), [len(members) for members in rows])
    rows = np.concatenate(rows)
    folds = []
    for train, held_out in splits(stratified_folds(labels, number, seed)):
        by_class = [rows[train][labels[train] == c] for c in range(len(shares))]
        case = Case(
            np.concatenate(by_class),
            rows[held_out],
            _targets(by_class, shares),
            np.arange(len(shares)),
            f"one of {number} held out",
        )
        folds.append(Fold(case.train, [case]))
    return folds


def _targets(train, shares):
    """Give each class the share of the largest that it shall have in the whole."""
    counts = np.array([len(members) for members in train])
    return np.maximum(counts, np.rint(shares * counts.max()).astype("int64"))
