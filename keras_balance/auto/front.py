"""A model behind another layer and with another loss, its optimizer kept."""

import keras

from keras_balance.utils.overrides import overridden


def in_front(layer, model, loss):
    """`model` behind a layer, with another loss; either may be None.

    The optimizer is the model's own. With neither, it is the model as it is.

    Raises:
        ValueError: For a model that trains by steps of its own, which a model around it
            would not take.
    """
    if layer is None and loss is None:
        return model
    if layer is not None:
        _check_steps(type(model))
    trainee = model if layer is None else keras.Sequential([layer, model])
    trainee.compile(
        optimizer=model.optimizer,
        loss=model.loss if loss is None else loss,
        jit_compile=model.jit_compile,
        run_eagerly=model.run_eagerly,
        steps_per_execution=model.steps_per_execution,
    )
    return trainee


def _check_steps(kind):
    for step in overridden(kind, keras.Model, ("train_step", "compute_loss")):
        raise ValueError(
            f"A model with a `{step}` of its own can have no layer in front of it, "
            "whose model trains by Keras' own: give `recipes` without a layer. "
            f"Received: a {kind.__name__}"
        )
