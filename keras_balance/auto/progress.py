"""Lines about a long comparison, and the time it may take."""

import sys
import time


class Progress:
    """Tells of each training as it ends, and when the time is over.

    Args:
        total: Number of trainings.
        time_budget: Seconds after which no other may begin.
        verbose: 0 for silence.
    """

    def __init__(self, total, time_budget, verbose):
        self.total, self.time_budget, self.verbose = total, time_budget, verbose
        self._done, self._start = 0, time.monotonic()

    @property
    def is_over(self):
        """Whether the time is over."""
        return self._seconds >= self.time_budget

    def end(self, title, score):
        """Tell how a training went, and how long the rest may take."""
        self._done += 1
        left = self._seconds / self._done * (self.total - self._done)
        left = min(left, max(0.0, self.time_budget - self._seconds))
        self.tell(
            f"auto {self._done}/{self.total}: {title}: {score:.4f}, "
            f"{self._seconds:.0f} s, about {left:.0f} s left"
        )

    def tell(self, text):
        """Write a line, unless silent."""
        if self.verbose:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    @property
    def _seconds(self):
        return time.monotonic() - self._start
