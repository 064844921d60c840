"""One rule for losses that are not finite."""

import math


def is_loss(name):
    """Whether a log is a loss by its name, unlike the recall of a blossom."""
    return name == "loss" or name.endswith("_loss")


def check_losses(epoch, logs, others=()):
    """Check the logs of an epoch: every loss must be finite.

    See `is_loss` for what counts as one.

    Args:
        epoch: Epoch, counted from 0.
        logs: dict of names to numbers, or None.
        others: Names of further logs to which the rule applies.

    Raises:
        FloatingPointError: Which names the first that is NaN or infinite.
    """
    for name, value in (logs or {}).items():
        if (is_loss(name) or name in others) and not math.isfinite(value):
            raise FloatingPointError(
                f"Losses must be finite; `{name}` was not in epoch {epoch + 1}. A "
                "lower learning rate, or pixels within the range that the model "
                f"expects, usually mends it. Received: {name}={value}"
            )
