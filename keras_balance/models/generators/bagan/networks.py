"""BAGAN's networks, as plain functions that return a `keras.Model`.

Images inside the networks are `(height, width, channels)` in [-1, 1].
"""

import itertools
import math

import keras
import numpy as np
from keras import layers

_SMALLEST_GRID = 8
_FEW = 4  # batches that are run before `predict` would have compiled


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
    x = inputs
    filters = 32
    for _ in range(halvings(image_shape)):
        x = _convolution(x, filters, 3, seeds, strides=2)
        filters = 64
    x = _convolution(x, filters, 3, seeds)
    code = _dense(latent_dim, seeds, name="code")(layers.Flatten()(x))
    return keras.Model(inputs, code, name="encoder")


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
    x = _dense(rows * columns * filters, seeds)(inputs)
    x = layers.LeakyReLU(0.2)(layers.Reshape((rows, columns, filters))(x))
    for _ in range(halvings(image_shape) - 1):
        filters = max(filters // 2, 16)
        x = layers.LeakyReLU(0.2)(_growth(filters, seeds)(x))
    x = _convolution(x, filters, 3, seeds)
    x = _growth(image_shape[2], seeds, dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, _crop(x, image_shape), name="decoder")


def build_published_encoder(image_shape, latent_dim, seed):
    """Build the published trunk, with dropout, and a linear code (Mariani et al.)."""
    seeds = itertools.count(seed)
    inputs = keras.Input(image_shape)
    x = inputs
    for filters, strides in ((32, 2), (64, 1), (128, 2), (256, 1)):
        x = _convolution(x, filters, 3, seeds, strides=strides)
        x = layers.Dropout(0.3, seed=next(seeds))(x)
    code = _dense(latent_dim, seeds, name="code")(layers.Flatten()(x))
    return keras.Model(inputs, code, name="encoder")


def build_published_decoder(image_shape, latent_dim, seed):
    """Build the published generator, 8.2 million weights at 28x28 (Mariani et al.)."""
    seeds = itertools.count(seed)
    rows, columns = grid(image_shape)
    inputs = keras.Input((latent_dim,))
    x = _dense(1024, seeds)(inputs)
    x = _dense(128 * rows * columns, seeds)(x)
    x = layers.Reshape((rows, columns, 128))(x)
    filters = 256
    for _ in range(halvings(image_shape)):
        x = layers.UpSampling2D(2, data_format="channels_last")(x)
        x = _convolution(x, filters, 5, seeds)
        filters = max(filters // 2, 16)
    return keras.Model(inputs, _image(_crop(x, image_shape), image_shape, 2, seeds))


def build_discriminator(encoder, num_classes, seed):
    """Copy the encoder's architecture, with n + 1 logits in place of the code."""
    trunk = keras.Model(encoder.inputs[0], encoder.layers[-1].input)
    trunk = keras.models.clone_model(trunk)
    logits = _dense(num_classes + 1, itertools.count(seed), dtype="float32")
    return keras.Model(trunk.input, logits(trunk.output), name="discriminator")


def build_label_head(latent_dim, num_classes, seed):
    """Build logits of the class from the code, to keep classes apart in it."""
    inputs = keras.Input((latent_dim,))
    logits = _dense(num_classes, itertools.count(seed), dtype="float32")
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


def predict(network, inputs, batch_size):
    """Run a network over an array in batches of one shape, so it compiles once."""
    padding = np.zeros((-len(inputs) % batch_size, *inputs.shape[1:]), "float32")
    padded = np.concatenate([inputs, padding])
    if len(padded) > _FEW * batch_size:
        outputs = network.predict(padded, batch_size=batch_size, verbose=0)
        return outputs[: len(inputs)]
    outputs = [np.empty((0, *network.output_shape[1:]), "float32")]
    for start in range(0, len(padded), batch_size):
        batch = network(padded[start : start + batch_size], training=False)
        outputs.append(keras.ops.convert_to_numpy(batch))
    return np.concatenate(outputs)[: len(inputs)]


def copy_weights(source, target):
    """Give `target` the weights of `source`.

    By way of a copy: `get_weights` may hand out the memory of the variables, which
    an optimizer would then write for both.
    """
    target.set_weights(snapshot(source))


def snapshot(model):
    """Weights as NumPy arrays that do not change when the model trains on."""
    return [np.array(weight) for weight in model.get_weights()]


def _weights_but_the_last(network):
    return [weight for layer in network.layers[:-1] for weight in layer.weights]


def _dense(units, seeds, **kwargs):
    initializer = keras.initializers.GlorotUniform(seed=next(seeds))
    return layers.Dense(units, kernel_initializer=initializer, **kwargs)


def _conv(filters, size, seeds, **kwargs):
    return layers.Conv2D(
        filters,
        size,
        padding="same",
        data_format="channels_last",
        kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
        **kwargs,
    )


def _growth(filters, seeds, **kwargs):
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


def _convolution(x, filters, size, seeds, strides=1):
    return layers.LeakyReLU(0.2)(_conv(filters, size, seeds, strides=strides)(x))


def _image(x, image_shape, size, seeds):
    x = _conv(image_shape[2], size, seeds, dtype="float32")(x)
    return layers.Activation("tanh", dtype="float32")(x)


def _crop(x, image_shape):
    extra = [x.shape[1] - image_shape[0], x.shape[2] - image_shape[1]]
    if not any(extra):
        return x
    cropping = [(side // 2, side - side // 2) for side in extra]
    return layers.Cropping2D(cropping, data_format="channels_last")(x)
