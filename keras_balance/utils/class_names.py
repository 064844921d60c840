"""Names of classes: one each, and no two alike."""

import numpy as np


def check_class_names(class_names, num_classes):
    """`class_names` as a list of strings, or the class indices when None.

    Raises:
        TypeError: When they are no sequence, or a single string.
        ValueError: When the number of names is not `num_classes`, or two agree.
    """
    if class_names is None:
        return [str(index) for index in range(num_classes)]
    names = [str(class_name) for class_name in sequence_of_names(class_names)]
    check_distinct(names, num_classes)
    return names


def check_distinct(names, num_classes, name="class_names"):
    """Raise a `ValueError` for names that are too few or many, or not distinct."""
    if len(names) != num_classes or len(set(names)) != num_classes:
        raise ValueError(
            f"`{name}` must be {num_classes} distinct names, one a class. "
            f"Received: {name}={list(names)}"
        )


def sequence_of_names(class_names, name="class_names"):
    """`class_names` as they are, a sequence, or None.

    Raises:
        TypeError: When they are no sequence, or a single string.
    """
    is_none = class_names is None
    if not is_none and (isinstance(class_names, str) or not np.iterable(class_names)):
        raise TypeError(
            f"`{name}` must be a sequence of names, one a class. "
            f"Received: {name}={class_names!r}"
        )
    return class_names
