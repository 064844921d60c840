"""One trial of a whole recipe: another loss, and a layer in front of the classifier."""

import keras

from keras_balance.utils.overrides import overridden

_HOOKS = [
    f"on_{what}{when}_{end}"
    for what in ("train", "test")
    for when in ("", "_batch")
    for end in ("begin", "end")
]


def by_recipe(recipe, images, feed, model, callbacks, seed):
    """Prepare the training of a classifier by a recipe.

    Args:
        recipe: `Recipe`.
        images: `LabelledImages`.
        feed: The `BalancedDataset` of the recipe.
        model: The compiled classifier.
        callbacks: List of Keras callbacks.
        seed: Integer.

    Returns:
        `(model, callbacks)` to call `fit` with. It trains the classifier's weights,
        and its callbacks see the classifier, so that what a tuner saves is that.
    """
    trainee = recipe.put_on(model, feed, images, seed)
    if trainee is model:
        return model, callbacks
    return trainee, [_SeeingAnother(callbacks, model)]


class _SeeingAnother(keras.callbacks.Callback):
    """Calls callbacks that see another model than the one that is fitted."""

    def __init__(self, callbacks, seen):
        super().__init__()
        self.seen = seen
        self.inner = keras.callbacks.CallbackList(callbacks, model=seen)
        seen.stop_training = False  # of another training
        for hook in [*_HOOKS, "on_epoch_begin"]:
            if any(_has_its_own(one, hook) for one in self.inner.callbacks):
                setattr(self, hook, self._synced(getattr(self.inner, hook)))

    def _synced(self, hook):
        """Give a hook whose callbacks find the state of the model that is fitted."""

        def call(*args, **kwargs):
            _ = self.model  # asked for, JAX puts its state into the variables
            hook(*args, **kwargs)

        return call

    def set_params(self, params):
        super().set_params(params)
        self.inner.set_params(params)

    def on_epoch_end(self, epoch, logs=None):
        self._synced(self.inner.on_epoch_end)(epoch, logs)
        self.model.stop_training |= self.seen.stop_training


def _has_its_own(callback, hook):
    """Whether a callback does something there, by that name or the older one."""
    names = {hook, hook.replace("on_train_batch", "on_batch")}
    by_class = overridden(type(callback), keras.callbacks.Callback, names)
    return bool(by_class or names & vars(callback).keys())
