"""Balanced batches of image files that a table lists."""

import csv
import os
import re

import numpy as np

from keras_balance.data.files_to_feed import check_split, feed_files, reading_options
from keras_balance.utils.labels import read_labels


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
        x_col: Column of the paths.
        y_col: Column of the classes, numbers or names.
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
        OSError: When a file is read that is not an image; it is named.

    Example:
        >>> dataset = kb.data.balanced_image_dataset_from_dataframe(
        ...     "lesions.csv", "pictures", x_col="image", y_col="diagnosis", seed=0
        ... )
    """
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
    paths, labels = _columns(dataframe, x_col, y_col)
    # Paths are read by the rule of labels: an empty cell is none.
    indices, encoding = read_labels(paths, name=x_col)
    paths = encoding.names(indices)
    if directory is not None:
        paths = np.array([os.path.join(directory, path) for path in paths])
    classes, encoding = read_labels(labels, name=y_col)
    return feed_files(
        paths,
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


def _columns(dataframe, x_col, y_col):
    """Read the paths and the classes, two lists."""
    if isinstance(dataframe, (str, os.PathLike)):
        with open(dataframe, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, titles = list(reader), list(reader.fieldnames or [])
        columns = {title: [row[title] for row in rows] for title in titles}
        if y_col in columns:
            columns[y_col] = _cells(columns[y_col])
    elif hasattr(dataframe, "columns"):
        columns = {str(title): list(dataframe[title]) for title in dataframe.columns}
    else:
        raise TypeError(
            "`dataframe` must be a pandas DataFrame or the path of a CSV file. "
            f"Received: dataframe of type {type(dataframe).__name__}"
        )
    for name, column in [("x_col", x_col), ("y_col", y_col)]:
        if column not in columns:
            raise ValueError(
                f"`{name}` must be one of the columns {list(columns)}. "
                f"Received: {name}={column!r}"
            )
    return columns[x_col], columns[y_col]
