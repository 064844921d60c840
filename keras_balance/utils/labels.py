"""Labels as they come: sparse, a column, or one-hot; integers or names."""

import dataclasses

import numpy as np

from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.class_names import check_distinct, sequence_of_names


@dataclasses.dataclass(frozen=True)
class LabelEncoding:
    """How labels were written, so that results can be written the same way.

    Attributes:
        classes: Array of the class names in class order; class index `i` is
            called `classes[i]`. `0..num_classes - 1` for one-hot labels.
        form: `"sparse"` `(n,)`, `"column"` `(n, 1)` or `"one_hot"` `(n, num_classes)`.
        dtype: dtype of the labels that came in.
        titles: Optional tuple of what people call the classes, where that is not how
            they are written, such as the names of folders.

    Example:
        >>> indices, encoding = read_labels(np.array([7, 2, 40, 2]))
        >>> indices
        array([1, 0, 2, 0])
        >>> encoding.encode([2, 0])
        array([40,  2])
    """

    classes: np.ndarray
    form: str
    dtype: np.dtype
    titles: tuple | None = None

    @property
    def num_classes(self):
        """Number of classes, those without any image included."""
        return len(self.classes)

    def encode(self, indices):
        """Write class indices `(n,)` the way the labels came in."""
        indices = np.asarray(indices, dtype="int64")
        if self.form == "one_hot":
            rows = np.zeros((len(indices), self.num_classes), self.dtype)
            rows[np.arange(len(indices)), indices] = 1
            return rows
        labels = self.names(indices).astype(self.dtype, copy=False)
        return labels[:, None] if self.form == "column" else labels

    def decode(self, y, name="y"):
        """Class indices `(n,)` of labels written the way the first ones were.

        Raises:
            ValueError: For a label that is not among `classes`.
        """
        if self.form == "one_hot":
            return read_labels(y, num_classes=self.num_classes, name=name)[0]
        return read_labels(y, class_names=self.classes, name=name)[0]

    def titled(self, titles):
        """Give the same with other titles, one a class, or None.

        Raises:
            TypeError: When they are no sequence, or a single string.
            ValueError: When their number is not that of the classes, or two agree.
        """
        if sequence_of_names(titles, "titles") is not None:
            titles = tuple(titles)
            check_distinct(titles, self.num_classes, "titles")
        return dataclasses.replace(self, titles=titles)

    @property
    def keys(self):
        """List of the classes as users find them in results: titles, or the labels."""
        return self.classes.tolist() if self.titles is None else list(self.titles)

    def names(self, indices):
        """Original names `(n,)` of class indices `(n,)`."""
        return self.classes[np.asarray(indices, dtype="int64")]

    def index_of(self, label, name="label"):
        """Class index of one class by its key, or by its label.

        Raises:
            ValueError: When there is no such class.
        """
        names, labels = self.keys, self.classes.tolist()
        # Where a number may be a title, none is taken for a label.
        if label not in names and not set(names) & set(labels):
            names = labels
        if label not in names:
            raise ValueError(
                f"`{name}` must be one of the classes {self.keys}. "
                f"Received: {name}={label!r}"
            )
        return names.index(label)


