"""A line on the screen that is written over while something takes its time."""

import os
import shutil
import sys
import time

_PATIENCE = 2  # seconds; of what is done by then nobody wants to read


class ProgressLine:
    """Writes a line again and again, and other lines for good.

    Args:
        verbose: 0 for silence.
    """

    def __init__(self, verbose=1):
        self.verbose, self._width = verbose, 0
        self._start = self._last = time.monotonic()

    def rewrite(self, text):
        """Write over the last such line; below it, where that cannot be done."""
        if not can_rewrite():
            self.tell(text)
        elif self.verbose:
            # A line that goes on below could not be written over.
            text = text[: shutil.get_terminal_size().columns - 1]
            sys.stdout.write("\r" + text.ljust(self._width))
            sys.stdout.flush()
            self._width = len(text)

    def now_and_then(self, text):
        """Rewrite the line where the work takes its time: once a second at most.

        Every half minute, where it cannot be written over.
        """
        now = time.monotonic()
        pause = 1 if can_rewrite() else 30
        if now - self._start > _PATIENCE and now - self._last >= pause:
            self._last = now
            self.rewrite(text)

    def tell(self, text):
        """Write lines for good, unless silent."""
        if self.verbose:
            start = "\n" if self._width else ""
            self._width = 0
            sys.stdout.write(f"{start}{text}\n")
            sys.stdout.flush()

    def end(self):
        """Leave the line as it is, and go on below it."""
        if self._width:
            sys.stdout.write("\n")
            sys.stdout.flush()
        self._width = 0


def can_rewrite():
    """Whether a line can be written over; the rule is that of Keras' progress bar."""
    return (
        sys.stdout.isatty()
        or "ipykernel" in sys.modules
        or "PYCHARM_HOSTED" in os.environ
    )
