"""Who called: for what Keras calls without telling it all that it knows."""

import inspect


def callers():
    """Give the functions that led here: first the one that asks, then who called it.

    Keras tells a data set nothing of the arguments of `fit`, nor a metric what other
    metrics a model has: `fit` and those that hold the metrics are among the callers.

    Yields:
        `(module, name, held)`: names of the module and the function, and a dict of its
        local names.

    Example:
        >>> def inner():
        ...     return {name: held.get("answer") for _, name, held in callers()}
        >>> def outer(answer=42):
        ...     return inner()
        >>> outer()["outer"]
        42
    """
    frame = inspect.currentframe().f_back
    while frame is not None:
        yield frame.f_globals.get("__name__", ""), frame.f_code.co_name, frame.f_locals
        frame = frame.f_back
