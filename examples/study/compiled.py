"""A whole training as one compiled program, on JAX, its data on the device.

An epoch of a small network on a GPU is over before Python has fed it. Here the host
only says which images a batch takes and how they are mixed; a hundred steps at a time
run as one program. What a recipe sets (loss, mixing, share of augmented images,
learning rate) goes in as numbers, so that one compilation serves all recipes of a
network, and several trainings can run side by side in it.
"""

import time

import jax
import jax.numpy as jnp
import keras
import numpy as np

from study.feeds import OutOfTime
from study.steps import adjusted_loss, augmented, mixed


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
            layer(np.zeros((2, *images.shape[1:]), "f4"), training=True)
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
        total, done, started, losses = feeds[0].length, 0, None, []
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

    @property
    def device(self):
        """What it runs on, as the backend calls it."""
        return jax.devices()[0].device_kind

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
        batch = augmented(batch, self._augmentations, taken)
        batch, targets = mixed(batch, targets, taken)

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

    def _predict(self, state, places, images):
        trainable, others, _ = state

        def one(places):
            logits, _ = self._predictor.stateless_call(
                trainable, others, images[places].astype("float32"), training=False
            )
            return logits.astype("float32")

        return jax.lax.map(one, places)
