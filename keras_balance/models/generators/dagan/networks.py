"""DAGAN's networks, as plain functions that return a `keras.Model`."""

import itertools

import keras
from keras import layers

from keras_balance.models.generators.dagan.move_pixels import MovePixels
from keras_balance.models.generators.networks import (
    conv,
    convolution,
    dense,
    features,
    halvings,
)

_NOISE_CHANNELS = 16
_REACH = 0.15  # of a shift of 1, in parts of the image


def build_generator(image_shape, noise_dim, seed):
    """Build the map from an image and noise to another image of its class.

    It tells from both where pixels go, on a grid of at most 8 by 8, and moves them.
    """
    seeds = itertools.count(seed)
    image = keras.Input(image_shape)
    noise = keras.Input((noise_dim,))
    x, filters = image, 32
    for _ in range(halvings(image_shape)):
        x = convolution(x, filters, 3, seeds, strides=2)
        filters = 64
    x = layers.Concatenate()([x, _as_map(noise, x.shape, seeds)])
    x = convolution(x, filters, 3, seeds)
    x = convolution(x, filters, 3, seeds)
    shifts = conv(2, 3, seeds, dtype="float32")(x)
    shifts = layers.Rescaling(_REACH, dtype="float32")(shifts)
    moved = MovePixels(dtype="float32")([image, shifts])
    return keras.Model([image, noise], moved, name="generator")


def build_reader(image_shape, noise_dim, seed):
    """Build the map from two images of a class to the noise between them.

    It gives means and log variances, side by side.
    """
    seeds = itertools.count(seed)
    images = [keras.Input(image_shape) for _ in range(2)]
    row = features(layers.Concatenate()(images), seeds)
    return keras.Model(images, dense(2 * noise_dim, seeds)(row), name="reader")


def build_critic(image_shape, seed):
    """Build the map from two images of a class to how real the second looks."""
    seeds = itertools.count(seed)
    images = [keras.Input(image_shape) for _ in range(2)]
    x = features(layers.Concatenate()(images), seeds)
    return keras.Model(images, dense(1, seeds, dtype="float32")(x), name="critic")


def _as_map(noise, shape, seeds):
    rows, columns = shape[1:3]
    x = dense(rows * columns * _NOISE_CHANNELS, seeds)(noise)
    return layers.Reshape((rows, columns, _NOISE_CHANNELS))(x)
