"""A line about a long comparison, and the time it may take."""

import time

import numpy as np

from keras_balance.utils.progress_line import ProgressLine


class Progress:
    """Reports each training as it ends, and when there is no time for another.

    Args:
        plan: Sequence, one a training in their order, of tuples `(name, place)`:
            trainings of the same name and place take about the same time, and those of
            the same name the time that is nearest to it.
        time_budget: Seconds within which trainings may run.
        verbose: 0 for silence.
        lengths: Optional dict of names to how long their trainings are beside each
            other: then a training tells how long one of any name may take.
    """

    def __init__(self, plan, time_budget, verbose, lengths=None):
        self.plan, self.time_budget, self.lengths = list(plan), time_budget, lengths
        self._line = ProgressLine(verbose)
        self._took, self._is_over = [], False
        self._start = self._last = time.monotonic()

    def is_over(self, begun=0):
        """Whether none is left, or the next would end too late, by what others took.

        Args:
            begun: Number of trainings that have begun and not ended.
        """
        place = len(self._took) + begun
        if place == len(self.plan):
            return True
        if not self._is_over:
            seconds = self._seconds
            ends = seconds + self._expected(self.plan[place])
            self._is_over = seconds >= self.time_budget or ends > self.time_budget
        return self._is_over

    def close(self):
        """Let there be no time for another training."""
        self._is_over = True

    def lap(self):
        """Seconds since the last one, or the beginning."""
        before, self._last = self._last, time.monotonic()
        return self._last - before

    def end(self, title, score=None, seconds=None):
        """Tell how a training went, and how long the rest may take.

        Args:
            title: What it was.
            score: Its score, if it has one.
            seconds: What it took; by default a `lap`.
        """
        score = "" if score is None else f": {score:.4f}"
        self._took.append(self.lap() if seconds is None else seconds)
        text = (
            f"auto {len(self._took)}/{len(self.plan)}: {title}{score}, "
            f"{self._seconds:.0f} s, {self._left()}"
        )
        self._line.rewrite(text.removesuffix(", "))

    def leave_out(self, kind, times=1):
        """Take trainings of a kind out of what is still to come."""
        for _ in range(times):
            self.plan.pop(self.plan.index(kind, len(self._took)))

    def leave_out_all(self, name):
        """Take all trainings of a name out of what is still to come."""
        done = len(self._took)
        left = [kind for kind in self.plan[done:] if kind[0] != name]
        self.plan[done:] = left

    def tell(self, text):
        """Write lines for good, unless silent."""
        self._line.tell(text)

    def _left(self):
        done = len(self._took)
        budget = max(0.0, self.time_budget - self._seconds)
        seen = {name for name, _ in self.plan[:done]}
        if self.lengths or {name for name, _ in self.plan[done:]} <= seen:
            left = sum(map(self._expected, self.plan[done:]))
            return f"about {min(left, budget):.0f} s left"
        # A guess from the quick candidates would be far too low.
        return "" if np.isinf(budget) else f"at most {budget:.0f} s left"

    def _expected(self, kind):
        """Seconds of a training, by those of its kind; or its name; or all others."""
        if self.lengths:
            done = sum(self.lengths[name] for name, _ in self.plan[: len(self._took)])
            return self.lengths[kind[0]] * sum(self._took) / max(done, 1e-9)
        done = list(zip(self.plan, self._took, strict=False))
        same = [took for other, took in done if other == kind]
        named = [took for other, took in done if other[0] == kind[0]]
        return float(np.mean(same or named or self._took or [0.0]))

    @property
    def _seconds(self):
        return time.monotonic() - self._start
