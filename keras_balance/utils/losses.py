"""One rule for losses that are not finite."""

import math


def check_losses(epoch, logs, others=()):
    """Check the logs of an epoch: every loss must be finite.

    A loss is what is called "loss", or ends in "_loss".

    Args:
        epoch: Epoch, counted from 0.
        logs: dict of names to numbers, or None.
        others: Names of further logs to which the rule applies.

    Raises:
        FloatingPointError: Which names the first that is NaN or infinite.
    """
    for name, value in (logs or {}).items():
        is_loss = name == "loss" or name.endswith("_loss") or name in others
        if is_loss and not math.isfinite(value):
            raise FloatingPointError(
                f"Losses must be finite; `{name}` was not in epoch {epoch + 1}. A "
                "lower learning rate, or pixels within the range that the model "
                f"expects, usually mends it. Received: {name}={value}"
            )
