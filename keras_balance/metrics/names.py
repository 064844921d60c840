"""The names that scores are logged under."""

from keras_balance.utils.class_names import check_class_names

RESERVED = (
    "macro",
    "accuracy",
    "balanced_accuracy",
    "g_mean",
    "macro avg",
    "micro avg",
    "weighted avg",
)


def check_score_names(class_names, num_classes):
    """`class_names` as distinct strings that no average of the scores is called by.

    Raises:
        TypeError: When they are no sequence.
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
