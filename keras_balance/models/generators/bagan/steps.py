"""One training step of each phase, the same on every backend."""

import keras
from keras import ops

from keras_balance.models.generators.bagan import losses
from keras_balance.models.training import gradients


def autoencoder_step(bagan, data):
    """Phase 1: encoder and decoder, and a classifier of the code."""
    images, labels = real_batch(bagan, data)
    images = _augment(bagan, images)
    shape = (ops.shape(images)[0], bagan.latent_dim)
    noise = keras.random.normal(shape, stddev=bagan.code_noise, seed=bagan.seeds)

    def loss_function():
        codes = ops.cast(bagan.encoder(images, training=True), "float32")
        reconstructions = bagan.decoder(codes + noise, training=True)
        logits = bagan.label_head(codes, training=True)
        return (
            losses.reconstruction_loss(images, reconstructions)
            + bagan.label_weight * losses.classification_loss(labels, logits)
            + bagan.code_penalty * ops.mean(ops.square(codes))
        )

    optimizer = bagan.optimizer.autoencoder
    loss = gradients.minimize(
        bagan, loss_function, optimizer, bagan.autoencoder_variables
    )
    return _track(bagan, autoencoder_loss=loss)


def gan_step(bagan, data):
    """Phase 2: the discriminator, then the generator, then its average."""
    images, labels = real_batch(bagan, data)
    wanted = keras.random.randint(
        ops.shape(labels), 0, bagan.num_classes, seed=bagan.seeds, dtype="int32"
    )
    codes = _sample_codes(bagan, wanted)
    fakes = ops.stop_gradient(bagan.decoder(codes, training=True))
    d_loss = train_discriminator(bagan, images, labels, fakes)
    g_loss = train_generator(bagan, images, codes, wanted)
    _average_generator(bagan)
    return _track(bagan, d_loss=d_loss, g_loss=g_loss)


def train_discriminator(bagan, images, labels, fakes):
    """One step on real images in their class and generated ones as "fake"."""
    images, fakes = _augment(bagan, images), _augment(bagan, fakes)

    def loss_function():
        real_logits = bagan.discriminator(images, training=True)
        fake_logits = bagan.discriminator(fakes, training=True)
        return losses.discriminator_loss(
            labels, real_logits, fake_logits, bagan.fake_share
        )

    variables = bagan.discriminator.trainable_variables
    return gradients.minimize(
        bagan, loss_function, bagan.optimizer.discriminator, variables
    )


def train_generator(bagan, images, codes, wanted):
    """One step towards the wanted classes, held to the reconstruction of images."""
    real_codes = ops.stop_gradient(bagan.encoder(images))

    def loss_function():
        fakes = _augment(bagan, bagan.decoder(codes, training=True))
        logits = bagan.discriminator(fakes, training=True)
        loss = losses.generator_loss(wanted, logits)
        if not bagan.anchor_weight:
            return loss
        reconstructions = bagan.decoder(real_codes, training=True)
        anchor = losses.reconstruction_loss(images, reconstructions)
        return loss + bagan.anchor_weight * anchor

    variables = bagan.decoder.trainable_variables
    return gradients.minimize(
        bagan, loss_function, bagan.optimizer.generator, variables
    )


def real_batch(bagan, data):
    """Images for the networks and class indices `(n,)` of a batch."""
    images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    if len(labels.shape) == 2 and labels.shape[1] == bagan.num_classes:
        labels = ops.argmax(labels, axis=1)
    labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
    return bagan.to_network(images), labels


def _augment(bagan, images):
    if bagan.augment_layer is None:
        return images
    # Under a mixed policy, layers give halves; losses are counted in full precision.
    return ops.cast(bagan.augment_layer(images, training=True), "float32")


def _sample_codes(bagan, labels):
    shape = (ops.shape(labels)[0], bagan.latent_dim)
    noise = keras.random.normal(shape, seed=bagan.seeds)
    distance = ops.norm(noise, axis=1, keepdims=True)
    noise = noise * ops.minimum(1.0, bagan.radius / distance)
    factors = ops.take(bagan.factors, labels, axis=0)
    deviations = ops.einsum("nij,nj->ni", factors, noise)
    return ops.take(bagan.means, labels, axis=0) + deviations


def _average_generator(bagan):
    momentum = bagan.ema_momentum
    pairs = zip(bagan.generator.variables, bagan.decoder.variables, strict=True)
    for average, weight in pairs:
        average.assign(momentum * average + (1 - momentum) * weight)


def _track(bagan, **values):
    for key, value in values.items():
        bagan.trackers[key].update_state(value)
    return {key: bagan.trackers[key].result() for key in values}
