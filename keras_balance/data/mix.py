"""MixUp and CutMix for the batches of `BalancedDataset`, rare images in front."""

import dataclasses

import numpy as np

from keras_balance.utils.numbers import choice, real_number, whole_number
from keras_balance.utils.seeds import random_generator

KINDS = ("mixup", "cutmix")
PARTNERS = ("rare", "uniform")

# Place of the randomness within an epoch, beside those of `plan`.
_PLACE = 3


@dataclasses.dataclass(frozen=True)
class Mix:
    """How `BalancedDataset` mixes the images of a batch, and their labels with them.

    An image that is mixed gets a partner out of its batch. MixUp blends the two, CutMix
    pastes a rectangle of the partner on the image, in the same place; of either a share
    is drawn from the distribution Beta(alpha, alpha). Partners of rare classes are
    drawn more often: a dozen rare images so come to stand before the backgrounds of
    all others, with the frequent classes' images behind them. Labels are one-hot floats
    `(n, num_classes)` in the shares of the pixels, of images that are not mixed too.

    Args:
        kind: `"mixup"` or `"cutmix"`.
        alpha: Positive number. 1 draws every share equally often, less leaves more
            images nearly whole.
        rate: Share of the images that are mixed, in [0, 1]; each is drawn by itself.
        partner: `"rare"` draws partners with the inverse of the number of images that
            the epoch holds of their class, so that within a batch each class comes as
            often as any other; `"uniform"` draws all images of the batch alike.
        until_epoch: Epoch, counted from 0, from which on nothing is mixed; None for
            never. The last epochs on whole images let a network settle, and batch
            normalisation see images as they are in use.

    Raises:
        ValueError: For an unknown kind or partner and numbers out of bounds. By
            `BalancedDataset`, for two classes that are called by strings.
        TypeError: For numbers that are none.

    Example:
        >>> import numpy as np
        >>> x = np.zeros((100, 8, 8, 3), "uint8")
        >>> y = np.array([0] * 90 + [1] * 10)
        >>> mix = kb.data.Mix("cutmix", rate=0.8)
        >>> dataset = kb.BalancedDataset(x, y, batch_size=60, mix=mix, seed=0)
        >>> images, labels = dataset[0]
        >>> labels.shape, labels.dtype
        ((60, 2), dtype('float32'))

    Reference:
        - Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", section 2.
        - Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers
          with Localizable Features", section 3.
        - Park et al. 2022, "The Majority Can Help The Minority: Context-rich Minority
          Oversampling for Long-tailed Classification", section 3.2, for the partners.
    """

    kind: str
    alpha: float = 1.0
    rate: float = 0.5
    partner: str = "rare"
    until_epoch: int | None = None

    def __post_init__(self):
        choice("kind", self.kind, KINDS)
        choice("partner", self.partner, PARTNERS)
        real_number("alpha", self.alpha, above=0)
        real_number("rate", self.rate, 0, 1)
        if self.until_epoch is not None:
            whole_number("until_epoch", self.until_epoch, 0)

    def apply(self, images, classes, weights=None, *, counts, place, data_format):
        """Mix a batch in place.

        Args:
            images: float32 `(n, height, width, channels)`, or channels first.
            classes: Class indices `(n,)`.
            weights: Sample weights `(n,)` or None; they are mixed as the labels are.
            counts: Images of each class in an epoch, int array `(num_classes,)`.
            place: `(seed, epoch, index)` of the batch, of which it is a function.
            data_format: `"channels_last"` or `"channels_first"`.

        Returns:
            `(labels, weights)`, float32 `(n, num_classes)` and `(n,)`, or None.
        """
        seed, epoch, index = place
        n = len(images)
        partners, shares = np.arange(n), np.zeros(n, "float32")
        if self.until_epoch is None or epoch < self.until_epoch:
            generator = random_generator(seed, epoch, _PLACE, index)
            rows = np.flatnonzero(generator.random(n) < self.rate)
            partners[rows] = self._draw(classes, counts, len(rows), generator)
            parts = generator.beta(self.alpha, self.alpha, len(rows))
            if self.kind == "mixup":
                shares[rows] = _blend(images, rows, partners[rows], parts)
            else:
                size = images.shape[1:3]
                if data_format == "channels_first":
                    size = images.shape[2:]
                areas, shares[rows] = _areas(parts, size, generator)
                _paste(images, rows, partners[rows], areas, data_format)
        labels = np.zeros((n, len(counts)), "float32")
        labels[np.arange(n), classes] = 1 - shares
        labels[np.arange(n), classes[partners]] += shares
        if weights is not None:
            weights = weights * (1 - shares) + weights[partners] * shares
        return labels, weights

    def _draw(self, classes, counts, number, generator):
        """Places in the batch of so many partners."""
        if self.partner == "uniform":
            return generator.integers(len(classes), size=number)
        weights = 1 / np.asarray(counts)[classes]
        return generator.choice(len(classes), number, p=weights / weights.sum())


def check_mix(value):
    """`mix` of `BalancedDataset` as a `Mix`, or None; no labels are known yet."""
    if value is None or isinstance(value, Mix):
        return value
    if isinstance(value, str):
        return Mix(choice("mix", value, KINDS))
    raise TypeError(
        f"`mix` must be None, one of {KINDS} or a `kb.data.Mix`. "
        f"Received: mix={value!r}"
    )


def read_mix(value, encoding):
    """`mix` of `BalancedDataset` as a `Mix`, or None.

    Args:
        value: The argument.
        encoding: `LabelEncoding` of the labels that are to be mixed.
    """
    mix = check_mix(value)
    if mix is not None and encoding.num_classes == 2 and encoding.dtype.kind in "US":
        raise ValueError(
            "`mix` must be None where two classes are called by strings, since a share "
            "of a string is none: number them 0 and 1. "
            f"Received: mix={value!r} and labels {encoding.classes.tolist()}"
        )
    return mix


def _blend(images, rows, partners, parts):
    """MixUp: images that are `parts` their partner; the parts as float32."""
    parts = parts.astype("float32")
    # Image by image, which stays in the cache. A partner may be mixed itself.
    own = {i: images[i].copy() for i in np.intersect1d(rows, partners)}
    share = np.empty_like(images[0])
    for row, partner, part in zip(rows, partners, parts, strict=True):
        np.multiply(own.get(partner, images[partner]), part, out=share)
        images[row] *= 1 - part
        images[row] += share
    return parts


def _areas(parts, size, generator):
    """CutMix's rectangles, as slices, and the shares of the pixels they cover."""
    size = np.array(size)
    # The centre may be any pixel: a rectangle at the border is cut.
    center = generator.integers(size, size=(len(parts), 2))
    sides = np.rint(np.sqrt(parts)[:, None] * size).astype("int64")
    start = np.clip(center - sides // 2, 0, size)
    stop = np.clip(center - sides // 2 + sides, 0, size)
    areas = [
        (slice(top, bottom), slice(left, right))
        for top, left, bottom, right in np.hstack([start, stop]).tolist()
    ]
    return areas, ((stop - start).prod(axis=1) / size.prod()).astype("float32")


def _paste(images, rows, partners, areas, data_format):
    """CutMix: put the partners' pixels of the areas on the images."""
    if data_format == "channels_first":
        areas = [(slice(None), *area) for area in areas]
    # All are read before any is changed: a partner may be mixed itself.
    patches = [images[i][area].copy() for i, area in zip(partners, areas, strict=True)]
    for i, area, patch in zip(rows, areas, patches, strict=True):
        images[i][area] = patch
