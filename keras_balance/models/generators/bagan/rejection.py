"""Rejection sampling: draw again what a classifier takes for another class."""

import numpy as np


def draw_until_right(draw, guess, indices, tries):
    """Draw one image for each class index, again where the guess is another.

    Args:
        draw: Function from class indices `(n,)` to images `(n, ...)`.
        guess: Function from images to class indices.
        indices: Class indices `(n,)`.
        tries: How often an image is drawn at most; the last one is kept.

    Returns:
        float32 array `(n, ...)`.
    """
    images = np.array(draw(indices), dtype="float32")
    drawn, left = images, np.arange(len(indices))
    for _ in range(tries - 1):
        left = left[guess(drawn) != indices[left]]
        if not len(left):
            break
        images[left] = drawn = draw(indices[left])
    return images
