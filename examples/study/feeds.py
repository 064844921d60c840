"""What a training takes: a recipe, and a plan of all its batches by NumPy."""

import dataclasses

import numpy as np

import keras_balance as kb

SIDE = 32


class OutOfTime(Exception):
    """The training would not be done before the deadline."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes:
        sampling: `"real"` images as they are, `"sqrt"` or `"balanced"`: what a class
            grows to by repeated images, as in `BalancedDataset`.
        tau: Strength of the adjustment in the loss, on what the feed shows.
        layers: Share of the images that go through each of the augmentations.
        mix: `kb.data.Mix`, or None.
        class_weights: Whether the loss weighs classes by their inverse frequency.
        gamma: Of the focal loss, 0 for cross-entropy.
    """

    sampling: str = "real"
    tau: float = 0.0
    layers: tuple = (0.0, 0.0)
    mix: kb.data.Mix | None = None
    class_weights: bool = False
    gamma: float = 0.0


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long, and how fast.

    Attributes:
        steps: Optimiser steps.
        rate: Highest learning rate.
        warmup: Steps that it grows in, linearly.
        cosine: Whether it falls to 0 as a half cosine.
        weight_decay: Factor of the L2 term of the gradient.
        batch_size: Images a step.
    """

    steps: int
    rate: float
    warmup: int = 0
    cosine: bool = True
    weight_decay: float = 0.0
    batch_size: int = 128

    def rates(self):
        """Learning rate of every step, float32 `(steps,)`."""
        step = np.arange(self.steps)
        rates = np.full(self.steps, self.rate)
        if self.cosine:
            rates *= (1 + np.cos(np.pi * step / self.steps)) / 2
        return (rates * np.minimum(1, (step + 1) / max(1, self.warmup))).astype("f4")


class Feed:
    """What every step takes: indices, partners, boxes; drawn beforehand by NumPy.

    Args:
        indices: Of the training images, in the array on the device.
        labels: Their classes.
        num_classes: How many classes there are.
        recipe: `Recipe`.
        schedule: `Schedule`.
        seed: Integer.
    """

    def __init__(self, indices, labels, num_classes, recipe, schedule, seed):
        rng = np.random.default_rng([seed, 1])
        self.real_counts = np.bincount(labels, minlength=num_classes)
        self.class_counts = _grown(self.real_counts, recipe.sampling)
        shape = (schedule.steps, schedule.batch_size)
        epoch = np.arange(shape[0]) * shape[1] // self.class_counts.sum()
        rows = _rows(labels, self.class_counts, int(np.prod(shape)), rng)
        rows = rows.reshape(shape)
        classes = labels[rows]
        mixed = _mix(classes, self.class_counts, recipe.mix, epoch, rng)
        self.arrays = {
            "index": indices[rows].astype("int32"),
            **mixed,
            "layer": _layers(recipe.layers, rng, shape),
            "rate": schedule.rates(),
            "seed": rng.integers(2**32, size=(schedule.steps, 2), dtype="uint32"),
        }
        weights = self.class_counts.sum() / self.class_counts / num_classes
        self.recipe = {
            "class_weights": (
                weights if recipe.class_weights else np.ones(num_classes)
            ).astype("f4"),
            "offset": self._offsets(classes, mixed, recipe),
            "gamma": np.float32(recipe.gamma),
            "weight_decay": np.float32(schedule.weight_decay),
        }

    @property
    def length(self):
        """Steps in all."""
        return len(self.arrays["rate"])

    def taken(self, step):
        """What one step takes."""
        return {name: one[step] for name, one in self.arrays.items()}

    def _offsets(self, classes, mixed, recipe):
        """What the loss adds to the logits, `(num_classes,)`.

        Rare partners make rare classes less rare: tau * log(share of the class) takes
        the shares in the labels that are fed.
        """
        shares = mixed["share"].ravel()
        partners = np.take_along_axis(classes, mixed["partner"], axis=1)
        size = len(self.class_counts)
        total = np.bincount(classes.ravel(), shares, size)
        total += np.bincount(partners.ravel(), 1 - shares, size)
        if recipe.mix is None:
            total = self.class_counts
        self.shown = total / total.sum()
        return (recipe.tau * np.log(self.shown)).astype("f4")


def _layers(shares, rng, shape):
    """Which augmentation each image goes through; the number after them is none."""
    edges = np.cumsum(shares)
    return np.searchsorted(edges, rng.random(shape), side="right").astype("int8")


def _grown(counts, sampling):
    """Images of each class in an epoch, as `sampling_strategy` counts them."""
    if sampling == "real":
        return counts
    if sampling == "sqrt":
        return np.round(np.sqrt(counts * counts.max())).astype(int)
    return np.full_like(counts, counts.max())


def _rows(labels, counts, total, rng):
    """Rows of a feed: all real images once an epoch, the shortfall repeated."""
    by_class = [np.flatnonzero(labels == label) for label in range(len(counts))]
    epochs = []
    for _ in range(-(-total // int(counts.sum()))):
        parts = [np.arange(len(labels))]
        for rows, count in zip(by_class, counts, strict=True):
            missing = int(count) - len(rows)
            whole, rest = divmod(missing, max(1, len(rows)))
            parts += [rows] * whole + [rng.permutation(rows)[:rest]]
        epochs.append(rng.permutation(np.concatenate(parts)))
    return np.concatenate(epochs)[:total]


def _mix(classes, counts, mix, epoch, rng):
    """Partners within the batch, an image's own share, the box pasted on it."""
    shape = classes.shape
    share, partner = np.ones(shape, "f4"), np.zeros(shape, "int32")
    opacity, box = np.zeros(shape, "f4"), np.zeros((*shape, 4), "int8")
    if mix is not None:
        weights = 1 / counts if mix.partner == "rare" else np.ones(len(counts))
        partner = _partners(weights[classes], rng)
        is_mixed = rng.random(shape) < mix.rate
        if mix.until_epoch is not None:
            is_mixed &= (epoch < mix.until_epoch)[:, None]
        parts = rng.beta(mix.alpha, mix.alpha, shape)
        if mix.kind == "mixup":
            box[...] = (0, 0, SIDE, SIDE)
            opacity = np.where(is_mixed, parts, 0).astype("f4")
            share = 1 - opacity
        else:
            box, area = _boxes(parts, rng)
            opacity = is_mixed.astype("f4")
            share = np.where(is_mixed, 1 - area, 1).astype("f4")
    return {"partner": partner, "share": share, "opacity": opacity, "box": box}


def _partners(weights, rng):
    """One place within its batch for each image, drawn by the weights `(steps, n)`."""
    steps, size = weights.shape
    edges = np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
    edges[:, -1] = 1
    lines = (edges + np.arange(steps)[:, None]).ravel()
    drawn = (rng.random((steps, size)) + np.arange(steps)[:, None]).ravel()
    places = np.searchsorted(lines, drawn, side="right").reshape(steps, size)
    return np.clip(places - np.arange(steps)[:, None] * size, 0, size - 1).astype("i4")


def _boxes(parts, rng):
    """CutMix's boxes `(..., 4)` and the part of the image that each covers."""
    size = np.rint(np.sqrt(parts)[..., None] * SIDE).astype(int)
    start = rng.integers(SIDE, size=(*parts.shape, 2)) - size // 2
    start, stop = np.clip(start, 0, SIDE), np.clip(start + size, 0, SIDE)
    area = (stop - start).prod(-1) / SIDE**2
    return np.concatenate([start, stop], axis=-1).astype("int8"), area
