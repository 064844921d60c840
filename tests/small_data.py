"""Small data that tests in several rooms train on."""

import numpy as np


def class_images(counts, shape=(8, 8, 1), seed=0):
    """Images of noise around one picture a class, uint8, and their class indices."""
    y = np.repeat(np.arange(len(counts)), counts)
    pictures = np.random.default_rng(99).integers(40, 200, (len(counts), *shape))
    noise = np.random.default_rng(seed).normal(scale=15, size=(len(y), *shape))
    return np.clip(pictures[y] + noise, 0, 255).astype("uint8"), y


def grey_images(counts, shape=(8, 8, 1), dark=100, step=40, spread=20, seed=0):
    """Images of noise, brighter by `step` from class to class, and class indices."""
    y = np.repeat(np.arange(len(counts)), counts)
    level = dark + step * y[:, None, None, None]
    pixels = np.random.default_rng(seed).normal(level, spread, (len(y), *shape))
    return np.clip(pixels, 0, 255).astype("uint8"), y
