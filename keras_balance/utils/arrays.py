"""Tensors of any backend, as arrays of NumPy."""

import numpy as np


def to_numpy(array):
    """Give a tensor of any backend as a NumPy array; anything else as it is.

    bfloat16, which NumPy lacks, comes as float32. What is read when it is indexed, such
    as a `numpy.memmap` or an HDF5-like array, stays where it is.

    Example:
        >>> to_numpy(keras.ops.ones((2,))), to_numpy([1, 2])
        (array([1., 1.], dtype=float32), [1, 2])
    """
    if not isinstance(array, np.ndarray):
        # What is read when it is indexed has NumPy's types and no `__dlpack__`.
        dtype = getattr(array, "dtype", None)
        is_tensor = dtype is not None and not isinstance(dtype, np.dtype)
        if not is_tensor and not hasattr(array, "__dlpack__"):
            return array
        if hasattr(array, "detach"):
            array = array.detach().cpu()
            array = array.float() if "bfloat16" in str(dtype) else array
        array = np.asarray(array)
    return array.astype("float32") if array.dtype.name == "bfloat16" else array
