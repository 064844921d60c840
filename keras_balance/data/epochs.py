"""A dataset whose batches are a function of epoch and index, and who counts epochs."""

import os
import threading

import keras

from keras_balance.data import checks, pipelines

# Batches that Keras looks at before the first epoch, to learn their shapes.
_FIRST_LOOK = 2


class EpochDataset(keras.utils.PyDataset):
    """Counts the epochs, and keeps the plan of one, for all workers to read.

    A subclass gives `batch(epoch, index)` and `__len__`, has a `_planner` that makes
    the `plan(epoch)`, and calls `_begin` when it is ready.
    """

    def _begin(self):
        self._lock, self._owner = threading.RLock(), os.getpid()
        self._plan = None
        self.epoch = 0

    @property
    def epoch(self):
        """Epoch, counted from 0, that batches belong to."""
        return self._epoch

    @epoch.setter
    def epoch(self, value):
        self._epoch = checks.epoch(value)
        self._within_epoch = False
        # Batches that `fit` or a worker has fetched, and those of a loop of the user's.
        self._fetched, self._looked_at = set(), set()
        if self.use_multiprocessing:
            # Keras forks its workers before it calls `on_epoch_begin`.
            self._prepare(self._epoch)

    def __getitem__(self, index):
        index = range(len(self))[index]
        batch = self.batch(self._epoch, index)
        # Keras' worker threads may begin before it calls `on_epoch_begin`.
        by_fit = self._within_epoch or _is_worker_thread()
        (self._fetched if by_fit else self._looked_at).add(index)
        return batch

    def __iter__(self):
        """Go through one epoch, and then move on to the next."""
        epoch = self._epoch
        for index in range(len(self)):
            yield self.batch(epoch, index)
        self._move_on_from(epoch)

    def one_epoch(self):
        """Yield the batches of an epoch, for those who take no more than there are.

        Keras counts the batches of a pipeline and never asks whether another one
        follows: so the next epoch begins with the last one of these.
        """
        epoch = self._epoch
        for index in range(len(self)):
            batch = self.batch(epoch, index)
            if index == len(self) - 1:
                self._move_on_from(epoch)
            yield batch

    def _move_on_from(self, epoch):
        if self._epoch == epoch and not self._is_copy:
            self.epoch = epoch + 1

    @property
    def _is_copy(self):
        """Whether this is a copy for a worker, which makes no images."""
        return self._planner is None or self._owner != os.getpid()

    def _prepare(self, epoch):
        """Give the plan of an epoch; make it if it is not there."""
        # Workers find it made and take no lock: a forked one could inherit it locked.
        plan = self._plan
        if plan is not None and plan.epoch == epoch:
            return plan
        if self._is_copy:
            raise RuntimeError(
                f"The images of epoch {epoch} are not here, and a copy of a "
                "BalancedDataset in another process makes none. Pass "
                "`use_multiprocessing=True` when building it."
            )
        with self._lock:
            if self._plan is None or self._plan.epoch != epoch:
                self._plan = self._planner.plan(epoch)
            return self._plan

    def to_tf_dataset(self):
        """Give the batches as a `tf.data.Dataset`; each pass over it is an epoch.

        Raises:
            ImportError: When TensorFlow is not installed.
        """
        return pipelines.tf_dataset(self)

    def to_torch_dataloader(self):
        """Give the batches as a torch `DataLoader`; each pass over it is an epoch.

        Raises:
            ImportError: When torch is not installed.
        """
        return pipelines.torch_dataloader(self)

    def on_epoch_begin(self):
        """Make the synthetic images of the epoch. Called by `fit`."""
        self._check_fit()
        self._within_epoch = True
        # What was looked at before does not count as an epoch of `fit`.
        self._looked_at = set()
        self._prepare(self._epoch)

    def on_epoch_end(self):
        """Move on to the next epoch, if this one was seen whole.

        It is here, and not in `on_epoch_begin`, that the epoch changes, because Keras
        starts its workers before it calls that. And Keras begins and ends an epoch
        without looking at more than a batch or two, before the first one: that one
        must not count. (Batches fetched in other processes are not seen here.) A loop
        of the user's calls this alone, which counts from three batches on.
        """
        seen = self._fetched if self._within_epoch else self._looked_at
        if not self._within_epoch and len(self) <= _FIRST_LOOK:
            seen = set()  # `fit` looks at as many, and ends that, before it begins
        by_others = self._within_epoch and self.use_multiprocessing
        if by_others or len(seen) == len(self):
            self.epoch += 1
        self._within_epoch = False
        if self.use_multiprocessing:
            self._prepare(self._epoch)

    def _check_fit(self):
        """Look at what an epoch of `fit` is to be, before it begins."""

    def __copy__(self):
        """Give a feed of the same images that counts its epochs by itself."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._lock = threading.RLock()
        twin._fetched, twin._looked_at = set(self._fetched), set(self._looked_at)
        return twin

    def __deepcopy__(self, memo):
        """Give the same: images are only ever read."""
        twin = memo[id(self)] = self.__copy__()
        return twin

    def __getstate__(self):
        # A worker process gets the images of the epoch, never a live model.
        return {
            **self.__dict__,
            "_lock": None,
            "_planner": None,
            "synthesizer": None,
            "_plan": self._prepare(self._epoch),
        }

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._lock = threading.RLock()


def _is_worker_thread():
    return threading.current_thread() is not threading.main_thread()
