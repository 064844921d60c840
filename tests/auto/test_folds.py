import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_balance.auto.folds import make_folds

pytestmark = pytest.mark.once

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
    pairs = [(fold, case) for fold in folds for case in fold.cases]
    for fold, case in pairs:
        train, held_out = set(case.train), set(case.held_out)
        assert not train & held_out
        assert len(train) == len(case.train)
        assert len(held_out) == len(case.held_out)
        assert train | held_out <= set(range(sum(counts)))
        # What a synthesizer has seen is no more than what the classifier trains on.
        assert set(fold.rows) <= train
        assert len(set(fold.rows)) == len(fold.rows)
        for c, members in enumerate(rows):
            trained = len(train & set(members))
            assert 1 <= trained <= case.targets[c]
            assert bool(held_out & set(members)) == (c in case.scored)


def sizes(part, rows):
    return [int(np.isin(part, members).sum()) for members in rows]


def test_a_frequent_class_is_cut_to_the_size_of_the_rarest():
    rows = rows_of([6, 20, 60, 50, 15])
    targets = np.array([60, 30, 60, 60, 15])
    folds = make_folds(rows, targets, 6, max_ratio=5, seed=0)
    cuts = []
    for fold in folds:
        (case,) = fold.cases
        np.testing.assert_array_equal(fold.rows, case.train)
        train = sizes(case.train, rows)
        (cut,) = (c for c in (1, 2, 3) if train[c] == 6)
        expected = [6, 13, 30, 30, 15]  # a third held out, five times the rarest
        expected[cut] = 6
        assert train == expected
        # As large as the targets are in parts of the largest class, if it is scored.
        expected = [6, max(13, max(train) // 2), max(train), max(train), 15]
        expected[cut] = max(train)
        np.testing.assert_array_equal(case.targets, expected)
        assert sizes(case.held_out, rows)[cut] == len(rows[cut]) - 6
        np.testing.assert_array_equal(case.scored, [1, 2, 3])
        assert case.title == f"class {cut} cut to 6"
        cuts.append(cut)
    assert sorted(cuts[:3]) == [1, 2, 3]  # class 4 is too small to play it
    assert cuts[3:] == cuts[:3]
    assert not np.array_equal(folds[0].rows, folds[3].rows)


def test_all_frequent_classes_are_cut_once_and_one_at_a_time():
    rows = rows_of([6, *[30] * 9])
    folds = make_folds(rows, np.full(10, 30), 3, max_ratio=10, seed=0)
    cuts = []
    for fold in folds:
        fitted_on = sizes(fold.rows, rows)
        assert sorted(fitted_on) == [6] * 4 + [20] * 6
        together = [c for c in range(1, 10) if fitted_on[c] == 6]
        alone = []
        for case in fold.cases:
            train = sizes(case.train, rows)
            assert sorted(train) == [6] * 2 + [20] * 8
            alone += [c for c in range(1, 10) if train[c] == 6]
            held_out = sizes(case.held_out, rows)
            expected = np.full(10, 10)
            expected[[0, alone[-1]]] = 0, 24
            assert held_out == expected.tolist()
            np.testing.assert_array_equal(case.targets, [6, *[20] * 9])
        assert alone == together
        cuts += alone
    assert sorted(cuts) == list(range(1, 10))


def test_most_classes_stay_frequent():
    rows = rows_of([6, *[30] * 9])
    for number, cut in [(2, 3), (5, 2), (9, 1)]:
        folds = make_folds(rows, np.full(10, 30), number, max_ratio=10, seed=0)
        assert [len(fold.cases) for fold in folds] == [cut] * number


def test_much_data_is_neither_trained_nor_scored_whole():
    rows = rows_of([10, 5000, 5000])
    (fold, _) = make_folds(rows, np.full(3, 5000), 2, max_ratio=10, seed=0)
    (case,) = fold.cases
    assert len(fold.rows) == len(case.train) == 10 + 10 + 100
    assert len(case.held_out) == 1000


def test_classes_of_similar_size_are_split_in_strata():
    rows = rows_of([9, 15, 20])
    folds = make_folds(rows, np.full(3, 20), 3, max_ratio=10, seed=0)
    assert len(folds) == 3
    cases = [case for fold in folds for case in fold.cases]
    held_out = np.concatenate([case.held_out for case in cases])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(44))
    np.testing.assert_array_equal(cases[0].scored, [0, 1, 2])
    np.testing.assert_array_equal(folds[0].rows, cases[0].train)


def test_a_class_of_one_image_cannot_be_split():
    assert make_folds(rows_of([1, 2, 2]), np.full(3, 2), 3, 10, seed=0) == []


@pytest.mark.parametrize("counts", [[90, 10], [30, 3], [12, 100]])
def test_two_classes_leave_a_shortfall(counts):
    rows, targets = rows_of(counts), np.full(2, max(counts))
    folds = make_folds(rows, targets, 3, max_ratio=20, seed=0)
    assert len(folds) == 3
    for fold in folds:
        (case,) = fold.cases
        train = sizes(case.train, rows)
        rare = int(np.argmin(counts))
        assert case.targets[rare] == max(train) > 2 * train[rare]
        np.testing.assert_array_equal(case.scored, [0, 1])


def test_of_a_tail_as_many_classes_are_cut_as_are_rare():
    tail, one = [240, 172, 123, 88, 63, 45, 33, 23, 17, 12], [30] * 9 + [6]
    for counts, cut in [(tail, 2), (one, 1)]:
        rows, targets = rows_of(counts), np.full(10, max(counts))
        folds = make_folds(rows, targets, 3, max_ratio=20, seed=0, together=True)
        assert len(folds) == 3
        for fold in folds:
            (case,) = fold.cases
            train, few = sizes(case.train, rows), min(counts)
            assert len(case.cut) == cut
            assert [c for c in case.scored if train[c] == few] == list(case.cut)
            held_out = sizes(case.held_out, rows)
            assert [held_out[c] for c in case.cut] == [
                counts[c] - few for c in case.cut
            ]
            named = "class" if cut == 1 else "classes"
            title = f"{named} {', '.join(map(str, case.cut))} cut to {few}"
            assert case.title == title


@given(COUNTS, st.booleans(), st.integers(0, 9))
def test_cut_classes_count_for_those_that_are_not_scored(counts, together, seed):
    counts = np.array([*counts, max(counts) + 1])
    rows, targets = rows_of(counts), np.full(len(counts), max(counts))
    for fold in make_folds(rows, targets, 3, 20, seed, together=together):
        for case in fold.cases:
            uniform = np.full(len(counts), 1 / len(counts))
            shares = case.shares(uniform, counts / counts.sum())
            assert shares.sum() == pytest.approx(1)
            scored = np.isin(np.arange(len(counts)), case.scored)
            assert (shares > 0).tolist() == scored.tolist()
            if 0 < len(case.cut) < len(case.scored):
                rare = counts[~scored].sum() / counts.sum()
                assert shares[list(case.cut)].sum() == pytest.approx(rare)
