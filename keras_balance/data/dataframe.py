"""Balanced batches of image files that a table lists."""

import csv
import os
import re

import numpy as np

from keras_balance.data.files_to_feed import check_split, feed_files, reading_options
from keras_balance.utils.labels import read_labels

# Arguments of Keras' `flow_from_dataframe`: their names here.
_RENAMED = {"class_mode": "label_mode", "target_size": "image_size"}


def balanced_image_dataset_from_dataframe(  # noqa: D417, as of the other one
    dataframe,
    directory=None,
    x_col="filename",
    y_col="class",
    label_mode="categorical",
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    verbose=True,
    stratify=False,
    on_error="raise",
    dtype="uint8",
    **kwargs,
):
    """Build a `BalancedDataset` of the image files that a table lists.

    The columns are those of Keras' `flow_from_dataframe`.

    Args:
        dataframe: pandas' `DataFrame`, or the path of a CSV file with a line of titles.
        directory: Folder that the paths of the table begin at; None where they are
            whole.
        x_col: Title of the column of the paths; in a `DataFrame` it may be a number.
        y_col: Title of the column of the classes, which are numbers or names.
        label_mode: `"categorical"` (one-hot), `"int"` (class indices, in the order of
            the sorted classes) or `"binary"` (0. or 1.).
        color_mode: As of `balanced_image_dataset_from_directory`, like the other
            arguments.

    Returns:
        A `BalancedDataset`, or a list of two, as of
        `balanced_image_dataset_from_directory`.

    Raises:
        ValueError: For bad arguments, a column that is not there, an empty table, and
            rows without a path or a class.
        TypeError: For what is neither a table nor the path of one.
        OSError: For paths where there is no file, unless `on_error="skip"` leaves them
            out, and when a file is read that is not an image; they are named.

    Example:
        >>> dataset = kb.data.balanced_image_dataset_from_dataframe(
        ...     "lesions.csv", "pictures", x_col="image", y_col="diagnosis", seed=0
        ... )
    """
    _check_names(kwargs)
    check_split(label_mode, on_error, validation_split, subset, shuffle, seed)
    reading = reading_options(
        color_mode,
        image_size,
        interpolation,
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
        data_format,
        dtype,
    )
    columns = _columns(dataframe)
    cells = _column(columns, "x_col", x_col)
    labels = _column(columns, "y_col", y_col)
    paths = _paths(cells, x_col, directory or "")
    if on_error == "raise":
        _check_there(paths, x_col)
    if isinstance(dataframe, (str, os.PathLike)):
        labels = _cells(labels)
    classes, encoding = read_labels(labels, name=y_col)
    return feed_files(
        np.array(paths),
        classes,
        np.arange(encoding.num_classes),
        titles=encoding.classes.tolist(),
        label_mode=label_mode,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        stratify=stratify,
        on_error=on_error,
        verbose=verbose,
        reading=reading,
        **kwargs,
    )


def _cells(texts):
    """Cells of a column: integers where all are, as pandas reads them."""
    are_integers = all(re.fullmatch("0|-?[1-9][0-9]*", text or "") for text in texts)
    return [int(text) for text in texts] if are_integers else texts


def _check_names(kwargs):
    """Raise a `TypeError` for names that Keras' `flow_from_dataframe` has."""
    for keras_name, name in _RENAMED.items():
        if keras_name in kwargs:
            raise TypeError(
                f"`{keras_name}` of `flow_from_dataframe` is called `{name}` here. "
                f"Received: {keras_name}={kwargs[keras_name]!r}"
            )


def _columns(dataframe):
    """Read a table into a dict of its titles to the lists of their cells."""
    if isinstance(dataframe, (str, os.PathLike)):
        with open(dataframe, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, titles = list(reader), list(reader.fieldnames or [])
        return {title: [row[title] for row in rows] for title in titles}
    if hasattr(dataframe, "columns"):
        return {title: list(dataframe[title]) for title in dataframe.columns}
    raise TypeError(
        "`dataframe` must be a pandas DataFrame or the path of a CSV file. "
        f"Received: dataframe of type {type(dataframe).__name__}"
    )


def _column(columns, name, title):
    """Cells of the column of a title: as it is given, or else as text."""
    by_text = {str(known): cells for known, cells in columns.items()}
    if title in list(columns):
        return columns[title]
    if str(title) in by_text:
        return by_text[str(title)]
    raise ValueError(
        f"`{name}` must be one of the columns {list(columns)}. "
        f"Received: {name}={title!r}"
    )


def _paths(cells, title, directory):
    """List of the paths in a column, as strings."""
    for row, cell in enumerate(cells):
        if not isinstance(cell, (str, os.PathLike)) or not cell:
            raise ValueError(
                f"`{title}` must hold the path of an image in every row. "
                f"Received: {title}[{row}]={cell!r}"
            )
    return [os.path.join(directory, cell) for cell in cells]


def _check_there(paths, title):
    """Raise a `FileNotFoundError` that names the first paths without a file."""
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise FileNotFoundError(
            f"`{title}` must hold paths of files, below `directory` where that is "
            'given; `on_error="skip"` leaves others out. '
            f"Received: {len(missing)} of {len(paths)} without a file: {missing[:3]}"
        )
