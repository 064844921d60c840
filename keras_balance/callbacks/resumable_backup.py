"""A training that is killed goes on where it was, to the same weights."""

import inspect
import os
import pathlib
import random
import warnings

import keras
import numpy as np

from keras_balance.callbacks.callbacks_in_fit import callbacks_in_fit, misplaced
from keras_balance.callbacks.data_notes import data_notes
from keras_balance.data.in_fit import fit_in_progress
from keras_balance.utils.files import read_sealed, remove_temporaries, write_sealed
from keras_balance.utils.losses import check_epoch
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.plain_data import from_bytes, is_plain, to_bytes

# What such a callback has seen decides how long, or how, a model is trained.
_DECIDING = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)


class ResumableBackup(keras.callbacks.Callback):
    """Backs a training up after each epoch, and resumes it in a fresh process.

    A script that is killed at any moment and started again ends with the weights
    that it would have had without the kill: bit for bit on the CPU, where the
    model's own operations are deterministic. What was lost is the epoch in progress.

    Kept are the weights, the variables of all optimizers, the states of all seed
    generators of the model (dropout, augmentation), the epoch of the dataset, and of
    one that is `validation_data`, the state of Python's `random` (by which Keras
    shuffles the batches of a `PyDataset`), the history, the phase of a generator with
    its best checkpoint, and the state of the callbacks that are given. The model must
    be built the same way, from the same seeds, by the script that resumes.

    Not kept, since Keras does not show them: its global seed generator, from which
    layers draw that call `keras.random` without `seed`, on torch its own, from which a
    `Dropout` without `seed` draws, and the order in which `fit` shuffles plain arrays.
    Nor the place within a pass over the data: an epoch must be a whole pass, without
    `steps_per_epoch`. The guide "A training that gets killed" tells what several
    workers need.

    A training that is over, or was stopped, is not repeated. Given more `epochs`, it
    goes on, where it was stopped from the epoch that would have come next: `fit` says
    which `initial_epoch` that is.

    The file is written atomically. It holds numbers and text, no code.

    Args:
        path: File of the backup; its folder is made when missing. One training has
            one file; remove it to begin anew.
        dataset: The `BalancedDataset`, or any `PyDataset` that draws by an `epoch`
            which can be set, that `fit` gets. `BAGAN.fit` needs none here.
        callbacks: Callbacks whose state goes along: `EarlyStopping`,
            `ReduceLROnPlateau`, `ModelCheckpoint`, `PerClassReport` and others that
            keep it in attributes. Give them to `fit`, too, in front of this one.
        every: Number of epochs from one backup to the next.

    Attributes:
        epoch: Epoch, counted from 0, that training begins at: give it to `fit`. Of a
            training that was stopped, the number of epochs it was to have.

    Raises:
        ValueError: For a file that is truncated, garbled, or of another training: with
            other callbacks, another model, or a `dataset` of other arguments or other
            images, of those on disk a few are looked at. Nothing is loaded then.
            Also when `every` is below 1, and from `fit`, when an epoch is no whole
            pass over the `dataset`, when `initial_epoch=backup.epoch` is missing, for
            a model that is not built, and for one of `callbacks` that `fit` does not
            get, or gets behind this one.
        TypeError: When `path` is no path, or `every` no integer.
        OSError: For a file that cannot be read; from `fit`, for a folder that cannot be
            made.
        FloatingPointError: From `fit`, when a loss or a weight is NaN or infinite. The
            backup then stays that of the last good epoch.

    Example:
        >>> backup = kb.callbacks.ResumableBackup("run/backup", train)
        >>> model.fit(train, epochs=20, initial_epoch=backup.epoch, callbacks=[backup])
    """

    def __init__(self, path, dataset=None, callbacks=(), every=1):
        super().__init__()
        self.path = _check_path(path)
        self.dataset = dataset
        self.callbacks = tuple(callbacks)
        self.every = whole_number("every", every, 1)
        self.history, self.history_epochs = {}, []
        self._data_notes = data_notes(dataset)
        self._validation = None
        remove_temporaries(self.path)
        self._found = self._read() if self.path.exists() else None
        self.epoch = self._found["resume_at"] if self._found else 0
        # At once: workers may look at the data before training begins.
        self._set_dataset_epoch()

    def on_train_begin(self, logs=None):
        """Give the model the state of the backup."""
        self._check_data_is_known()
        self._check_epoch_is_a_pass()
        self._check_places()
        self._warn_of_forgotten()
        self.path.parent.mkdir(parents=True, exist_ok=True)  # an error before the work
        self._validation = _feed_for_validation(self.dataset)
        self._begins = True
        if self._found is not None:
            self._restore(self._found)

    def on_epoch_begin(self, epoch, logs=None):
        """Check that `fit` begins where the backup ends."""
        if self._begins and self._found is not None:
            self._check_begins_at(epoch)
            self._restore_history()
        self._begins, self._found = False, None

    def on_epoch_end(self, epoch, logs=None):
        """Write the backup, unless a loss or a weight is NaN or infinite."""
        check_epoch(epoch, logs, self.model)
        self.history_epochs.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(float(value))
        epochs = self.params["epochs"]
        is_last = self.model.stop_training or epoch + 1 == epochs
        if is_last or (epoch + 1) % self.every == 0:
            self.epoch = epochs if is_last else epoch + 1
            write_sealed(self.path, to_bytes(self._state(epoch + 1)))

    def on_train_end(self, logs=None):
        """Give the history of a training that was over already."""
        if self._found is not None:
            self._restore_history()
            self._found = None

    # What a backup holds.

    def _state(self, epoch):
        """Give all that is kept at the beginning of an epoch."""
        model = self.model
        own = getattr(model, "get_training_state", dict)()
        return {
            "backend": keras.backend.backend(),
            "epoch": epoch,
            "resume_at": self.epoch,
            "variables": [
                (_dtype(variable), np.array(keras.ops.convert_to_numpy(variable)))
                for variable in _variables(model)
            ],
            "model": own,
            "dataset": self._data_notes,
            "dataset_epoch": getattr(self.dataset, "epoch", None),
            "validation_epoch": getattr(self._validation, "epoch", None),
            "random": random.getstate(),
            "history": self.history,
            "history_epochs": self.history_epochs,
            "callbacks": [
                (type(callback).__name__, _attributes(callback))
                for callback in self.callbacks
            ],
        }

    def _warn_of_forgotten(self):
        """Warn of callbacks that decide on the training, and are not kept."""
        for other in callbacks_in_fit():
            is_kept = any(other is one for one in self.callbacks)
            if isinstance(other, _DECIDING) and not is_kept:
                warnings.warn(
                    f"{type(other).__name__} begins anew where the training is "
                    "resumed, which then ends otherwise: give it to the backup, too. "
                    "Received: callbacks="
                    f"{[type(one).__name__ for one in self.callbacks]}",
                    stacklevel=2,
                )

    def _check_places(self):
        """Raise a `ValueError` for callbacks whose state would not be that of `fit`."""
        for callback in self.callbacks:
            how = misplaced(callback, self)
            if how is not None:
                raise ValueError(
                    "The `callbacks` of a backup must stand in front of it in "
                    "`fit(callbacks=[...])`, or it keeps what they knew before. "
                    f"Received: {type(callback).__name__}, {how}"
                )

    def _read(self):
        content = read_sealed(self.path)
        try:
            state = from_bytes(content)
        except ValueError as error:
            raise ValueError(f"{self.path} is no backup: {error}") from error
        if not isinstance(state, dict) or "callbacks" not in state:
            raise ValueError(
                f"{self.path} must hold the backup of a training. "
                f"Received: a {type(state).__name__} of something else"
            )
        kept = [name for name, _ in state["callbacks"]]
        given = [type(callback).__name__ for callback in self.callbacks]
        self._must_be("backend", keras.backend.backend(), state["backend"])
        self._check_dataset(state["dataset"])
        self._must_be("callbacks", given, kept)
        return state

    def _check_dataset(self, kept):
        own = self._data_notes
        if own is None or kept is None:
            self._must_be("dataset", own, kept)
            return
        for name in kept:
            self._must_be(name, own.get(name), kept[name])

    def _check_begins_at(self, epoch):
        expected = self._found["epoch"]
        if epoch != expected:
            how = f"backup.epoch`, {expected}"
            if expected != self._found["resume_at"]:  # which `backup.epoch` is
                how = f"{expected}`, where it was stopped"
            raise ValueError(
                "`fit` must begin where the backup ends: give it `initial_epoch="
                f"{how}, or remove {self.path} to begin anew. "
                f"Received: initial_epoch={epoch}"
            )

    def _must_be(self, name, received, expected):
        if received != expected:
            raise ValueError(
                f"{self.path} is the backup of another training, with {name}="
                f"{expected!r}; remove it to begin anew. Received: {name}={received!r}"
            )

    # Back from the backup.

    def _restore(self, state):
        model = self.model
        if not model.built:
            raise ValueError(
                "The model must be built before its training is resumed: begin it "
                f"with a `keras.Input`. Received: model={model.name!r}, not built"
            )
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        variables = _variables(model)
        values = self._fitting(variables, state["variables"])
        if state["model"]:
            model.set_training_state(state["model"])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        for callback, (_, attributes) in zip(
            self.callbacks, state["callbacks"], strict=True
        ):
            vars(callback).update(attributes)
        self.history, self.history_epochs = state["history"], state["history_epochs"]
        random.setstate(state["random"])
        self._set_dataset_epoch()
        epoch = state.get("validation_epoch")
        if self._validation is not None and epoch is not None:
            self._validation.epoch = epoch

    def _fitting(self, variables, kept):
        """Values for the variables, all checked before the first is assigned."""
        # Not by name: that tells how many models a process has made before.
        own = [(_dtype(variable), tuple(variable.shape)) for variable in variables]
        expected = [(dtype, value.shape) for dtype, value in kept]
        for place, (one, other) in enumerate(zip(own, expected, strict=False)):
            self._must_be(f"variable {place}", one, other)
        self._must_be("number of variables", len(own), len(expected))
        return [
            _typed(value, keras.ops.convert_to_numpy(variable).dtype)
            for variable, (_, value) in zip(variables, kept, strict=True)
        ]

    def _set_dataset_epoch(self):
        if self._found is not None and self._found["dataset_epoch"] is not None:
            self.dataset.epoch = self._found["dataset_epoch"]

    def _restore_history(self):
        history = self.model.history
        history.epoch[:0] = self.history_epochs
        for key, values in self.history.items():
            history.history[key] = values + history.history.get(key, [])

    def _check_data_is_known(self):
        if self.dataset is None and not hasattr(self.model, "get_training_state"):
            warnings.warn(
                "Without `dataset`, a backup does not know which batches come next: "
                "give it the `BalancedDataset` that `fit` gets.",
                stacklevel=2,
            )

    def _check_epoch_is_a_pass(self):
        batches = getattr(self.dataset, "num_batches", None)
        steps = (self.params or {}).get("steps")
        if None not in (batches, steps) and steps != batches:
            raise ValueError(
                "A training can be resumed where an epoch is one pass over `dataset`: "
                "leave `steps_per_epoch` out, and count `epochs` in passes. "
                f"Received: steps_per_epoch={steps} and a dataset of {batches} batches"
            )


def _check_path(path):
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"`path` must be the path of a file. Received: path={path!r}")
    return pathlib.Path(path)


def _feed_for_validation(dataset):
    """Find a feed of the validation data, if it counts epochs of its own."""
    feed = fit_in_progress()[1].get("validation_data")
    is_feed = isinstance(feed, keras.utils.PyDataset) and hasattr(feed, "epoch")
    return feed if is_feed and feed is not dataset else None


def _variables(model):
    """Weights, states of seed generators, and the variables of all optimizers."""
    optimizer = model.optimizer
    return [*model.variables, *(optimizer.variables if optimizer else [])]


def _dtype(variable):
    return keras.backend.standardize_dtype(variable.dtype)


def _typed(value, dtype):
    # NumPy keeps bfloat16 as raw items.
    return value.view(dtype) if value.dtype.kind == "V" else value


def _attributes(callback):
    """State of a callback: its plain attributes that are no arguments."""
    arguments = inspect.signature(type(callback)).parameters
    return {
        name: value
        for name, value in vars(callback).items()
        if name not in {*arguments, "params"} and is_plain(value)
    }
