"""A whole training as one compiled program, on JAX, its data on the device.

An epoch of a small network on a GPU is over before Python has fed it. Here the host
only says which images a batch takes and how they are mixed; a hundred steps at a time
run as one program. What a recipe sets (loss, mixing, share of augmented images,
learning rate) goes in as numbers, so that one compilation serves all recipes of a
network, and several trainings can run side by side in it.
"""

import dataclasses
import time

import jax
import jax.numpy as jnp
import keras
import numpy as np

from keras_balance.data.mix import Mix

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
    mix: Mix | None = None
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
        rows = _rows(labels, self.class_counts, int(np.prod(shape)), rng)
        rows = rows.reshape(shape)
        classes = labels[rows]
        mixed = _mix(classes, self.class_counts, recipe, rng)
        self.arrays = {
            "index": indices[rows].astype("int32"),
            **mixed,
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
            "layers": np.cumsum(recipe.layers).astype("f4"),
            "weight_decay": np.float32(schedule.weight_decay),
        }

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


class CompiledTraining:
    """A network's training and prediction, compiled once for all recipes.

    Args:
        build: Function from a dtype policy to a network that gives logits.
        dtype: Policy to train in; predictions are made in float32.
        optimizer: Keras optimizer; its learning rate is set by the schedule.
        images: uint8 `(n, 32, 32, 3)`, all that is ever trained or tested on.
        labels: Their classes.
        augmentations: Keras layers; each image goes through one of them or none.
        steps: Steps of one call of the program.
        replicas: Trainings that run side by side.
    """

    def __init__(
        self,
        build,
        optimizer,
        images,
        labels,
        augmentations=(),
        dtype="float32",
        steps=100,
        replicas=1,
    ):
        self.num_classes = int(labels.max()) + 1
        self.steps, self.replicas = steps, replicas
        self._build, self._optimizer = lambda: build(dtype), optimizer
        self._images, self._labels = jnp.asarray(images), jnp.asarray(labels, "int32")
        self._augmentations = augmentations
        for layer in augmentations:
            layer(np.zeros((2, SIDE, SIDE, 3), "f4"), training=True)
        self._network, self._predictor = self._build(), build("float32")
        optimizer.build(self._network.trainable_variables)
        self._fresh = [np.array(one) for one in optimizer.variables]
        self._initialised = None, None
        names = [one.name for one in optimizer.variables]
        self._rate_place = names.index("learning_rate")
        run, predict = self._run, self._predict
        if replicas > 1:
            run = jax.vmap(run, in_axes=(0, 0, 0, None, None))
            predict = jax.vmap(predict, in_axes=(0, 0, None))
        self._compiled_run = jax.jit(run, donate_argnums=0)
        self._compiled_predict = jax.jit(predict)
        self.seconds_per_step = None

    def train(self, feeds, seeds, deadline=None):
        """Train one network for each feed, side by side.

        Args:
            feeds: As many `Feed` as there are replicas, of the same length.
            seeds: Seeds of the initial weights.
            deadline: Time of `time.monotonic` to be done by, or None.

        Returns:
            State, and the mean loss of the last call.

        Raises:
            OutOfTime: When the first calls show that it would take longer.
        """
        state = self._stack([self._initial(seed) for seed in seeds])
        recipe = self._stack([feed.recipe for feed in feeds])
        total, done, started, losses = len(feeds[0].arrays["rate"]), 0, None, []
        while done < total:
            chunk = slice(done, done + self.steps)
            arrays = self._stack(
                [{name: one[chunk] for name, one in f.arrays.items()} for f in feeds]
            )
            state, loss = self._compiled_run(
                state, arrays, recipe, self._images, self._labels
            )
            losses.append(loss)
            done += self.steps
            if len(losses) > 1:
                jax.block_until_ready(losses[-2])  # two calls ahead, no more
            if len(losses) == 2:  # the first one compiled
                started = time.monotonic(), done
            if len(losses) >= 4:
                now = time.monotonic()
                self.seconds_per_step = (now - started[0]) / (done - started[1])
                left = self.seconds_per_step * (total - done)
                if deadline is not None and now + left > deadline:
                    raise OutOfTime(f"{left:.0f} s more were needed")
        return state, np.asarray(losses[-1])

    def predict(self, state, parts):
        """Logits of images, a float32 array `(n, num_classes)` for each replica.

        Args:
            state: What `train` gives.
            parts: Indices of images, for each replica its own.
        """
        size, longest = 500, max(len(part) for part in parts)
        padded = -(-longest // size) * size
        places = np.stack([np.resize(part, padded) for part in parts])
        places = jnp.asarray(places.reshape(self.replicas, -1, size), "int32")
        if self.replicas == 1:
            places = places[0]
        logits = np.asarray(self._compiled_predict(state, places, self._images))
        logits = logits.reshape(self.replicas, padded, -1)
        return [one[: len(part)] for one, part in zip(logits, parts, strict=True)]

    def _initial(self, seed):
        """A network's first state; the last one is kept for other recipes."""
        if seed != self._initialised[0]:
            keras.utils.set_random_seed(seed)
            network = self._build()
            state = (
                [np.array(one) for one in network.trainable_variables],
                [np.array(one) for one in network.non_trainable_variables],
                self._fresh,
            )
            self._initialised = seed, state
        return self._initialised[1]

    def _stack(self, trees):
        if self.replicas == 1:
            return jax.tree.map(jnp.array, trees[0])
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)

    def _run(self, state, arrays, recipe, images, labels):
        def step(state, taken):
            return self._step(state, taken, recipe, images, labels)

        state, losses = jax.lax.scan(step, state, arrays)
        return state, losses.mean()

    def _step(self, state, taken, recipe, images, labels):
        trainable, others, optimizer = state
        batch = images[taken["index"]].astype("float32")
        targets = jax.nn.one_hot(labels[taken["index"]], self.num_classes)
        batch = self._augmented(batch, recipe["layers"], taken["seed"])
        batch, targets = _mixed(batch, targets, taken)

        def loss_of(trainable):
            logits, updated = self._network.stateless_call(
                trainable, others, batch, training=True
            )
            loss = adjusted_loss(logits, targets, recipe)
            return loss, updated

        (loss, others), slopes = jax.value_and_grad(loss_of, has_aux=True)(trainable)
        slopes = [
            slope + recipe["weight_decay"] * weight
            for slope, weight in zip(slopes, trainable, strict=True)
        ]
        optimizer = list(optimizer)
        optimizer[self._rate_place] = taken["rate"]
        trainable, optimizer = self._optimizer.stateless_apply(
            optimizer, slopes, trainable
        )
        return (list(trainable), list(others), list(optimizer)), loss

    def _augmented(self, batch, layers, seed):
        """Each image through one of the augmentations, or none."""
        if not self._augmentations:
            return batch
        key = jax.random.wrap_key_data(seed, impl="threefry2x32")
        choice = jax.random.uniform(key, (len(batch), 1, 1, 1))
        augmented, lower = batch, 0.0
        for place, layer in enumerate(self._augmentations):
            seeds = [seed + 1 + place for _ in layer.non_trainable_variables]
            one, _ = layer.stateless_call([], seeds, batch, training=True)
            chosen = (choice >= lower) & (choice < layers[place])
            augmented = jnp.where(chosen, one, augmented)
            lower = layers[place]
        return augmented

    def _predict(self, state, places, images):
        trainable, others, _ = state

        def one(places):
            logits, _ = self._predictor.stateless_call(
                trainable, others, images[places].astype("float32"), training=False
            )
            return logits.astype("float32")

        return jax.lax.map(one, places)


