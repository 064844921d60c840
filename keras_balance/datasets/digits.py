"""Scikit-learn's own digits."""

import numpy as np
import sklearn.datasets

_TRAIN_FRACTION = 0.7


def load_data():
    """Load the 1,797 handwritten digits that come with scikit-learn.

    Needs no network and no file. The images are stored writer after writer, so
    the first 70 % of each class are the training images and the rest, by later
    writers, the test images: a fixed, stratified split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(n, 8, 8)` in 0..255,
        white on black; labels int64 `(n,)` in 0..9; 1,258 and 539 of them.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, x_test.shape
        ((1258, 8, 8), (539, 8, 8))

    Reference:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI
        Machine Learning Repository, 1998 (its test part).
    """
    digits = sklearn.datasets.load_digits()
    x = np.round(digits.images * (255 / 16)).astype("uint8")
    y = digits.target.astype("int64")
    train = np.zeros(len(y), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(y == label)
        train[members[: round(_TRAIN_FRACTION * len(members))]] = True
    return (x[train], y[train]), (x[~train], y[~train])
