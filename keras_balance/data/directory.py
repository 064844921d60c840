"""Balanced batches of a folder of images, read when they are needed."""

import os

import numpy as np

from keras_balance.data.files_to_feed import (
    check_split,
    feed_files,
    reading_options,
    unreadable,
)
from keras_balance.data.image_files import ImageFiles
from keras_balance.utils.labels import read_labels

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def balanced_image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    verbose=True,
    stratify=False,
    on_error="raise",
    dtype="uint8",
    **kwargs,
):
    """Build a `BalancedDataset` of the image files in a folder.

    The arguments are those of `keras.utils.image_dataset_from_directory` but for its
    `format`, every image has a label, and with the same `seed` and `validation_split`
    the same files are for training. Files are decoded batch by batch, by Pillow, which
    smooths when it shrinks an image.

    Args:
        directory: Folder with one folder of images a class.
        labels: `"inferred"` from the folders, or a list of labels, one a file, in the
            order of the sorted paths.
        label_mode: `"int"`, `"categorical"` (one-hot) or `"binary"` (0. or 1.).
        class_names: Optional list of the folders to use, in class order.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        batch_size: Images in a batch.
        image_size: `(height, width)` that images are brought to.
        shuffle: Whether files are shuffled, before splitting and in every epoch.
        seed: Integer; needed to split shuffled files.
        validation_split: Optional part of the files, in (0, 1), for validation.
        subset: With `validation_split`: `"training"`, `"validation"` or `"both"`.
            Images for validation are neither balanced nor mixed.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"area"` or
            `"lanczos3"`.
        follow_links: Whether folders behind symbolic links are visited.
        crop_to_aspect_ratio: Whether to crop instead of distorting.
        pad_to_aspect_ratio: Whether to pad with black instead of distorting.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own by default.
        verbose: Whether the number of files is logged.
        stratify: Whether `validation_split` is that of each class, with one image for
            validation at least, where it has two. Without it, files are split as
            Keras splits them, and a rare class may have none for validation.
        on_error: What to do with a file that cannot be read: `"raise"` when it is
            read, or `"skip"`: all files are read once before, which takes its time, and
            those that cannot be read are left out with a warning. See also
            `kb.data.unreadable_images`.
        dtype: `"uint8"`; or `"uint16"`, which keeps grey pictures of 16 bits as they
            are, and brings those of 8 bits to the same scale. Batches are float32;
            `kb.BalancedDataset(dataset.images, dtype="uint8")` gives them as read.
        **kwargs: Further arguments of `BalancedDataset`: `synthesizer`,
            `sampling_strategy`, `workers`, ... A `sample_weight` is in the order of the
            sorted paths, folder by folder.

    Returns:
        A `BalancedDataset` with the attributes `class_names` and `file_paths`; a
        list of two for `subset="both"`. A class with fewer than five images for
        validation is warned of, and one with none for training.

    Raises:
        ValueError: For bad arguments, no images, and a class without any to train on.
        OSError: When a file is read that is not an image; it is named.
        ImportError: When Pillow is not installed.

    Example:
        >>> dataset = kb.data.balanced_image_dataset_from_directory(
        ...     "flowers", image_size=(64, 64), synthesizer="manual"
        ... )
        >>> model.fit(dataset)
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
    paths, classes, names = _index(directory, labels, class_names, follow_links)
    found = np.unique(classes) if names is None else np.arange(len(names))
    titles = found.tolist() if names is None else names
    return feed_files(
        paths,
        classes,
        found,
        titles=titles,
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


def unreadable_images(directory, class_names=None, follow_links=False):
    """Find the image files that cannot be read, before a training does.

    Args:
        directory: Folder with one folder of images a class; or a list of paths, such as
            the `file_paths` of a dataset.
        class_names: Optional list of the folders to look into.
        follow_links: Whether folders behind symbolic links are visited.

    Returns:
        List of `(path, error)`, empty where all can be read.

    Example:
        >>> for path, error in kb.data.unreadable_images("flowers"):
        ...     print(path, error)

        >>> kb.data.unreadable_images(dataset.file_paths)  # those of a table, too
    """
    if isinstance(directory, (list, tuple, np.ndarray)):
        paths = np.array([os.fspath(path) for path in directory])
    else:
        paths, _, _ = _index(directory, "inferred", class_names, follow_links)
    return unreadable(ImageFiles(paths, color_mode="rgba", image_size=(1, 1)))


def _index(directory, labels, class_names, follow_links):
    """Paths, classes and class names, or None for them; the order is that of Keras."""
    if isinstance(labels, str) and labels == "inferred":
        folders = sorted(
            entry.name
            for entry in os.scandir(directory)
            if entry.is_dir() and not entry.name.startswith(".")
        )
        names = folders if class_names is None else list(class_names)
        if not set(names) <= set(folders):
            raise ValueError(
                f"`class_names` must be among the folders {folders}. "
                f"Received: class_names={names}"
            )
        files = [_files(os.path.join(directory, name), follow_links) for name in names]
        classes = np.repeat(np.arange(len(names)), [len(part) for part in files])
        paths = [path for part in files for path in part]
    else:
        paths = _files(directory, follow_links)
        if labels is None or len(labels) != len(paths):
            raise ValueError(
                '`labels` must be "inferred" or one integer for each of the '
                f"{len(paths)} files. Received: labels={labels!r}"
            )
        if class_names is not None:
            raise ValueError(
                '`class_names` must be None where `labels` is not "inferred": they are '
                f"names of folders. Received: class_names={class_names!r}"
            )
        classes, names = read_labels(labels, name="labels")
        classes, names = names.names(classes), None
    if not paths:
        raise ValueError(
            f"`directory` must hold images of the formats {_FORMATS}. "
            f"Received: directory={directory!r}"
        )
    if names is not None:
        classes = classes.astype("int32")
    return np.array(paths), classes, names


def _files(folder, follow_links):
    return [
        os.path.join(root, name)
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links))
        for name in sorted(names)
        if name.lower().endswith(_FORMATS)
    ]
