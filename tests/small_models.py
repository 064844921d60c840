"""Small networks that tests in several rooms train: quick to build, to run, to save."""

import math

import keras

# A few steps take less than to compile them, but on JAX, which compiles each operation.
EAGERLY = keras.backend.backend() != "jax"


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


def dense_conditional_encoder(image_shape, num_classes, units, seed=0):
    """An encoder of one layer, of an image and its one-hot class."""
    inputs = [keras.Input(tuple(image_shape)), keras.Input((num_classes,))]
    row = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    return keras.Model(inputs, dense(units, seed)(row))


def dense_judge(image_shape, units, seed=0, name=None):
    """CVAE-GAN's features, which are the pixels, and logits of one layer."""
    image = keras.Input(tuple(image_shape))
    row = keras.layers.Flatten()(image)
    return keras.Model(image, [row, dense(units, seed, dtype="float32")(row)])


def dense_varier(image_shape, noise_dim, seed=0):
    """DAGAN's generator of one layer, of an image and noise."""
    inputs = [keras.Input(tuple(image_shape)), keras.Input((noise_dim,))]
    row = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    pixels = dense(math.prod(image_shape), seed, activation="tanh", dtype="float32")
    reshape = keras.layers.Reshape(image_shape, dtype="float32")
    return keras.Model(inputs, reshape(pixels(row)))


def dense_reader(image_shape, noise_dim, seed=0):
    """DAGAN's reader of one layer, of two images."""
    images = [keras.Input(tuple(image_shape)) for _ in range(2)]
    row = keras.layers.Flatten()(keras.layers.Concatenate()(images))
    return keras.Model(images, dense(2 * noise_dim, seed)(row))


def dense_critic(image_shape, seed=0):
    """DAGAN's critic of one layer, of two images."""
    images = [keras.Input(tuple(image_shape)) for _ in range(2)]
    row = keras.layers.Flatten()(keras.layers.Concatenate()(images))
    return keras.Model(images, dense(1, seed, dtype="float32")(row))


def dense(units, seed, **kwargs):
    start = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(units, kernel_initializer=start, **kwargs)


def dense_networks(image_shape=(8, 8, 1), latent_dim=4):
    """Arguments of a BAGAN."""
    return {
        "latent_dim": latent_dim,
        "encoder": dense_encoder(image_shape, latent_dim),
        "decoder": dense_decoder(image_shape, latent_dim),
    }


def small_convnet(shape, num_classes):
    """In place of the paper's ConvNet: one layer, compiled."""
    model = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, "softmax", kernel_initializer="zeros"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model
