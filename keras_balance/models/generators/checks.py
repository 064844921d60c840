"""The rules for the arguments of generators."""

import numbers

import keras
import numpy as np

from keras_balance.utils.class_names import check_distinct
from keras_balance.utils.numbers import choice

_SMALLEST_SIDE = 4


def image_shape(shape, data_format):
    """`image_shape` as a tuple of three ints, its sides from 4 pixels on."""
    choice("data_format", data_format, ("channels_last", "channels_first"))
    try:
        sides = tuple(shape)
    except TypeError:
        sides = ()
    are_whole = all(isinstance(side, numbers.Integral) and side > 0 for side in sides)
    if len(sides) != 3 or not are_whole:
        raise ValueError(
            "`image_shape` must be three positive integers, the shape of one image. "
            f"Received: image_shape={shape!r}"
        )
    height_and_width = sides[1:] if data_format == "channels_first" else sides[:2]
    if min(height_and_width) < _SMALLEST_SIDE:
        raise ValueError(
            f"Images must be {_SMALLEST_SIDE} pixels or more high and wide. "
            f"Received: image_shape={shape!r} with data_format={data_format!r}"
        )
    return tuple(int(side) for side in sides)


def class_names(names, num_classes):
    """`class_names` as a list of distinct labels, one a class, or None."""
    if names is None:
        return None
    names = np.asarray(names).tolist()
    check_distinct(names, num_classes)
    return names


def network(name, model, input_shape, output_shape):
    """Check that a user's network maps one shape to the other."""
    if not isinstance(model, keras.Model) or not model.built:
        raise TypeError(
            f"`{name}` must be a built keras.Model. Received: {name}={model!r}"
        )
    shapes = model.input_shape, model.output_shape
    wanted = (None, *input_shape), (None, *output_shape)
    if shapes != wanted:
        raise ValueError(
            f"`{name}` must map inputs of shape {wanted[0]} to outputs of shape "
            f"{wanted[1]}. Received: {name} from {shapes[0]} to {shapes[1]}"
        )


def images_fit(images, shape, name="x"):
    """Check that an array holds images of one shape."""
    if tuple(images.shape[1:]) != shape:
        raise ValueError(
            f"`{name}` must hold images of shape image_shape={shape}. "
            f"Received: {name} of shape {tuple(images.shape)}"
        )


def is_data_set(x):
    """Check that what comes without labels holds them itself."""
    if hasattr(x, "shape") or isinstance(x, (list, tuple)):
        raise ValueError(
            "`y` must be given where `x` is an array. "
            f"Received: y=None with x of type {type(x).__name__}"
        )


def classes_fit(images, num_classes, class_names):
    """Raise a `ValueError` for `LabelledImages` that count other classes than these."""
    if images.num_classes != num_classes:
        raise ValueError(
            f"`x` must hold images of {num_classes} classes. "
            f"Received: x of {images.num_classes} classes"
        )
    if class_names is None or images.labels_are_indices:
        return
    own, given = list(images.encoding.keys), list(class_names)
    if own != given:
        raise ValueError(
            "`x` must have the classes of `class_names`, in their order: build the "
            "`LabelledImages` with the same `class_names`. "
            f"Received: x of classes {own} with class_names={given}"
        )
