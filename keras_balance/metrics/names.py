"""The names that scores are logged under."""

import numbers

from keras_balance.utils.labels import check_class_names

RESERVED = (
    "macro",
    "accuracy",
    "balanced_accuracy",
    "g_mean",
    "macro avg",
    "micro avg",
    "weighted avg",
)


def check_num_classes(num_classes):
    """`num_classes` as an int.

    Raises:
        TypeError: When it is no integer.
        ValueError: When it is less than 1.
    """
    if isinstance(num_classes, bool) or not isinstance(num_classes, numbers.Integral):
        raise TypeError(
            f"`num_classes` must be an integer. Received: num_classes={num_classes!r}"
        )
    if num_classes < 1:
        raise ValueError(
            f"`num_classes` must be at least 1. Received: num_classes={num_classes}"
        )
    return int(num_classes)


def check_score_names(class_names, num_classes):
    """`class_names` as distinct strings that no average of the scores is called by.

    Raises:
        ValueError: When they are too few or many, repeated, or such a name.
    """
    names = check_class_names(class_names, num_classes)
    for name in names:
        if name in RESERVED:
            raise ValueError(
                f"`class_names` must hold none of {list(RESERVED)}, which name "
                f"averages. Received: class_names={names}"
            )
    return names
