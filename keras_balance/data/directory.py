"""Balanced batches of a folder of images, read when they are needed."""

import logging
import os

import keras
import numpy as np

from keras_balance.data.balanced_dataset import BalancedDataset
from keras_balance.data.image_files import CHANNELS, FILTERS, ImageFiles
from keras_balance.utils.numbers import choice

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
    **kwargs,
):
    """Build a `BalancedDataset` of the image files in a folder.

    The arguments are those of `keras.utils.image_dataset_from_directory`, and with
    the same `seed` and `validation_split` the same files are for training. Files are
    decoded batch by batch, by Pillow, which smooths when it shrinks an image.

    Args:
        directory: Folder with one folder of images a class.
        labels: `"inferred"` from the folders, or a list of integers, one a file, in
            the order of the sorted paths.
        label_mode: `"int"`, `"categorical"` (one-hot) or `"binary"` (0. or 1.).
        class_names: Optional list of the folders to use, in class order.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        batch_size: Images in a batch.
        image_size: `(height, width)` that images are brought to.
        shuffle: Whether files are shuffled, before splitting and in every epoch.
        seed: Integer; needed to split shuffled files.
        validation_split: Optional part of the files, in (0, 1), for validation.
        subset: With `validation_split`: `"training"`, `"validation"` or `"both"`.
            Images for validation are not balanced.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"area"` or
            `"lanczos3"`.
        follow_links: Whether folders behind symbolic links are visited.
        crop_to_aspect_ratio: Whether to crop instead of distorting.
        pad_to_aspect_ratio: Whether to pad with black instead of distorting.
        data_format: `"channels_last"` or `"channels_first"`; Keras' own by default.
        verbose: Whether the number of files is logged.
        **kwargs: Further arguments of `BalancedDataset`: `synthesizer`,
            `sampling_strategy`, `workers`, ...

    Returns:
        A `BalancedDataset` with the attributes `class_names` and `file_paths`; a
        list of two for `subset="both"`.

    Raises:
        ValueError: For bad arguments, no images, and a class without any.
        OSError: When a file is read that is not an image; it is named.
        ImportError: When Pillow is not installed.

    Example:
        >>> dataset = kb.data.balanced_image_dataset_from_directory(
        ...     "flowers", image_size=(64, 64), synthesizer="manual"
        ... )
        >>> model.fit(dataset)
    """
    _check_modes(label_mode, color_mode, interpolation, data_format)
    _check_split(validation_split, subset, shuffle, seed)
    paths, classes, names = _index(directory, labels, class_names, follow_links)
    if shuffle:
        # As Keras shuffles, so that its validation files are not among ours.
        seed = np.random.default_rng().integers(10**6) if seed is None else seed
        for sequence in (paths, classes):
            np.random.RandomState(seed).shuffle(sequence)
    if verbose:
        logging.getLogger(__name__).info(
            "Found %d files belonging to %d classes.", len(paths), len(names)
        )
    reading = {
        "color_mode": color_mode,
        "image_size": _check_size(image_size),
        "interpolation": interpolation,
        "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio,
        "data_format": data_format or keras.config.image_data_format(),
    }

    def build(rows, **options):
        dataset = BalancedDataset(
            ImageFiles(paths[rows], **reading),
            _labels(classes[rows], label_mode, len(names)),
            batch_size,
            seed=seed,
            **options,
        )
        dataset.class_names, dataset.file_paths = names, paths[rows].tolist()
        return dataset

    border = len(paths) - int((validation_split or 0) * len(paths))
    training, validation = slice(0, border), slice(border, None)
    built = []
    if subset != "validation":
        built.append(build(training, shuffle=shuffle, **kwargs))
    if subset in ("validation", "both"):
        as_it_is = {"sampling_strategy": {}, "synthesizer": None, "shuffle": False}
        built.append(build(validation, **{**kwargs, **as_it_is}))
    return built if subset == "both" else built[0]


def _index(directory, labels, class_names, follow_links):
    """Paths, classes and class names; the order is that of Keras."""
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
        classes = np.asarray(labels)
        names = [str(label) for label in sorted(set(classes.tolist()))]
    if not paths:
        raise ValueError(
            f"`directory` must hold images of the formats {_FORMATS}. "
            f"Received: directory={directory!r}"
        )
    return np.array(paths), classes.astype("int32"), names


def _files(folder, follow_links):
    return [
        os.path.join(root, name)
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links))
        for name in sorted(names)
        if name.lower().endswith(_FORMATS)
    ]


def _labels(classes, label_mode, num_classes):
    if label_mode == "int":
        return classes
    if label_mode == "categorical":
        return np.eye(num_classes, dtype="float32")[classes]
    if num_classes != 2:
        raise ValueError(
            '`label_mode="binary"` must have two classes. '
            f"Received: {num_classes} classes"
        )
    return classes[:, None].astype("float32")


def _check_modes(label_mode, color_mode, interpolation, data_format):
    for name, value, known in [
        ("label_mode", label_mode, ("int", "categorical", "binary")),
        ("color_mode", color_mode, tuple(CHANNELS)),
        ("interpolation", interpolation, tuple(FILTERS)),
        ("data_format", data_format, (None, "channels_last", "channels_first")),
    ]:
        choice(name, value, known)


def _check_size(image_size):
    size = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise ValueError(
            "`image_size` must be two positive integers (height, width). "
            f"Received: image_size={image_size}"
        )
    return size


def _check_split(validation_split, subset, shuffle, seed):
    choice("subset", subset, (None, "training", "validation", "both"))
    if (validation_split is None) != (subset is None):
        raise ValueError(
            "`validation_split` and `subset` must be given together. "
            f"Received: validation_split={validation_split}, subset={subset!r}"
        )
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(
            "`validation_split` must be in (0, 1). "
            f"Received: validation_split={validation_split}"
        )
    if validation_split is not None and shuffle and seed is None:
        raise ValueError(
            "`seed` must be given to split shuffled files, so that training and "
            "validation files do not overlap. Received: seed=None"
        )
