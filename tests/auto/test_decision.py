import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_balance.auto import decision

pytestmark = pytest.mark.once

SCORES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def choose(**scores):
    """Choose by scores of one class, one a case."""
    scores = {name: [[value] for value in values] for name, values in scores.items()}
    return decision.simplest_near_the_best(decision.judged(scores))


def test_within_one_standard_error_the_simpler_is_chosen():
    # The best has a mean of 0.93 and a standard error of 0.01.
    best = [0.91, 0.94, 0.94]
    assert choose(simple=[0.92, 0.92, 0.92], best=best) == "simple"
    assert choose(simple=[0.91, 0.92, 0.92], best=best) == "best"
    # The error is that of the best, not that of the simple one.
    assert choose(simple=[0.6, 0.9, 1.0], best=best) == "best"


def test_what_all_candidates_share_is_no_noise():
    # One case is easy and one is hard; the best is ahead by 0.02 in both.
    hard_and_easy = np.array([[0.7, 0.72], [0.9, 0.92]])
    scores = {"simple": hard_and_easy, "best": hard_and_easy + 0.02}
    assert decision.within_noise(scores)[0] == "best"
    noise = np.array([[0.05, -0.04], [0.06, -0.03]])
    scores = {"simple": hard_and_easy, "best": hard_and_easy + noise}
    assert decision.within_noise(scores)[0] == "simple"


def test_of_a_single_case_the_best_is_chosen():
    assert choose(simple=[0.92], best=[0.93]) == "best"
    assert choose(simple=[0.93], best=[0.93]) == "simple"


@given(st.dictionaries(st.text(max_size=3), SCORES, min_size=1, max_size=5))
def test_the_chosen_is_never_far_behind(scores):
    compared = decision.judged(
        {name: [[value] for value in values] for name, values in scores.items()}
    )
    chosen = decision.simplest_near_the_best(compared)
    best = max(compared, key=lambda name: compared[name].mean())
    gap = compared[best].mean() - compared[chosen].mean()
    assert 0 <= gap <= decision.standard_error(compared[best]) + 1e-12
    assert list(scores).index(chosen) <= list(scores).index(best)


def test_only_complete_cases_count():
    scores = {"a": [[0.5], [0.9], [0.9]], "b": [[0.6], [0.8]], "c": [[0.7], [0.7]]}
    assert [len(values) for values in decision.judged(scores).values()] == [2, 2, 2]
    first = {"a": [[0.5, 0.7]], "b": [[0.6, 0.8]], "c": []}  # of two classes
    assert {name: [*v] for name, v in decision.judged(first).items()} == {
        "a": [0.6],
        "b": [0.7],
    }
    broken = {"a": [[0.5], [np.nan]], "b": [[0.6], [0.6]]}
    assert list(decision.judged(broken)) == ["b"]
    assert decision.judged({"a": [], "b": []}) == {}


def test_who_is_clearly_behind_is_hopeless():
    near, far = [0.91, 0.93, 0.95], [0.71, 0.74, 0.75]
    best = [0.92, 0.95, 0.95]
    scores = {"far": far, "near": near, "best": best}
    scores = {name: np.array(values) for name, values in scores.items()}
    assert decision.hopeless(scores) == ["far"]
    assert decision.hopeless({name: v[:2] for name, v in scores.items()}) == []
    assert decision.hopeless({}) == []
    # As far behind, but in one case alone.
    scores["far"] = np.array([0.92, 0.95, 0.38])
    assert decision.hopeless(scores) == []


def test_table_before_and_after():
    assert "chosen" in decision.table({}, [], None)
    scores = {"a": [[0.4, 0.6], [0.7, 0.7]], "b": [[0.7, 0.8], [0.8, 0.7]], "c": []}
    text = decision.table(scores, ["first", "second"], "a")
    header, _, *rows = (line.split() for line in text.splitlines())
    assert header == ["a", "b", "c"]
    # Of the first case, since one candidate was not judged at all; and one case
    # has no error.
    assert rows == [
        ["first", "0.5000", "0.7500"],
        ["second", "0.7000", "0.7500"],
        ["mean", "0.5000", "0.7500"],
        ["error"],
        ["chosen", "*"],
    ]
    del scores["c"]
    text = decision.table(scores, ["first", "second"], "a")
    mean, error, _ = (line.split() for line in text.splitlines()[-3:])
    assert mean == ["mean", "0.6000", "0.7500"]
    assert error == ["error", "0.1000", "0.0000"]