def read_labels(y, num_classes=None, class_names=None, name="y"):
    """Read labels of any form into class indices.

    Args:
        y: Labels: `(n,)` or `(n, 1)` integers or strings (bytes are read as text), or
            one-hot `(n, num_classes)`.
        num_classes: Optional number of classes. Sparse labels must then be
            integers in `[0, num_classes)`, and one-hot labels that wide.
            Without it, the classes are the sorted distinct labels.
        class_names: Optional sequence of the labels in class order, instead of
            `num_classes`; of one-hot labels one a column.
        name: Name of the argument in error messages.

    Returns:
        `(indices, encoding)`: int64 `(n,)` and a `LabelEncoding`.

    Raises:
        ValueError: For empty, fractional, missing (None, NaN, NaT, an empty cell) or
            multi-label labels, for numbers among strings, for a label outside the
            declared classes, and for one that is declared twice.
    """
    y = _as_array(y, name)
    if y.ndim not in (1, 2) or y.size == 0:
        raise ValueError(
            f"`{name}` must hold at least one label, as (n,) or (n, 1) labels or "
            f"one-hot (n, num_classes). Received: {name} of shape {y.shape}"
        )
    if y.dtype.kind in "OUS":
        check_complete(y, name)
        y = _as_text(y, name)
    if y.dtype.kind not in "biufUS":
        raise TypeError(
            f"`{name}` must hold integers or strings. "
            f"Received: {name} of dtype {y.dtype}"
        )
    if y.ndim == 2 and y.shape[1] > 1:
        if class_names is not None:
            check_distinct(list(class_names), y.shape[1])
        return _read_one_hot(y, num_classes, name)
    form = "sparse" if y.ndim == 1 else "column"
    flat = _whole_numbers(y.reshape(-1), name)
    if class_names is not None:
        classes = _as_array(class_names, "class_names")
        if classes.dtype.kind in "OUS":
            check_complete(classes, "class_names")
            classes = _as_text(classes, "class_names")
        check_distinct(classes.tolist(), len(classes))
        indices = _look_up(flat, classes, name)
    elif num_classes is not None:
        classes = np.arange(num_classes)
        indices = _within(flat, num_classes, name)
    else:
        classes, indices = np.unique(flat, return_inverse=True)
    return indices.astype("int64"), LabelEncoding(classes, form, y.dtype)


def check_complete(labels, name="y"):
    """Raise a `ValueError` for the first label that is missing, or of another type.

    NumPy would make a string of it: an empty cell of a table would become a class
    "nan", and "1" the same class as 1.

    Args:
        labels: Array of objects or strings.
        name: Name of the argument in error messages.
    """
    flat, kinds = labels.reshape(-1).tolist(), {}
    for row, label in enumerate(flat):
        if _is_missing(label):
            raise ValueError(
                f"`{name}` must hold a label for every image. "
                f"Received: {name}[{row}]={label!r}"
            )
        kinds.setdefault(_kind_of(label), row)
    if len(kinds) > 1:
        first, other = (flat[row] for row in list(kinds.values())[:2])
        raise ValueError(
            f"`{name}` must hold labels of one type, numbers or strings. "
            f"Received: {name} with {first!r} and {other!r}"
        )


def read_class_labels(y, num_classes, class_names=None, name="y"):
    """Read labels of a model's classes: names, class indices or one-hot.

    Args:
        y: Labels: `(n,)` or `(n, 1)`, by name or as class indices, or one-hot
            `(n, num_classes)`.
        num_classes: Number of classes.
        class_names: Optional names of the classes, in class order. Where they are
            numbers, sparse labels are names; where they are strings, numbers are
            class indices.
        name: Name of the argument in error messages.

    Returns:
        `(indices, encoding)`, as of `read_labels`.

    Raises:
        ValueError: As of `read_labels`.

    Example:
        >>> read_class_labels([1, 0], 2, class_names=["cat", "dog"])[0]
        array([1, 0])
        >>> read_class_labels(["dog"], 2, class_names=["cat", "dog"])[0]
        array([1])
    """
    y = _as_array(y, name)
    options = class_label_options(y, num_classes, class_names)
    return read_labels(y, **options, name=name)


def class_label_options(y, num_classes, class_names=None):
    """Arguments of `read_labels` by which `read_class_labels` reads `y`."""
    y = np.asarray(y)
    if y.dtype.kind == "O":
        y = np.array(y.tolist())
    is_sparse = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    if class_names is not None and is_sparse:
        are_words = np.asarray(class_names).dtype.kind in "US"
        if not are_words or y.dtype.kind not in "biuf":
            return {"class_names": class_names}
    return {"num_classes": num_classes}


