"""MixUp and CutMix for the batches of `BalancedDataset`, rare images in front."""

import dataclasses

import numpy as np

from keras_balance.utils.numbers import choice, real_number, whole_number

KINDS = ("mixup", "cutmix")
PARTNERS = ("rare", "uniform")


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
            never. The last epochs on whole images let a network settle.

    Raises:
        ValueError: For an unknown kind or partner and numbers out of bounds.
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

    def apply(self, images, classes, counts, epoch, generator, channels_last=True):
        """Mix a batch in place.

        Args:
            images: float32 `(n, height, width, channels)`, or channels first.
            classes: Class indices `(n,)`.
            counts: Images of each class in an epoch, `(num_classes,)`.
            epoch: Number of the epoch.
            generator: NumPy generator.
            channels_last: Whether the channels are.

        Returns:
            `(labels, partners, shares)`: float32 `(n, num_classes)`; the place in the
            batch of each image's partner `(n,)`, and how much of the image is this
            partner's, float32 `(n,)`, 0 where it is not mixed.
        """
        n = len(images)
        partners, shares = np.arange(n), np.zeros(n, "float32")
        if self.until_epoch is None or epoch < self.until_epoch:
            rows = np.flatnonzero(generator.random(n) < self.rate)
            weights = np.ones(n)
            if self.partner == "rare":
                weights = 1 / np.asarray(counts)[classes]
            drawn = generator.choice(n, len(rows), p=weights / weights.sum())
            parts = generator.beta(self.alpha, self.alpha, len(rows))
            mix = _blend if self.kind == "mixup" else _paste
            partners[rows] = drawn
            shares[rows] = mix(images, rows, drawn, parts, generator, channels_last)
        labels = np.zeros((n, len(counts)), "float32")
        labels[np.arange(n), classes] = 1 - shares
        labels[np.arange(n), classes[partners]] += shares
        return labels, partners, shares


def read_mix(value):
    """`mix` of `BalancedDataset` as a `Mix`, or None."""
    if value is None or isinstance(value, Mix):
        return value
    if not isinstance(value, str):
        raise TypeError(
            f"`mix` must be None, one of {KINDS} or a `kb.data.Mix`. "
            f"Received: mix={value!r}"
        )
    choice("mix", value, KINDS)
    return Mix(value)


def _blend(images, rows, partners, parts, generator, channels_last):
    """MixUp: images that are `parts` their partner; the parts as float32."""
    parts = parts.astype("float32")
    ratio = parts[:, None, None, None]
    images[rows] = images[rows] * (1 - ratio) + images[partners] * ratio
    return parts


def _paste(images, rows, partners, parts, generator, channels_last):
    """CutMix: a rectangle of the partner each; the shares of pixels it covers."""
    size = np.array(images.shape[1:3] if channels_last else images.shape[2:])
    # The centre may be any pixel: a rectangle at the border is cut.
    center = generator.integers(size, size=(len(rows), 2))
    sides = np.rint(np.sqrt(parts)[:, None] * size).astype("int64")
    start = np.clip(center - sides // 2, 0, size)
    stop = np.clip(center - sides // 2 + sides, 0, size)
    at = [
        (slice(top, bottom), slice(left, right))
        for (top, left), (bottom, right) in zip(
            start.tolist(), stop.tolist(), strict=True
        )
    ]
    if not channels_last:
        at = [(slice(None), *area) for area in at]
    # All are read before any is changed: a partner may be mixed itself.
    patches = [images[i][area].copy() for i, area in zip(partners, at, strict=True)]
    for i, area, patch in zip(rows, at, patches, strict=True):
        images[i][area] = patch
    return ((stop - start).prod(axis=1) / size.prod()).astype("float32")
