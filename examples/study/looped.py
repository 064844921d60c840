"""The training of `study.compiled` as a loop of torch's steps, for CPUs.

JAX's convolutions are slow on a CPU; torch's in bfloat16 are the fastest there. A
training takes an hour or two, so it goes on where it was stopped.
"""

import pathlib
import time
import zlib

import keras
import numpy as np
import torch
import torch.nn.functional as F

from study.files import atomic_path
from study.steps import OutOfTime, adjusted_loss, augmented, mixed


class LoopedTraining:
    """One network's training and prediction, as `CompiledTraining` has them.

    Args:
        build: Function from a dtype policy to a network that gives logits.
        optimizer: Keras optimizer; its learning rate is set by the schedule.
        images: uint8 `(n, 32, 32, 3)`, all that is ever trained or tested on.
        labels: Their classes.
        augmentations: Keras layers; each image goes through one of them or none.
        dtype: Policy to train in; predictions are made in float32.
        steps: Steps between two lines of progress, and between two states kept.
        keep: File that a stopped training goes on from, or None.
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
        keep=None,
    ):
        self.num_classes = int(labels.max()) + 1
        self.steps, self.keep = steps, keep and pathlib.Path(keep)
        self._build, self._optimizer = build, optimizer
        self._dtype = dtype
        self._images = torch.as_tensor(images)
        self._labels = torch.as_tensor(labels, dtype=torch.int64)
        self._augmentations = augmentations
        for layer in augmentations:
            layer(np.zeros((2, *images.shape[1:]), "f4"), training=True)

    def train(self, feeds, seeds, deadline=None):
        """Train one network; returns it, in a list, and the mean loss of the end.

        Args:
            feeds: A list of one `Feed`.
            seeds: A list of the seed of the initial weights.
            deadline: Time of `time.monotonic` to stop at, or None.

        Raises:
            OutOfTime: At the deadline. With `keep`, another call goes on from there.
        """
        (feed,), (seed,) = feeds, seeds
        plan = _plan(feed, seed)
        keras.utils.set_random_seed(seed)
        network = self._build(self._dtype)
        optimizer = type(self._optimizer).from_config(self._optimizer.get_config())
        optimizer.build(network.trainable_variables)
        recipe = {name: torch.as_tensor(one) for name, one in feed.recipe.items()}
        done = self._resume(plan, network, optimizer)
        total, losses = feed.length, [np.nan]
        while done < total:
            chunk, start = range(done, min(done + self.steps, total)), time.monotonic()
            steps = [
                self._step(network, optimizer, feed.taken(n), recipe) for n in chunk
            ]
            losses, done = [float(loss) for loss in steps], chunk.stop
            self._save(plan, network, optimizer, done)
            seconds = (time.monotonic() - start) / len(chunk)
            left = f"{seconds * (total - done) / 60:.0f} min left"
            print(f"step {done} of {total}, {left}", flush=True)
            if deadline is not None and time.monotonic() > deadline and done < total:
                raise OutOfTime(f"{left}, at step {done}")
        if self.keep:
            self.keep.unlink()
        return [network], np.mean(losses)

    def predict(self, state, parts):
        """Logits of images, a float32 array `(n, num_classes)`."""
        (network,), (part,) = state, parts
        predictor = self._build("float32")
        predictor.set_weights(network.get_weights())
        images = self._images.numpy()[part]
        return [predictor.predict(images, batch_size=500, verbose=0)]

    @property
    def device(self):
        """What it runs on."""
        return f"{torch.get_num_threads()} threads of a CPU"

    def _step(self, network, optimizer, taken, recipe):
        taken["seed"] = taken["seed"].astype("int64")  # torch adds no unsigned ones
        taken = {name: torch.as_tensor(np.array(one)) for name, one in taken.items()}
        with torch.no_grad():
            rows = taken["index"].long()
            batch = self._images[rows].float()
            targets = F.one_hot(self._labels[rows], self.num_classes).float()
            batch = augmented(batch, self._augmentations, taken)
            batch, targets = mixed(batch, targets, taken)
        loss = adjusted_loss(network(batch, training=True), targets, recipe)
        network.zero_grad()
        loss.backward()
        weights = network.trainable_variables
        with torch.no_grad():
            decay = recipe["weight_decay"]
            slopes = [one.value.grad + decay * one.value for one in weights]
            optimizer.learning_rate = float(taken["rate"])
            optimizer.apply(slopes, weights)
        return loss.detach()

    def _save(self, plan, network, optimizer, done):
        if self.keep:
            variables = _variables(network, optimizer)
            arrays = {str(n): np.array(v) for n, v in enumerate(variables)}
            self.keep.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.keep) as temporary, open(temporary, "wb") as file:
                np.savez(file, plan=plan, done=done, **arrays)

    def _resume(self, plan, network, optimizer):
        """Take the state that was kept of the same plan; say how many steps it has."""
        if not self.keep or not self.keep.exists():
            return 0
        with np.load(self.keep) as kept:
            if kept["plan"] != plan:
                return 0
            for n, variable in enumerate(_variables(network, optimizer)):
                variable.assign(kept[str(n)])
            return int(kept["done"])


def _plan(feed, seed):
    """A number that tells trainings apart."""
    found = zlib.crc32(str(seed).encode())
    for one in (*feed.arrays.values(), *feed.recipe.values()):
        found = zlib.crc32(np.ascontiguousarray(one), found)
    return found


def _variables(network, optimizer):
    return [*network.variables, *optimizer.variables]
