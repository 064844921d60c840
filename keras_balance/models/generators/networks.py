"""Networks of the generators, as plain functions that return a `keras.Model`.

Images inside the networks are `(height, width, channels)` in [-1, 1].
"""

import itertools
import math

import keras
from keras import layers

_SMALLEST_GRID = 8


def halvings(image_shape):
    """How often an image is halved until no side is longer than 8, at least once."""
    return max(1, math.ceil(math.log2(max(image_shape[:2]) / _SMALLEST_GRID)))


def grid(image_shape):
    """Height and width of the feature map after all halvings."""
    factor = 2 ** halvings(image_shape)
    return tuple(math.ceil(side / factor) for side in image_shape[:2])


def build_encoder(image_shape, latent_dim, seed):
    """Build the map from image to code, 3 million multiply-adds at 28x28.

    One stride-2 convolution a halving, from 32 filters on, and one without
    stride at the end.
    """
    seeds = itertools.count(seed)
    inputs = keras.Input(image_shape)
    row = features(inputs, seeds)  # first, since it takes the first seeds
    code = dense(latent_dim, seeds, name="code")(row)
    return keras.Model(inputs, code, name="encoder")


def build_conditional_encoder(image_shape, num_classes, units, seed):
    """Build the same map from an image and its one-hot class."""
    seeds = itertools.count(seed)
    inputs = keras.Input(image_shape)
    classes = keras.Input((num_classes,))
    joined = layers.Concatenate()([features(inputs, seeds), classes])
    code = dense(units, seeds, name="code")(joined)
    return keras.Model([inputs, classes], code, name="encoder")


def features(x, seeds):
    """Pass an image through the encoder's convolutions, to a flat row."""
    image_shape, filters = x.shape[1:], 32
    for _ in range(halvings(image_shape)):
        x = convolution(x, filters, 3, seeds, strides=2)
        filters = 64
    x = convolution(x, filters, 3, seeds)
    return layers.Flatten()(x)


def build_decoder(image_shape, latent_dim, seed):
    """Build the map from code to image, 4 million multiply-adds at 28x28.

    Grows a small feature map by factors of two and crops to the image, so that
    any height and width is served. Nothing is convolved at full size, where it
    costs the most: the last growth is the image.
    """
    seeds = itertools.count(seed)
    rows, columns = grid(image_shape)
    filters = 64
    inputs = keras.Input((latent_dim,))
    x = dense(rows * columns * filters, seeds)(inputs)
    x = layers.LeakyReLU(0.2)(layers.Reshape((rows, columns, filters))(x))
    for _ in range(halvings(image_shape) - 1):
        filters = max(filters // 2, 16)
        x = layers.LeakyReLU(0.2)(grow(filters, seeds)(x))
    x = convolution(x, filters, 3, seeds)
    x = grow(image_shape[2], seeds, dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, crop(x, image_shape), name="decoder")


def dense(units, seeds, **kwargs):
    """Build a dense layer of the next seed."""
    initializer = keras.initializers.GlorotUniform(seed=next(seeds))
    return layers.Dense(units, kernel_initializer=initializer, **kwargs)


def conv(filters, size, seeds, **kwargs):
    """Build a convolution of the next seed."""
    return layers.Conv2D(
        filters,
        size,
        padding="same",
        data_format="channels_last",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        **kwargs,
    )


def grow(filters, seeds, **kwargs):
    """Build a layer that doubles height and width, each output of 2x2 inputs."""
    return layers.Conv2DTranspose(
        filters,
        4,
        strides=2,
        padding="same",
        data_format="channels_last",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        **kwargs,
    )


def convolution(x, filters, size, seeds, strides=1):
    """Convolve, and pass through a leaky rectifier."""
    return layers.LeakyReLU(0.2)(conv(filters, size, seeds, strides=strides)(x))


def crop(x, image_shape):
    """Crop a feature map to the height and width of an image."""
    extra = [x.shape[1] - image_shape[0], x.shape[2] - image_shape[1]]
    if not any(extra):
        return x
    cropping = [(side // 2, side - side // 2) for side in extra]
    return layers.Cropping2D(cropping, data_format="channels_last", dtype=x.dtype)(x)
