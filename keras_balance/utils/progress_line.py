"""A line on the screen that is written over while something takes its time."""

import os
import shutil
import sys


class ProgressLine:
    """Writes a line again and again, and other lines for good.

    Args:
        verbose: 0 for silence.
    """

    def __init__(self, verbose=1):
        self.verbose, self._width = verbose, 0

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
