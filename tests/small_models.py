"""Small networks that tests in several rooms train: quick to build, to run, to save."""

import math

import keras


def dense_encoder(image_shape, latent_dim, seed=0):
    """An encoder of one layer."""
    start = keras.initializers.GlorotUniform(seed)
    code = keras.layers.Dense(latent_dim, kernel_initializer=start)
    return keras.Sequential(
        [keras.Input(tuple(image_shape)), keras.layers.Flatten(), code]
    )


def dense_decoder(image_shape, latent_dim, seed=0):
    """A decoder of one layer."""
    pixels = keras.layers.Dense(
        math.prod(image_shape),
        "tanh",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        dtype="float32",
    )
    reshape = keras.layers.Reshape(image_shape, dtype="float32")
    return keras.Sequential([keras.Input((latent_dim,)), pixels, reshape])


def dense_networks(image_shape=(8, 8, 1), latent_dim=4):
    """Arguments of a BAGAN."""
    return {
        "latent_dim": latent_dim,
        "encoder": dense_encoder(image_shape, latent_dim),
        "decoder": dense_decoder(image_shape, latent_dim),
    }
