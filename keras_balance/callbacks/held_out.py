"""The held-out data of a callback: checked, read in batches, predicted."""

import keras
import numpy as np

from keras_balance.data import LabelledImages
from keras_balance.metrics.html_report import Misses
from keras_balance.utils.batches import check_batches, each_batch
from keras_balance.utils.class_names import sequence_of_names
from keras_balance.utils.images import check_same_length
from keras_balance.utils.labels import read_labels
from keras_balance.utils.outputs import class_probabilities, predicted_classes

_MOST_MISSES = 24


def class_names_of(x):
    """Names of the classes, where held-out data tell them; else None.

    Those of a folder do, Keras' `image_dataset_from_directory` included. As strings:
    their labels are class indices, and a name that is a number is none.
    """
    encoding = getattr(getattr(x, "images", x), "encoding", None)
    is_named = encoding is not None and (
        encoding.titles is not None or isinstance(x, LabelledImages)
    )
    if is_named:
        return [str(key) for key in encoding.keys]
    return getattr(x, "class_names", None)


def check_class_names(x, class_names):
    """Raise for names that are none, and where data count labels by other classes.

    Other names for the same classes are the user's own affair.
    """
    own = class_names_of(x)
    if sequence_of_names(class_names) is None or own is None:
        return
    own, given = [*map(str, own)], [*map(str, class_names)]
    is_reordered = own != given and sorted(own) == sorted(given)
    if len(own) != len(given) or is_reordered:
        raise ValueError(
            "`class_names` must be the classes of `x`, in its order. A folder of test "
            "images that lacks a class numbers the others anew: give its loader the "
            f"`class_names` of training. Received: class_names={given} with x of {own}"
        )


def check_data(x, y):
    """Raise for data that cannot be read again and again, do not end, or are mixed."""
    if getattr(x, "mix", None) is not None:
        raise ValueError(
            "`x` must not be mixed where it is held out: no score says which class a "
            f"mixed image is of. Received: x with mix={x.mix!r}"
        )
    if isinstance(x, LabelledImages):
        LabelledImages.read(x, y)
    elif y is not None:
        if isinstance(x, dict) or isinstance(y, dict):
            raise ValueError(
                "`x` must be one array where `y` is given: give several inputs or "
                "outputs as batches, such as a `tf.data.Dataset`. Received: x of type "
                f"{type(x).__name__}, y of type {type(y).__name__}"
            )
        check_same_length(x, y)
        read_labels(y)
    elif hasattr(x, "shape"):
        raise ValueError(
            "`y` must hold the labels of an array `x`. "
            f"Received: x of shape {tuple(x.shape)}, y=None"
        )
    else:
        check_batches(x)


def output_shape(model, output):
    """Shape of the output to look at; None where the model does not tell it before."""
    shapes = [tuple(one.shape) for one in getattr(model, "outputs", None) or []]
    if output is None:
        return shapes[0] if len(shapes) == 1 else None
    names = list(getattr(model, "output_names", []))
    is_known = output in names and len(names) == len(shapes)
    return shapes[names.index(output)] if is_known else None


def predict(model, x, y, batch_size, output):
    """Batches `(images, labels, outputs, weights or None)` as NumPy arrays.

    Args:
        model: The Keras model.
        x: Images, or `LabelledImages`, or batches.
        y: Labels of images, or None.
        batch_size: Images that are predicted at once.
        output: Name or place of the output to look at, where there are several.
    """
    for images, *others in _batches(x, y, batch_size):
        # As NumPy, since a backend does not take another one's tensors.
        images = keras.tree.map_structure(_to_numpy, images)
        outputs = _pick(model, model.predict_on_batch(images), output)
        labels, weights = (_part(other, model, output) for other in others)
        yield images, _to_numpy(labels), outputs, _to_numpy(weights)


def confident_misses(batches, is_class, index, names, threshold_of):
    """Find the images of a class that are most surely taken for others.

    Args:
        batches: As `predict` gives them.
        is_class: Function from labels `(n, ...)` to whether each is of the class.
        index: Index of the class.
        names: Names of all classes.
        threshold_of: Function from outputs to the threshold of two classes, or None.

    Returns:
        `Misses`; None where the inputs are no images.
    """
    kept, shares, others = [], np.zeros(0), np.zeros(0, "int64")
    are_probabilities = True
    for images, labels, outputs, _ in batches:
        if not _are_images(images):
            return None
        guesses = predicted_classes(outputs, threshold_of(outputs))
        columns = class_probabilities(outputs)
        sums = np.nansum(columns, axis=1)
        are_probabilities &= bool(np.abs(sums - 1).max() < 0.01 and columns.min() >= 0)
        rows = np.flatnonzero(is_class(labels) & (guesses != index) & (guesses >= 0))
        kept += [images[row] for row in rows]
        shares = np.concatenate([shares, columns[rows, guesses[rows]]])
        others = np.concatenate([others, guesses[rows]])
        order = np.argsort(-shares, kind="stable")[:_MOST_MISSES]
        kept, shares, others = (
            [kept[row] for row in order],
            shares[order],
            others[order],
        )
    images = _channels_last(np.asarray(kept))
    return Misses(
        names[index],
        images,
        [names[other] for other in others],
        shares if are_probabilities else None,
        _value_range(images),
    )


def _batches(x, y, batch_size):
    """Batches `(images, labels, weights)`, weights None where there are none."""
    if isinstance(x, LabelledImages):
        for start in range(0, len(x), batch_size):
            rows = np.arange(start, min(start + batch_size, len(x)))
            weights = None if x.sample_weight is None else x.sample_weight[rows]
            # As class indices: the labels may not be the places in the output.
            yield *x.join(x.source.take(rows), x.indices[rows], rows), weights
    elif y is not None:
        for start in range(0, len(x), batch_size):
            yield x[start : start + batch_size], y[start : start + batch_size], None
    else:
        for batch in each_batch(x):
            yield keras.utils.unpack_x_y_sample_weight(batch)


def _pick(model, outputs, output):
    """Pick the outputs to look at, out of what a model gives."""
    if not isinstance(outputs, (dict, list, tuple)):
        return outputs
    names = list(outputs) if isinstance(outputs, dict) else list(model.output_names)
    if output not in names:
        raise ValueError(
            f"`output` must be one of the model's outputs {names}. "
            f"Received: output={output!r}"
        )
    return outputs[output if isinstance(outputs, dict) else names.index(output)]


def _part(labels, model, output):
    """Labels, or weights, of the output that is looked at."""
    if isinstance(labels, dict):
        return labels[output]
    if isinstance(labels, (list, tuple)):
        return labels[list(model.output_names).index(output)]
    return labels


def _to_numpy(part):
    return None if part is None else np.asarray(keras.ops.convert_to_numpy(part))


def _are_images(images):
    is_array = isinstance(images, np.ndarray) and images.ndim == 4
    return is_array and (images.shape[-1] in (1, 3, 4) or images.shape[1] in (1, 3, 4))


def _channels_last(images):
    if len(images) and images.shape[-1] not in (1, 3, 4):
        return np.moveaxis(images, 1, -1)
    return images


def _value_range(images):
    """Scale that pixels are likely to have: a report is given none."""
    low, high = (float(images.min()), float(images.max())) if len(images) else (0, 1)
    for known in (1, 255):
        if low >= 0 and high <= known:
            return 0, known
    return low, max(high, low + 1e-6)
