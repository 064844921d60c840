"""CVAE-GAN's own networks: a trunk with two outputs, its features and logits."""

import itertools

import keras

from keras_balance.models.generators.networks import dense, features


def build_judge(image_shape, units, seed, name):
    """Build the map from an image to features and logits.

    Args:
        image_shape: Shape of an image, channels last.
        units: Number of logits: 1 for a discriminator, one a class for a classifier.
        seed: Integer.
        name: Name of the network.
    """
    seeds = itertools.count(seed)
    inputs = keras.Input(image_shape)
    row = features(inputs, seeds)
    logits = dense(units, seeds, dtype="float32")(row)
    return keras.Model(inputs, [row, logits], name=name)
