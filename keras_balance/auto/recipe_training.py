"""One training of a classifier by a recipe."""

import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.all_seeded import all_seeded
from keras_balance.data.iterators import untuned


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
        trainee = recipe.put_on(model, feed, images, seed)
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
