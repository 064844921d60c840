import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_balance.tuners.auto import decision

SCORES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def choose(**scores):
    scores = {name: [values] for name, values in scores.items()}
    return decision.simplest_near_the_best(decision.judged(scores))


def test_within_one_standard_error_the_simpler_is_chosen():
    # Behind by 0.01 on average: 0.03 and 0 make an error of 0.01, 0.02 and 0.01 less.
    assert choose(simple=[0.9, 0.93, 0.93], best=[0.93, 0.93, 0.93]) == "simple"
    assert choose(simple=[0.91, 0.92, 0.93], best=[0.93, 0.93, 0.93]) == "best"


def test_scores_are_paired():
    # The classes differ by far more than the candidates, which differ alike in each.
    assert choose(simple=[0.5, 0.7, 0.9], best=[0.52, 0.71, 0.92]) == "best"


@given(st.dictionaries(st.text(max_size=3), SCORES, min_size=1, max_size=5))
def test_the_chosen_is_never_far_behind(scores):
    compared = decision.judged({name: [values] for name, values in scores.items()})
    chosen = decision.simplest_near_the_best(compared)
    gap, error = decision.behind_the_best(compared)[chosen]
    assert gap <= error
    assert gap >= -1e-12
    best = max(compared, key=lambda name: compared[name].mean())
    assert list(scores).index(chosen) <= list(scores).index(best)


def test_only_complete_folds_count():
    scores = {"a": [[0.5], [0.9], [0.9]], "b": [[0.6], [0.8]], "c": [[0.7], [0.7]]}
    assert [len(values) for values in decision.judged(scores).values()] == [2, 2, 2]
    first = {"a": [[0.5, 0.7]], "b": [[0.6, 0.7]], "c": []}  # of two classes
    assert {k: len(v) for k, v in decision.judged(first).items()} == {"a": 2, "b": 2}
    broken = {"a": [[0.5], [np.nan]], "b": [[0.6], [0.6]]}
    assert list(decision.judged(broken)) == ["b"]
    assert decision.judged({"a": [], "b": []}) == {}


def test_table_before_and_after():
    assert "chosen" in decision.table({}, [], None)
    scores = {"a": [[0.4, 0.6], [0.7, 0.7]], "b": [[0.7, 0.8]]}
    text = decision.table(scores, ["first", "second"], "a")
    header, _, *rows = (line.split() for line in text.splitlines())
    assert header == ["a", "b"]
    assert rows == [
        ["first", "0.5000", "0.7500"],
        ["second", "0.7000"],
        ["mean", "0.5000", "0.7500"],
        ["behind", "0.2500", "0.0000"],
        ["error", "0.0500", "0.0000"],
        ["chosen", "*"],
    ]


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5]])
def test_equal_scores_have_no_gap(scores):
    gaps = decision.behind_the_best(decision.judged({"a": [scores], "b": [scores]}))
    assert gaps == {"a": (0.0, 0.0), "b": (0.0, 0.0)}
