"""The callbacks that stand beside one in `fit`: Keras does not tell it of them."""

import keras

from keras_balance.utils.callers import callers


def callbacks_in_fit():
    """List the callbacks of the trainings that led here."""
    return [callback for group in _groups() for callback in group]


def misplaced(callback, other):
    """Tell how a callback stands that must stand in front of another one.

    It may stand within a callback that hands on what it hears.

    Returns:
        `"missing there"`, `"behind it"`, or None where it stands well, or no `fit` led
        here.
    """
    groups = _groups()
    for group in groups:
        own, others = _place(callback, group, other), _place(other, group, other)
        if own is not None and others is not None:
            return "behind it" if own > others else None
    is_there = any(_place(callback, group, other) is not None for group in groups)
    return None if is_there or not groups else "missing there"


def _groups():
    """Give the callbacks of each training, from the innermost one on."""
    found = [held.get("self") for _, _, held in callers()]
    kind = keras.callbacks.CallbackList
    return [group.callbacks for group in found if isinstance(group, kind)]


def _place(callback, group, apart):
    """Place of a callback, or of that which holds it, but `apart`; None without."""
    for place, one in enumerate(group):
        is_held = one is not apart and any(held is callback for held in _held(one))
        if one is callback or is_held:
            return place
    return None


def _held(callback):
    for value in vars(callback).values():
        if isinstance(value, keras.callbacks.CallbackList):
            yield from value.callbacks
        elif isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value
