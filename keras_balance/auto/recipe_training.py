"""One training of a classifier by a recipe."""

import keras
import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.all_seeded import all_seeded
from keras_balance.data.iterators import untuned
from keras_balance.models.adjust import gives_logits
from keras_balance.utils.overrides import overridden


def train(recipe, images, build, *, batch_size, steps, seed, verbose=0, callbacks=None):
    """Train a new classifier by a recipe.

    The same arguments give the same weights, whatever was trained before: it is what
    `recipe_code` prints, step by step.

    Args:
        recipe: `Recipe`.
        images: `LabelledImages` whose labels the model takes.
        build: Function without arguments that returns a compiled Keras model.
        batch_size: Images in a batch.
        steps: Optimiser steps, rounded to whole epochs of the feed.
        seed: Integer: of the first weights, the feed and the layer in front.
        verbose: As in `keras.Model.fit`.
        callbacks: Function from the feed to a list of Keras callbacks.

    Returns:
        `(model, feed)`: the trained model without the layer in front, which is
        inactive at inference, and the `BalancedDataset`.
    """
    with all_seeded(seed), untuned():  # as the code that is printed does
        model = checks.compiled_model(build(), "build")
        feed = recipe.feed(images, batch_size, seed)
        front = recipe.make_layer(images, seed)
        trainee = in_front(front, model, recipe.make_loss(feed, gives_logits(model)))
        build_by(trainee, images)  # a backup goes to weights that are there
        checks.never_trained(model, "build")
        made = callbacks(feed) if callbacks else []  # a backup moves the feed on
        trainee.fit(
            feed,
            epochs=epochs_of(feed, steps),
            initial_epoch=feed.epoch,
            shuffle=False,
            verbose=verbose,
            callbacks=made,
        )
    return model, feed


def build_by(model, images):
    """Give a model without an input its weights, by one of the images."""
    if not model.built:
        first = images.source.take(np.arange(1)).astype("float32")
        model(first, training=False)


def epochs_of(feed, steps):
    """Epochs of a feed that come nearest to a number of steps, 1 at least."""
    return max(1, round(steps / len(feed)))


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
