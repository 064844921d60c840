import time

import numpy as np
import pytest

from keras_balance.auto.progress import Progress

pytestmark = pytest.mark.once


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, but for `clock.now += seconds`."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


def run(clock, plan, budget, seconds):
    """Train as long as there is time; number of trainings, and the time at the end."""
    progress = Progress(plan, budget, 0)
    for done, kind in enumerate(plan):
        if progress.is_over():
            return done, clock.now
        clock.now += seconds[kind]
        progress.end("a case", 0.5)
    return len(plan), clock.now


PLAN = [("quick", True), ("slow", True), ("quick", False), ("slow", False)] * 3
SECONDS = {PLAN[0]: 2.0, PLAN[1]: 90.0, PLAN[2]: 2.0, PLAN[3]: 10.0}


@pytest.mark.parametrize("budget", [10, 100, 140, 193, 10_000])
def test_what_would_not_end_in_time_does_not_begin(clock, budget):
    done, end = run(clock, PLAN, budget, SECONDS)
    first = 92  # nothing is known of the second training before it ends
    assert end <= max(budget, first)
    assert done == len(PLAN) or end + SECONDS[PLAN[done]] > budget or done <= 4


def test_no_time_is_no_training(clock):
    assert run(clock, PLAN, 0, SECONDS) == (0, 0)
    assert run(clock, PLAN, np.inf, SECONDS)[0] == len(PLAN)


def test_what_has_begun_is_not_the_next(clock):
    progress = Progress([("quick", 0), ("slow", 0)] * 2, 100, 0)
    for seconds in (2, 90):
        clock.now += seconds
        progress.end("a case", 0.5)
    assert progress.is_over(begun=2)  # none is left
    assert not progress.is_over()
    assert progress.is_over(begun=1)  # a slow one


def test_what_a_training_took_may_be_told(clock):
    progress = Progress([("quick", 0), ("slow", 0)] * 2, 100, 0)
    clock.now += 2
    quick = progress.lap()
    clock.now += 90
    slow = progress.lap()
    clock.now += 5
    for seconds in (quick, slow):
        progress.end("a case", 0.5, seconds)
    assert not progress.is_over()  # 97 seconds, and two more
    assert progress.is_over(begun=1)


def test_once_over_it_stays_over(clock):
    progress = Progress(PLAN, 15, 0)
    clock.now += 14
    progress.end("a case", 0.5)
    assert progress.is_over()
    clock.now = 0  # as if the next candidate were a quicker one
    assert progress.is_over()


def test_the_time_that_is_left_falls(clock, capsys):
    progress = Progress(PLAN, np.inf, 1)
    for kind in PLAN:
        clock.now += SECONDS[kind]
        progress.end("a case", 0.5)
    lines = capsys.readouterr().out.splitlines()
    # Before the slow one has run, nothing is known of it.
    assert lines[0] == "auto 1/12: a case: 0.5000, 2 s"
    left = [int(line.split()[-3]) for line in lines[4:]]
    assert left == sorted(left, reverse=True)
    assert left[0] == 90 + 12 + 92 + 12
    assert lines[-1].endswith("about 0 s left")


def test_with_lengths_the_first_training_tells_how_long_all_may_take(clock, capsys):
    plan = [("brief", 0), ("full", 0), ("full", 1)]
    progress = Progress(plan, np.inf, 1, {"brief": 0.5, "full": 1.0})
    for seconds in (5, 10, 12):
        clock.now += seconds
        progress.end("a case")
    lines = capsys.readouterr().out.splitlines()
    left = [line.split(", ")[-1] for line in lines]
    assert left == ["about 20 s left", "about 10 s left", "about 0 s left"]


def test_a_terminal_has_one_line_that_is_rewritten(clock, capsys, monkeypatch):
    monkeypatch.setattr("keras_balance.utils.progress_line.can_rewrite", lambda: True)
    progress = Progress(PLAN[:2], 100, 1)
    progress.end("a long title", 0.5)
    progress.end("short", 0.25)
    progress.tell("done")
    text = capsys.readouterr().out
    assert text.count("\n") == 2
    first, second = text.split("\n")[0].split("\r")[1:]
    assert len(second) >= len(first)  # nothing of the longer line stays
    assert text.endswith("\ndone\n")
