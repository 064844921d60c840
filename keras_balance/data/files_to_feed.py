"""From paths and classes to balanced batches: what folders and tables share."""

import logging
import warnings

import keras
import numpy as np

from keras_balance.data.balanced_dataset import BalancedDataset
from keras_balance.data.image_files import CHANNELS, FILTERS, ImageFiles
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.data.weights import read_sample_weight
from keras_balance.utils.numbers import choice, whole_number
from keras_balance.utils.seeds import check_seed

# Fewer images than that of a class say next to nothing about its recall.
_FEW = 5


def feed_files(
    paths,
    classes,
    names,
    *,
    titles,
    label_mode,
    batch_size,
    shuffle,
    seed,
    validation_split,
    subset,
    stratify,
    on_error,
    verbose,
    reading,
    sample_weight=None,
    **kwargs,
):
    """Build the `BalancedDataset` of image files, or of each part of them.

    Args:
        paths: Array of the paths.
        classes: Array of the files' classes, out of `names`.
        names: Array of the classes, in order.
        reading: Arguments of `ImageFiles`.
        titles: Names of the classes for people.
        label_mode: See `balanced_image_dataset_from_directory` for this one and the
            others.
        batch_size: Images in a batch.
        shuffle: Whether files are shuffled.
        seed: Integer or None.
        validation_split: Part of the files for validation, or None.
        subset: Which part to build.
        stratify: Whether each class is split by itself.
        on_error: `"raise"` or `"skip"`.
        verbose: Whether the number of files is logged.
        sample_weight: Optional weights, in the order of the paths.
        **kwargs: Further arguments of `BalancedDataset`.

    Returns:
        A `BalancedDataset`; a list of two for `subset="both"`.
    """
    columns = [paths, classes]
    if sample_weight is not None:
        columns.append(_one_for_each(sample_weight, paths))
    if shuffle:
        # As Keras shuffles, so that its validation files are not among ours.
        seed = check_seed(seed)
        for column in columns:
            np.random.RandomState(seed).shuffle(column)
    if on_error == "skip":
        kept = _readable(paths, reading)
        columns = [column[kept] for column in columns]
    paths, classes, *weights = columns
    if verbose:
        logging.getLogger(__name__).info(
            "Found %d files belonging to %d classes.", len(paths), len(names)
        )
    training, validation = _split(classes, validation_split or 0, stratify)
    if subset is not None:
        parts = classes[training], classes[validation]
        is_validated = subset != "training"
        _warn_of_few(*parts, names, titles, is_validated, stratify)

    def build(rows, label_mode=label_mode, **options):
        labels = _labels(classes[rows], label_mode, names)
        # Told, since a class may have no file for validation.
        known = {"int": names, "binary": np.arange(2)}.get(label_mode)
        files = ImageFiles(paths[rows], **reading)
        images = LabelledImages(files, labels, class_names=known, titles=titles)
        if weights:
            options["sample_weight"] = weights[0][rows]
        dataset = BalancedDataset(images, batch_size=batch_size, seed=seed, **options)
        dataset.class_names = list(titles)
        dataset.file_paths = paths[rows].tolist()
        return dataset

    built = []
    if subset != "validation":
        built.append(build(training, shuffle=shuffle, **kwargs))
    if subset in ("validation", "both"):
        as_it_is = {"sampling_strategy": {}, "synthesizer": None, "shuffle": False}
        if kwargs.get("mix") is not None:  # whose labels are one-hot
            as_it_is |= {"mix": None, "label_mode": "categorical"}
        built.append(build(validation, **{**kwargs, **as_it_is}))
    return built if subset == "both" else built[0]


