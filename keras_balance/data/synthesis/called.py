"""Real images through a function of the user's own, such as one of albumentations."""

import inspect

import numpy as np

from keras_balance.utils.images import check_finite, to_layout
from keras_balance.utils.seeds import derive_seed, random_generator, seeded


class CalledImages:
    """Real images of a class, each through a function from an image to an image.

    The function gets one image `(height, width, channels)` at a time, in the type of
    `x`, and may be a `Compose` of albumentations. While it is called, Python's and
    NumPy's own random numbers start from a seed, and so do those of a `Compose`;
    what draws from elsewhere is not repeatable.

    Args:
        function: From an image to an image of the same shape.
        images: `LabelledImages`.

    Raises:
        TypeError: When called, for what is no image.
        ValueError: When called, for images of another shape, or that are not finite.
    """

    def __init__(self, function, images):
        self.function, self.images = function, images

    def rows(self, labels, seed):
        """Rows of the images that `generate` passes to the function."""
        return self.images.draw(labels, random_generator(seed, 0))

    def generate(self, labels, seed):
        """One such image for each class index in `labels`."""
        images, rows = self.images, self.rows(labels, seed)
        taken = to_layout(images.source.take(rows), images.data_format, _LAST)
        seed = derive_seed(seed, 1)
        with seeded(seed):
            if _is_compose(self.function):
                self.function.set_random_seed(seed)
            made = [_pixels(self._call(image.copy())) for image in taken]
        for image in made:
            if image.shape != taken.shape[1:]:
                raise ValueError(
                    "A function that fills classes must keep the shape of an image, "
                    f"{taken.shape[1:]}. Received: an image of shape {image.shape}"
                )
        made = np.stack(made)
        check_finite(made, name="synthesizer(image)")
        return to_layout(made, _LAST, images.data_format)

    def _call(self, image):
        if not _is_compose(self.function):
            return self.function(image)
        return self.function(image=image)["image"]


_LAST = "channels_last"


def is_function(candidate):
    """Whether it can be a function from an image to an image."""
    return callable(candidate) and not isinstance(candidate, type)


def takes_an_image(candidate):
    """Whether it takes one image, and not what `fit` functions of candidates do."""
    if _is_compose(candidate):
        return True
    try:
        inspect.signature(candidate).bind("x", "y", "seed")
    except TypeError:
        return True
    return False


def _pixels(made):
    try:
        return np.asarray(made, "float32")
    except (TypeError, ValueError) as error:
        raise TypeError(
            "A function that fills classes must return an image, an array of numbers. "
            f"Received: synthesizer(image) of type {type(made).__name__}"
        ) from error


def _is_compose(function):
    return hasattr(function, "set_random_seed")
