"""One rule for losses, and weights, that are not finite."""

import math

import numpy as np

_ADVICE = (
    "A lower learning rate, or pixels within the range that the model expects, "
    "usually mends it."
)


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
                f"Losses must be finite; `{name}` was not in epoch {epoch + 1}. "
                f"{_ADVICE} Received: {name}={value}"
            )


def check_epoch(epoch, logs, model):
    """Check what an epoch left: every loss, and what is trained, must be finite.

    The last step of an epoch may spoil the weights, and no loss tells of it yet; nor
    of the statistics of a batch normalisation, which training does not read. Weights
    that are not trained may be infinite, such as a bound that is none, but not NaN.

    Args:
        epoch: Epoch, counted from 0.
        logs: dict of names to numbers, or None.
        model: The Keras model.

    Raises:
        FloatingPointError: Which names the first that is not.
    """
    check_losses(epoch, logs)
    for weight in model.weights:
        values = weight.numpy()
        is_bad = ~np.isfinite(values) if weight.trainable else np.isnan(values)
        if is_bad.any():
            raise FloatingPointError(
                f"Weights must be finite; `{weight.path}` was not after epoch "
                f"{epoch + 1}. {_ADVICE} Received: {weight.path} with "
                f"{values[is_bad][0]}"
            )
