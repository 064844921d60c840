"""One rule for losses that are not finite."""

import math


def check_losses(epoch, logs, others=()):
    """Check the logs of an epoch: every one with "loss" in its name must be finite.

    Args:
        epoch: Epoch, counted from 0.
        logs: dict of names to numbers, or None.
        others: Names of further logs to which the rule applies.

    Raises:
        FloatingPointError: Which names the first that is NaN or infinite.
    """
    for name, value in (logs or {}).items():
        if ("loss" in name or name in others) and not math.isfinite(value):
            raise FloatingPointError(
                f"Losses must be finite; `{name}` was not in epoch {epoch + 1}. A "
                "lower learning rate, or pixels within the range that the model "
                f"expects, usually mends it. Received: {name}={value}"
            )