def count_classes(indices, num_classes):
    """Images per class as an int64 array `(num_classes,)`."""
    return np.bincount(indices, minlength=num_classes)


def _as_array(y, name, is_checked=False):
    if np.ma.is_masked(y):
        masked = np.ma.getmaskarray(y).reshape(len(y), -1).any(axis=1)
        raise ValueError(
            f"`{name}` must hold a label for every image. "
            f"Received: {name}[{int(np.argmax(masked))}]=masked"
        )
    try:
        array = np.asarray(to_numpy(y))
        # Of numbers among strings NumPy makes strings: look at them before.
        is_listed = isinstance(y, (list, tuple)) and array.dtype.kind in "US"
        is_listed = is_listed and not is_checked
        return np.asarray(y, dtype=object) if is_listed else array
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"`{name}` must hold as many numbers in each row. Received: {name}={y!r}"
        ) from error


def _as_text(labels, name):
    """Give objects as numbers or text; strings of TensorFlow's are bytes."""
    labels = _as_array(labels.tolist(), name, is_checked=True)
    is_bytes = labels.dtype.kind == "S"
    return np.char.decode(labels, errors="backslashreplace") if is_bytes else labels


def _is_missing(label):
    try:
        return label is None or label in ("", b"") or bool(label != label)
    except TypeError:  # pandas.NA is neither
        return True


def _kind_of(label):
    kinds = [kind for kind in (str, bytes) if isinstance(label, kind)]
    return kinds[0] if kinds else "number"


def _read_one_hot(y, num_classes, name):
    if y.dtype.kind in "US":
        raise ValueError(
            f"`{name}` must be one-hot where it has several columns. "
            f"Received: {name} of shape {y.shape} and dtype {y.dtype}"
        )
    if num_classes is not None and y.shape[1] != num_classes:
        raise ValueError(
            f"One-hot `{name}` must have num_classes={num_classes} columns. "
            f"Received: {name} of shape {y.shape}"
        )
    is_one_hot = ((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)
    if not is_one_hot.all():
        row = int(np.argmin(is_one_hot))
        raise ValueError(
            f"Every row of one-hot `{name}` must hold a single 1 and zeros: "
            f"multi-label and soft labels are not supported. "
            f"Received: {name}[{row}]={y[row].tolist()}"
        )
    encoding = LabelEncoding(np.arange(y.shape[1]), "one_hot", y.dtype)
    return np.argmax(y, axis=1).astype("int64"), encoding


def _whole_numbers(flat, name):
    if flat.dtype.kind != "f":
        return flat
    # Beyond 2**53 a float no longer tells neighbouring whole numbers apart.
    wide = flat.astype("float64")  # half precision does not reach so far
    whole = (np.abs(wide) < 2.0**53) & (wide == np.round(wide))
    if not whole.all():
        row = int(np.argmin(whole))
        raise ValueError(
            f"`{name}` must hold whole numbers. Received: {name}[{row}]={flat[row]}"
        )
    return flat.astype("int64")


def _look_up(flat, classes, name):
    known = np.isin(flat, classes)
    if not known.all():
        row = int(np.argmin(known))
        raise ValueError(
            f"`{name}` must hold labels among {classes.tolist()}. "
            f"Received: {name}[{row}]={flat[row].item()!r}"
        )
    order = np.argsort(classes)
    return order[np.searchsorted(classes[order], flat)]


def _within(flat, num_classes, name):
    if flat.dtype.kind in "US":
        raise ValueError(
            f"`{name}` must hold integers in [0, num_classes={num_classes}). "
            f"Received: {name}[0]={flat[0].item()!r}"
        )
    inside = (flat >= 0) & (flat < num_classes)
    if not inside.all():
        row = int(np.argmin(inside))
        raise ValueError(
            f"`{name}` must hold integers in [0, num_classes={num_classes}). "
            f"Received: {name}[{row}]={flat[row].item()}"
        )
    return flat
