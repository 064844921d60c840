"""Searches that go on, and files that are whole."""

import itertools
import json

import keras_tuner
import pytest

import keras_balance as kb

# keras-tuner calls what `threading` has long deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(currentThread|getName):DeprecationWarning"
)

OBJECTIVE = keras_tuner.Objective("score", "max")


class Killed(BaseException):
    """Ends a search as nothing catches it."""


class Letters(keras_tuner.HyperModel):
    """Four settings: "a" alone, and "b" in three sizes."""

    def declare_hyperparameters(self, hp):
        hp.Choice("kind", ["a", "b"], default="b")
        hp.Int("size", 1, 3, default=2, parent_name="kind", parent_values="b")
        hp.Fixed("fixed", 7)

    def build(self, hp):
        return None


def numbers_tuner(oracle, folder, last=None):
    """Make a tuner whose trials cost nothing, and whose trial `last` is killed."""

    class Numbers(keras_tuner.Tuner):
        def run_trial(self, trial, **_):
            if trial.trial_id == last:
                raise Killed
            return {"score": float(trial.trial_id)}

    return Numbers(oracle, Letters(), directory=str(folder))


def grid(max_trials=100):
    return keras_tuner.oracles.GridSearchOracle(OBJECTIVE, max_trials=max_trials)


def tried(tuner):
    trials = sorted(tuner.oracle.trials.items())
    return [trial.hyperparameters.values for _, trial in trials]


def test_the_grid_is_that_of_keras_tuner(tmp_path):
    theirs = numbers_tuner(grid(), tmp_path / "theirs")
    theirs.search(verbose=0)
    ours = kb.tuners.resumable(numbers_tuner(grid(), tmp_path / "ours"))
    ours.search(verbose=0)
    assert len(tried(ours)) == 4
    key = json.dumps
    assert sorted(map(key, tried(ours))) == sorted(map(key, tried(theirs)))
    assert tried(ours)[0] == {"kind": "b", "size": 2, "fixed": 7}


@pytest.mark.parametrize("last", ["000", "001", "003"])
def test_grid_search_goes_on(tmp_path, last):
    tuner = kb.tuners.resumable(numbers_tuner(grid(), tmp_path, last))
    with pytest.raises(Killed):
        tuner.search(verbose=0)
    again = kb.tuners.resumable(numbers_tuner(grid(), tmp_path))
    again.search(verbose=0)
    whole = kb.tuners.resumable(numbers_tuner(grid(), tmp_path / "whole"))
    whole.search(verbose=0)
    assert tried(again) == tried(whole)
    statuses = {trial.status for trial in again.oracle.trials.values()}
    assert statuses == {"COMPLETED"}


def test_a_kill_while_any_file_is_written_leaves_a_search_that_goes_on(
    tmp_path, monkeypatch
):
    """Whatever file is being written when the search dies, it can be taken up."""
    import os

    replace = os.replace
    for place in itertools.count():
        folder, calls = tmp_path / str(place), itertools.count()

        def killed(source, target, place=place, calls=calls):
            if next(calls) == place:
                raise Killed
            replace(source, target)

        tuner = kb.tuners.resumable(numbers_tuner(grid(), folder))
        monkeypatch.setattr(os, "replace", killed)
        try:
            tuner.search(verbose=0)
        except Killed:
            pass
        else:
            break
        finally:
            monkeypatch.setattr(os, "replace", replace)
        # Trials have two digits now, where they had three.
        again = kb.tuners.resumable(numbers_tuner(grid(max_trials=99), folder))
        again.search(verbose=0)
        assert len(tried(again)) == 4
        stray = {path.parent.name for path in folder.glob("**/trial.json")}
        stray -= {f"trial_{trial_id}" for trial_id in again.oracle.trials}
        # Up to the end of the first trial, a search begins anew.
        assert not stray or (place < 7 and stray == {"trial_000"})
        assert {t.status for t in again.oracle.trials.values()} == {"COMPLETED"}
    # The search's own beginning, then what begins and ends each of four trials.
    assert place >= 4 * 4


def test_all_of_a_search_is_written_through_whole_files(tmp_path, monkeypatch):
    """keras-tuner's own writer is not called again once a tuner is resumable."""
    tuner = kb.tuners.resumable(numbers_tuner(grid(), tmp_path))

    def in_place(self, fname):
        raise AssertionError(f"{fname} is written in place")

    monkeypatch.setattr(keras_tuner.Oracle.__mro__[1], "save", in_place)
    tuner.search(verbose=0)
    assert len(list(tmp_path.glob("**/trial.json"))) == 4


def test_what_is_no_tuner():
    with pytest.raises(TypeError, match="tuner=None"):
        kb.tuners.resumable(None)
