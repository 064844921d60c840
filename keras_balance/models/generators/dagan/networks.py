"""DAGAN's networks, as plain functions that return a `keras.Model`."""

import itertools

import keras
from keras import layers

from keras_balance.models.generators.networks import (
    convolution,
    crop,
    dense,
    features,
    grow,
    halvings,
)

_NOISE_CHANNELS = 16


def build_generator(image_shape, noise_dim, seed):
    """Build the map from an image and noise to another image of its class.

    A U-Net: what is lost by halving comes back from the layer of the same size. The
    noise enters where the image is smallest.
    """
    seeds = itertools.count(seed)
    image = keras.Input(image_shape)
    noise = keras.Input((noise_dim,))
    x, levels, filters = image, [image], 32
    for _ in range(halvings(image_shape)):
        x = convolution(x, filters, 3, seeds, strides=2)
        filters = 64
        x = convolution(x, filters, 3, seeds)
        levels.append(x)
    x = layers.Concatenate()([x, _as_map(noise, x.shape, seeds)])
    x = convolution(x, filters, 3, seeds)
    for level in reversed(levels[:-1]):
        filters = max(filters // 2, 16)
        x = layers.LeakyReLU(0.2)(grow(filters, seeds)(x))
        x = layers.Concatenate()([crop(x, level.shape[1:]), level])
        if level is not image:
            x = convolution(x, filters, 3, seeds)
    x = layers.Conv2D(
        image_shape[2],
        3,
        padding="same",
        data_format="channels_last",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        dtype="float32",
    )(x)
    # tanh(2 x) is all but x at -1 and 1: it begins near the image that it is given.
    copy = layers.Rescaling(2.0, dtype="float32")(image)
    x = layers.Add(dtype="float32")([x, copy])
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([image, noise], x, name="generator")


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
