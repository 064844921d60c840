"""Model files that are written and read atomically."""

import os
import warnings

import keras
import numpy as np

from keras_balance.utils.files import atomic_path

_OF_MODELS, _OF_WEIGHTS = (".keras", ".h5", ".hdf5"), (".weights.h5",)


class AtomicModel(keras.Model):
    """A Keras model whose files are written and read atomically.

    Keras writes in place: a process that is killed while it saves leaves a broken
    file where a good one was, and a weights file of another model is loaded in part.
    """

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Save as `keras.Model.save` does; the file is whole or not there."""
        if zipped is False or _is_for_keras(filepath, overwrite, _OF_MODELS):
            super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)
            return
        with atomic_path(filepath) as temporary:
            super().save(temporary, zipped=zipped, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Save as `keras.Model.save_weights` does; the file is whole or not there."""
        in_parts = "max_shard_size" in kwargs
        if in_parts or _is_for_keras(filepath, overwrite, _OF_WEIGHTS):
            super().save_weights(filepath, overwrite=overwrite, **kwargs)
            return
        with atomic_path(filepath) as temporary:
            super().save_weights(temporary, **kwargs)

    def load_weights(self, filepath, **kwargs):
        """Load as `keras.Model.load_weights` does; all of a file, or nothing of it.

        Raises:
            OSError: For a file that is missing, truncated, or no weights file.
            ValueError: For the weights of another model.
        """
        optimizer = getattr(self, "optimizer", None)
        variables = [*self.variables, *(optimizer.variables if optimizer else [])]
        before = [np.array(keras.ops.convert_to_numpy(one)) for one in variables]
        try:
            with warnings.catch_warnings():
                # Keras would leave such a part as it is.
                warnings.filterwarnings("error", message="Skipping nested container")
                super().load_weights(filepath, **kwargs)
        except (KeyError, OSError, RuntimeError, UserWarning, ValueError) as error:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
            kind = OSError if isinstance(error, OSError) else ValueError
            raise kind(
                "A weights file must be whole and that of this model; nothing was "
                f"loaded. Received: filepath={str(filepath)!r} ({error})"
            ) from error


def _is_for_keras(filepath, overwrite, suffixes):
    """Whether Keras must refuse a file by its name, or ask before it overwrites."""
    must_ask = not overwrite and os.path.exists(filepath)
    return must_ask or not str(filepath).endswith(suffixes)
