import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_balance.tuners.auto.folds import make_folds

COUNTS = st.lists(st.integers(1, 80), min_size=2, max_size=6)


def rows_of(counts):
    """Rows of each class, scattered."""
    order = np.random.default_rng(0).permutation(sum(counts))
    return np.split(order, np.cumsum(counts)[:-1])


@given(COUNTS, st.integers(2, 5), st.integers(0, 9))
def test_no_row_is_on_both_sides(counts, number, seed):
    counts = [*counts, max(counts) + 1]  # so that some class is short
    rows, targets = rows_of(counts), np.full(len(counts), max(counts))
    folds = make_folds(rows, targets, number, max_ratio=10, seed=seed)
    for fold in folds:
        train, held_out = set(fold.train), set(fold.held_out)
        assert not train & held_out
        assert len(train) == len(fold.train)
        assert len(held_out) == len(fold.held_out)
        assert train | held_out <= set(range(sum(counts)))
        for c, members in enumerate(rows):
            trained = len(train & set(members))
            assert 1 <= trained <= fold.targets[c]
            assert bool(held_out & set(members)) == (c in fold.scored)
        assert set(fold.rare) <= set(fold.scored)


def test_a_frequent_class_is_cut_to_the_size_of_the_rarest():
    rows = rows_of([6, 20, 60, 50, 15])
    targets = np.array([60, 30, 60, 60, 15])
    folds = make_folds(rows, targets, 6, max_ratio=5, seed=0)
    cuts = [int(fold.rare[0]) for fold in folds]
    assert sorted(cuts[:3]) == [1, 2, 3]  # class 4 is too small to play it
    assert cuts[3:] == cuts[:3]
    for fold, cut in zip(folds, cuts, strict=True):
        train = [np.isin(fold.train, members).sum() for members in rows]
        sizes = [6, 16, 30, 30, 15]  # a fifth held out, five times the rarest
        sizes[cut] = 6
        assert train == sizes
        # As large as the targets are in parts of the largest class.
        largest = max(sizes)
        shares = np.array([1, 0.5, 1, 1, 0.25])
        shares[cut] = 1
        expected = np.maximum(sizes, np.rint(shares * largest))
        np.testing.assert_array_equal(fold.targets, expected)
        held_out = [np.isin(fold.held_out, members).sum() for members in rows]
        assert held_out[cut] == len(rows[cut]) - 6
        np.testing.assert_array_equal(fold.scored, [1, 2, 3])
    assert not np.array_equal(folds[0].train, folds[3].train)


def test_all_frequent_classes_are_cut_once():
    rows = rows_of([6, *[30] * 9])
    folds = make_folds(rows, np.full(10, 30), 3, max_ratio=10, seed=0)
    cuts = np.concatenate([fold.rare for fold in folds])
    assert sorted(cuts) == list(range(1, 10))
    for fold in folds:
        train = [np.isin(fold.train, members).sum() for members in rows]
        assert [train[c] for c in fold.rare] == [6, 6, 6]
        assert sorted(train) == [6] * 4 + [24] * 6
        np.testing.assert_array_equal(fold.targets, np.full(10, 24))
        first, second, third = fold.rare
        assert fold.title == f"classes {first}, {second} and {third} cut to 6"


def test_most_classes_stay_frequent():
    rows = rows_of([6, *[30] * 9])
    for number, cut in [(2, 3), (5, 2), (9, 1)]:
        folds = make_folds(rows, np.full(10, 30), number, max_ratio=10, seed=0)
        assert [len(fold.rare) for fold in folds] == [cut] * number


def test_much_data_is_neither_trained_nor_scored_whole():
    rows = rows_of([10, 5000, 5000])
    (fold, _) = make_folds(rows, np.full(3, 5000), 2, max_ratio=10, seed=0)
    assert len(fold.train) == 10 + 10 + 100
    assert len(fold.held_out) == 1000


def test_classes_of_similar_size_are_split_in_strata():
    rows = rows_of([9, 15, 20])
    folds = make_folds(rows, np.full(3, 20), 3, max_ratio=10, seed=0)
    assert len(folds) == 3
    held_out = np.concatenate([fold.held_out for fold in folds])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(44))
    np.testing.assert_array_equal(folds[0].rare, [0, 1])
    np.testing.assert_array_equal(folds[0].scored, [0, 1, 2])


def test_a_class_of_one_image_cannot_be_split():
    assert make_folds(rows_of([1, 2, 2]), np.full(3, 2), 3, 10, seed=0) == []
