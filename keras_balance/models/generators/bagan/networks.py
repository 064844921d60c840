"""BAGAN's own networks: discriminator, classifier of the code, the published ones."""

import itertools

import keras
import numpy as np
from keras import layers

from keras_balance.models.generators import checks, networks


def build_all(image_shape, latent_dim, num_classes, seed, encoder=None, decoder=None):
    """Build a BAGAN's networks, or take those of the user.

    Returns:
        `(encoder, decoder, label head, discriminator)`.

    Raises:
        TypeError: When a network of the user's is no built model.
        ValueError: When it does not fit the shapes.
    """
    encoder = encoder or networks.build_encoder(image_shape, latent_dim, seed)
    decoder = decoder or networks.build_decoder(image_shape, latent_dim, seed + 100)
    checks.network("encoder", encoder, image_shape, (latent_dim,))
    checks.network("decoder", decoder, (latent_dim,), image_shape)
    label_head = build_label_head(latent_dim, num_classes, seed + 200)
    discriminator = build_discriminator(encoder, num_classes, seed + 300)
    return encoder, decoder, label_head, discriminator


def build_published_encoder(image_shape, latent_dim, seed):
    """Build the published trunk, with dropout, and a linear code (Mariani et al.)."""
    seeds = itertools.count(seed)
    inputs = keras.Input(image_shape)
    x = inputs
    for filters, strides in ((32, 2), (64, 1), (128, 2), (256, 1)):
        x = networks.convolution(x, filters, 3, seeds, strides=strides)
        x = layers.Dropout(0.3, seed=next(seeds))(x)
    code = networks.dense(latent_dim, seeds, name="code")(layers.Flatten()(x))
    return keras.Model(inputs, code, name="encoder")


def build_published_decoder(image_shape, latent_dim, seed):
    """Build the published generator, 8.2 million weights at 28x28 (Mariani et al.)."""
    seeds = itertools.count(seed)
    rows, columns = networks.grid(image_shape)
    inputs = keras.Input((latent_dim,))
    x = networks.dense(1024, seeds)(inputs)
    x = networks.dense(128 * rows * columns, seeds)(x)
    x = layers.Reshape((rows, columns, 128))(x)
    filters = 256
    for _ in range(networks.halvings(image_shape)):
        x = layers.UpSampling2D(2, data_format="channels_last")(x)
        x = networks.convolution(x, filters, 5, seeds)
        filters = max(filters // 2, 16)
    return keras.Model(
        inputs, _image(networks.crop(x, image_shape), image_shape, 2, seeds)
    )


def build_discriminator(encoder, num_classes, seed):
    """Copy the encoder's architecture, with n + 1 logits in place of the code."""
    trunk = keras.Model(encoder.inputs[0], encoder.layers[-1].input)
    trunk = keras.models.clone_model(trunk)
    logits = networks.dense(num_classes + 1, itertools.count(seed), dtype="float32")
    return keras.Model(trunk.input, logits(trunk.output), name="discriminator")


def build_label_head(latent_dim, num_classes, seed):
    """Build logits of the class from the code, to keep classes apart in it."""
    inputs = keras.Input((latent_dim,))
    logits = networks.dense(num_classes, itertools.count(seed), dtype="float32")
    return keras.Model(inputs, logits(inputs), name="label_head")


def inherit_trunk(discriminator, encoder):
    """Start the discriminator from the encoder's weights, its last layer apart."""
    pairs = zip(
        _weights_but_the_last(discriminator),
        _weights_but_the_last(encoder),
        strict=True,
    )
    for own, inherited in pairs:
        own.assign(np.array(keras.ops.convert_to_numpy(inherited)))


def _weights_but_the_last(network):
    return [weight for layer in network.layers[:-1] for weight in layer.weights]


def _image(x, image_shape, size, seeds):
    x = networks.conv(image_shape[2], size, seeds, dtype="float32")(x)
    return layers.Activation("tanh", dtype="float32")(x)
