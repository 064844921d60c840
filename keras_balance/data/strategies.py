"""imbalanced-learn's `sampling_strategy`, read for over-sampling.

Source: imbalanced-learn, `imblearn.utils.check_sampling_strategy`.
"""

import numbers

import numpy as np

_NAMES = ("minority", "not minority", "not majority", "all", "auto", "sqrt")


def target_counts(counts, sampling_strategy, encoding):
    """Images every class shall have, real and synthetic together.

    Args:
        counts: int array `(num_classes,)`, real images per class.
        sampling_strategy: One of
            - `"not majority"` or `"auto"`: every class but the largest is
              brought up to the largest,
            - `"minority"`: only the smallest is,
            - `"not minority"`: every class but the smallest is,
            - `"all"`: every class is,
            - `"sqrt"` (ours): every class is brought so far that it is as many times
              smaller than the largest as the square root of what it was,
            - a float in (0, 1]: every class is brought up to this part of the
              largest,
            - a dict `{class: count}`: the named classes are brought to `count`;
              the others stay.
        encoding: `LabelEncoding` of the labels, for the names of the classes.

    Returns:
        int64 array `(num_classes,)`, nowhere below `counts`.

    Raises:
        TypeError: When `sampling_strategy` is none of these.
        ValueError: For an unknown name or class, a ratio outside (0, 1], and a
            count below the real images of the class, since these all appear.
    """
    counts = np.asarray(counts, dtype="int64")
    if isinstance(sampling_strategy, str):
        targets = _by_name(counts, sampling_strategy)
    elif isinstance(sampling_strategy, dict):
        targets = _by_class(counts, sampling_strategy, encoding)
    elif isinstance(sampling_strategy, numbers.Real) and not isinstance(
        sampling_strategy, bool
    ):
        targets = _by_ratio(counts, sampling_strategy)
    else:
        raise TypeError(
            "`sampling_strategy` must be a name, a float or a dict {class: count}. "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    return np.maximum(targets, counts)


def split_by_shares(counts, shares):
    """Split every count among parts, to the image.

    Args:
        counts: int array `(num_classes,)`.
        shares: Positive numbers, one a part.

    Returns:
        int array `(len(shares), num_classes)` whose columns add up to `counts`;
        no entry is further than one off its exact share.
    """
    ends = np.cumsum(np.asarray(shares, dtype="float64")) / np.sum(shares)
    ends[-1] = 1.0
    # Rounding the borders instead of the parts keeps the sum.
    borders = np.rint(ends[:, None] * np.asarray(counts)[None, :]).astype("int64")
    return np.diff(borders, axis=0, prepend=0)


def _by_name(counts, name):
    if name not in _NAMES:
        raise ValueError(
            f"`sampling_strategy` must be one of {_NAMES} where it is a string. "
            f"Received: sampling_strategy={name!r}"
        )
    if name == "sqrt":
        return np.rint(np.sqrt(counts * float(counts.max()))).astype("int64")
    chosen = np.full(len(counts), name != "minority")
    if name in ("minority", "not minority"):
        chosen[np.argmin(counts)] = name == "minority"
    return np.where(chosen, counts.max(), counts)


def _by_ratio(counts, ratio):
    if not 0 < ratio <= 1:
        raise ValueError(
            "`sampling_strategy` must be in (0, 1] where it is a number: the size of "
            "the classes in parts of the largest. "
            f"Received: sampling_strategy={ratio!r}"
        )
    # Rounded down as in imbalanced-learn, but 0.29 of 100 is 29.
    return np.full_like(counts, int(counts.max() * float(ratio) + 1e-6))


def _by_class(counts, wanted, encoding):
    targets = counts.copy()
    for label, count in wanted.items():
        index = encoding.index_of(label, name="sampling_strategy")
        if isinstance(count, bool) or not isinstance(count, numbers.Integral):
            raise TypeError(
                "`sampling_strategy` must map classes to whole counts. "
                f"Received: sampling_strategy[{label!r}]={count!r}"
            )
        if count < counts[index]:
            raise ValueError(
                "`sampling_strategy` must not ask for fewer images than there are, "
                "since all real images appear in every epoch: class "
                f"{label!r} has {counts[index]}. "
                f"Received: sampling_strategy[{label!r}]={count}"
            )
        targets[index] = count
    return targets
