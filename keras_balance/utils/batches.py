"""The rule for data that come in batches."""


def check_batches(x, name="x"):
    """Check that batches can be read again and again, and that they end.

    Args:
        x: A `PyDataset`, a `tf.data.Dataset`, a torch `DataLoader`, or any other
            iterable of batches.
        name: Name of the argument, for the error.

    Raises:
        TypeError: For what is no iterable, and for an iterator or generator, which
            gives its batches once.
        ValueError: For data that repeat without end.
    """
    is_py_dataset = hasattr(x, "num_batches")
    can_be_read = is_py_dataset or hasattr(x, "__iter__")
    if not can_be_read or hasattr(x, "__next__"):
        raise TypeError(
            f"`{name}` must be an array or batches that can be read again and again: "
            "a PyDataset, a tf.data.Dataset or a DataLoader. "
            f"Received: {name} of type {type(x)}"
        )
    # tf.data gives -1 for endless, -2 for unknown.
    endless = is_py_dataset and x.num_batches is None
    if endless or (hasattr(x, "cardinality") and int(x.cardinality()) == -1):
        raise ValueError(f"`{name}` must end. Received: {name}={x!r}, which is endless")


def each_batch(x):
    """Go once through what `check_batches` takes, batch by batch in its order."""
    if not hasattr(x, "num_batches") or not hasattr(x, "__getitem__"):
        return iter(x)
    # By index: Keras' own readers shuffle and start threads. A `PyDataset` tells its
    # number by either name.
    number = len(x) if hasattr(x, "__len__") else x.num_batches
    return (x[index] for index in range(number))
