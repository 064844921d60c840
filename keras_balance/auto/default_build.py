"""The classifier of `AutoBalance` where the user gives none: the paper's ConvNet."""

import functools

from keras_balance.models import convnet


def default_build(images):
    """Give the function that builds it for `LabelledImages`."""
    return functools.partial(
        convnet, images.image_shape, images.num_classes, images.value_range
    )


def default_code(images):
    """Write the code that builds it for `LabelledImages`."""
    arguments = f"{images.image_shape}, {images.num_classes}, {images.value_range}"
    return f"kb.models.convnet({arguments})"
