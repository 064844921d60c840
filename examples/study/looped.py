"""The training of `study.compiled` as a loop of torch's steps.

JAX's convolutions are slow on a CPU; torch's in bfloat16 are the fastest there. A
training takes an hour or two, so it goes on where it was stopped.
"""

import time
import zlib

import keras
import numpy as np
import torch
from keras import ops

from study.feeds import OutOfTime
from study.files import write_arrays
from study.steps import adjusted_loss, augmented, mixed


class LoopedTraining:
    """One network's training and prediction, as `CompiledTraining` has them.

    Args: as there, but for

        steps: Steps between two lines of progress, and between two states kept.
        keep: Path of the `.npz` file that a stopped training goes on from, or None.
            The last state stays there, until another training overwrites it.
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
        self.steps, self.keep = steps, keep
        self._build, self._optimizer = build, optimizer
        self._dtype = dtype
        self._images = ops.convert_to_tensor(images)
        self._labels = ops.convert_to_tensor(labels, "int64")
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
        keras.utils.set_random_seed(seed)
        network = self._build(self._dtype)
        shapes = [one.shape for one in network.variables]
        plan = _plan(feed, [seed, self._dtype, shapes])
        optimizer = type(self._optimizer).from_config(self._optimizer.get_config())
        optimizer.build(network.trainable_variables)
        recipe = _tensors(feed.recipe)
        done, loss = self._resume(plan, network, optimizer)
        total = feed.length
        while done < total:
            chunk, start = range(done, min(done + self.steps, total)), time.monotonic()
            steps = [
                self._step(network, optimizer, feed.taken(n), recipe) for n in chunk
            ]
            loss, done = float(torch.stack(steps).mean()), chunk.stop
            self._save(network, optimizer, plan=plan, done=done, loss=loss)
            seconds = (time.monotonic() - start) / len(chunk)
            left = f"{seconds * (total - done) / 60:.0f} min left"
            print(f"step {done} of {total}, {left}", flush=True)
            if deadline is not None and time.monotonic() > deadline and done < total:
                raise OutOfTime(f"{left}, at step {done}")
        return [network], np.asarray(loss)

    def predict(self, state, parts):
        """Logits of images, a float32 array `(n, num_classes)`."""
        (network,), (part,) = state, parts
        predictor = self._build("float32")
        predictor.set_weights(network.get_weights())
        images = ops.convert_to_numpy(self._images[part])
        return [predictor.predict(images, batch_size=500, verbose=0)]

    @property
    def device(self):
        """What it runs on."""
        if self._images.is_cuda:
            return torch.cuda.get_device_name()
        return f"{torch.get_num_threads()} threads of a CPU"

    def _step(self, network, optimizer, taken, recipe):
        taken["seed"] = taken["seed"].astype("int64")  # torch adds no unsigned ones
        rate = float(taken.pop("rate"))
        taken = _tensors(taken)
        with torch.no_grad():
            rows = taken["index"].long()
            batch = self._images[rows].float()
            targets = ops.one_hot(self._labels[rows], self.num_classes)
            batch = augmented(batch, self._augmentations, taken)
            batch, targets = mixed(batch, targets, taken)
        loss = adjusted_loss(network(batch, training=True), targets, recipe)
        network.zero_grad()
        loss.backward()
        weights = network.trainable_variables
        with torch.no_grad():
            decay = recipe["weight_decay"]
            slopes = [one.value.grad + decay * one.value for one in weights]
            optimizer.learning_rate = rate
            optimizer.apply(slopes, weights)
        return loss.detach()

    def _save(self, network, optimizer, **progress):
        if self.keep:
            variables = _variables(network, optimizer)
            arrays = {str(n): ops.convert_to_numpy(v) for n, v in enumerate(variables)}
            write_arrays(self.keep, **progress, **arrays)

    def _resume(self, plan, network, optimizer):
        """Take the state kept of the same plan; give its steps and its mean loss."""
        if not self.keep or not self.keep.exists():
            return 0, np.nan
        with np.load(self.keep) as kept:
            if kept["plan"] != plan:
                return 0, np.nan
            for n, variable in enumerate(_variables(network, optimizer)):
                variable.assign(kept[str(n)])
            return int(kept["done"]), float(kept["loss"])


def _plan(feed, settings):
    """A number that tells trainings apart."""
    found = zlib.crc32(str(settings).encode())
    for one in (*feed.arrays.values(), *feed.recipe.values()):
        found = zlib.crc32(np.ascontiguousarray(one), found)
    return found


def _tensors(arrays):
    return {name: ops.convert_to_tensor(one) for name, one in arrays.items()}


def _variables(network, optimizer):
    return [*network.variables, *optimizer.variables]
