"""How long, and on how much, what chooses for the user trains."""

BATCH_SIZE = 64
MAX_RATIO = 20  # a case cuts frequent classes to so many times the rarest one
_EPOCHS, _LEAST_STEPS, _MOST_STEPS = 6, 400, 800


def default_steps(number):
    """Optimiser steps on so many images: six epochs, at least 400, at most 800."""
    return min(max(_EPOCHS * number // BATCH_SIZE, _LEAST_STEPS), _MOST_STEPS)