def reading_options(
    color_mode,
    image_size,
    interpolation,
    crop_to_aspect_ratio,
    pad_to_aspect_ratio,
    data_format,
    dtype,
):
    """Check the arguments of `ImageFiles`, and give them as a dict."""
    for name, value, known in [
        ("color_mode", color_mode, tuple(CHANNELS)),
        ("interpolation", interpolation, tuple(FILTERS)),
        ("data_format", data_format, (None, "channels_last", "channels_first")),
        ("dtype", dtype, ("uint8", "uint16")),
    ]:
        choice(name, value, known)
    return {
        "color_mode": color_mode,
        "image_size": _check_size(image_size),
        "interpolation": interpolation,
        "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio,
        "data_format": data_format or keras.config.image_data_format(),
        "dtype": dtype,
    }


def check_split(label_mode, on_error, validation_split, subset, shuffle, seed):
    """Raise a `ValueError` for arguments of `feed_files` that do not fit."""
    choice("label_mode", label_mode, ("int", "categorical", "binary"))
    choice("on_error", on_error, ("raise", "skip"))
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


def unreadable(files):
    """List of `(path, error)` of the files that cannot be read."""
    broken = []
    for path in files.paths:
        try:
            files.read(path)
        except OSError as error:
            broken.append((str(path), str(error)))
    return broken


def _one_for_each(sample_weight, paths):
    weights = read_sample_weight(sample_weight)
    if weights.shape != paths.shape:
        raise ValueError(
            "`sample_weight` must hold one number for each file, in the order of a "
            "table's rows, or of a folder's sorted paths. Received: sample_weight of "
            f"shape {weights.shape} for {len(paths)} files"
        )
    return weights


def _readable(paths, reading):
    """Bool array, where files can be read."""
    broken = unreadable(ImageFiles(paths, **reading))
    if not broken:
        return np.ones(len(paths), bool)
    warnings.warn(
        f"{len(broken)} of {len(paths)} files cannot be read and are left out. "
        f"The first: {broken[0][1]}",
        stacklevel=4,
    )
    return ~np.isin(paths, [path for path, _ in broken])


def _split(classes, share, stratify):
    """Rows for training and for validation; in each, the order stays."""
    if not stratify:
        border = len(classes) - int(share * len(classes))
        return np.split(np.arange(len(classes)), [border])
    held_out = np.zeros(len(classes), dtype=bool)
    for c in np.unique(classes):
        rows = np.flatnonzero(classes == c)
        # One at least, but never the only one.
        number = min(max(1, round(share * len(rows))), len(rows) - 1) if share else 0
        held_out[rows[len(rows) - number :]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _warn_of_few(training, validation, names, titles, is_validated, stratify):
    """Warn of classes with too few files for validation, or none for training."""
    titled = list(zip(names, titles, strict=True))
    counts = {title: int((validation == name).sum()) for name, title in titled}
    few = {title: count for title, count in counts.items() if count < _FEW}
    lost = [title for name, title in titled if not (training == name).any()]
    told = []
    if few and is_validated:
        some = ", ".join(f"{count} of {title!r}" for title, count in few.items())
        told.append(f"fewer than {_FEW} images for validation of a class: {some}")
    if lost:
        told.append(f"none for training of {', '.join(map(repr, lost))}")
    if told:
        advice = "Another `validation_split` leaves more of it."
        if not stratify:
            advice = f"`stratify=True` splits each class. {advice}"
        warnings.warn(f"There are {', and '.join(told)}. {advice}", stacklevel=4)


def _labels(classes, label_mode, names):
    if label_mode == "int":
        return classes
    places = np.searchsorted(names, classes)
    if label_mode == "categorical":
        return np.eye(len(names), dtype="float32")[places]
    if len(names) != 2:
        raise ValueError(
            '`label_mode="binary"` must have two classes. '
            f"Received: {len(names)} classes"
        )
    return places[:, None].astype("float32")


def _check_size(image_size):
    size = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(size) != 2:
        raise ValueError(
            "`image_size` must be two positive integers (height, width). "
            f"Received: image_size={image_size}"
        )
    names = "image_size[0]", "image_size[1]"
    return tuple(
        whole_number(name, side, 1) for name, side in zip(names, size, strict=True)
    )