def adjusted_loss(logits, targets, recipe):
    """`kb.losses.LogitAdjustedCrossentropy`, focal and weighted where it is asked.

    The same numbers (tests/examples/study/test_compiled.py); here the counts may be
    traced, so that other counts need no other program.
    """
    log_shares = jax.nn.log_softmax(logits.astype("float32") + recipe["offset"])
    # At a share of 1 the power's slope is infinite for some gamma, and lost below.
    missed = jnp.maximum(1 - jnp.exp(log_shares), 1e-6)
    losses = -log_shares * missed ** recipe["gamma"]
    return (targets * recipe["class_weights"] * losses).sum(-1).mean()


def _mixed(batch, targets, taken):
    """Blend a box of the partner into each image: MixUp's box is the whole image."""
    top, left, bottom, right = (taken["box"][:, n, None] for n in range(4))
    line = jnp.arange(SIDE)
    rows, columns = (top <= line) & (line < bottom), (left <= line) & (line < right)
    cover = (rows[:, :, None] & columns[:, None, :])[..., None] * (
        taken["opacity"][:, None, None, None]
    )
    batch = batch + cover * (batch[taken["partner"]] - batch)
    share = taken["share"][:, None]
    return batch, share * targets + (1 - share) * targets[taken["partner"]]


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


def _mix(classes, counts, recipe, rng):
    """Partners within the batch, an image's own share, the box pasted on it."""
    shape = classes.shape
    share, partner = np.ones(shape, "f4"), np.zeros(shape, "int32")
    opacity, box = np.zeros(shape, "f4"), np.zeros((*shape, 4), "int8")
    mix = recipe.mix
    if mix is not None:
        weights = 1 / counts if mix.partner == "rare" else np.ones(len(counts))
        partner = _partners(weights[classes], rng)
        is_mixed = rng.random(shape) < mix.rate
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
