"""One training step of each phase, the same on every backend."""

import keras
from keras import ops

from keras_balance.models.generators.bagan import losses
from keras_balance.models.generators.losses import classification_loss
from keras_balance.models.training.phases import Phase
from keras_balance.models.training.weights import move_average


def autoencoder_step(bagan, data):
    """Phase 1: encoder and decoder, and a classifier of the code."""
    images, labels = bagan.read_batch(data)
    images = bagan.augment(images)
    noise = bagan.noise(images, bagan.latent_dim, bagan.code_noise)

    def loss_function():
        codes = ops.cast(bagan.encoder(images, training=True), "float32")
        reconstructions = bagan.decoder(codes + noise, training=True)
        logits = bagan.label_head(codes, training=True)
        return (
            losses.reconstruction_loss(images, reconstructions)
            + bagan.label_weight * classification_loss(labels, logits)
            + bagan.code_penalty * ops.mean(ops.square(codes))
        )

    return bagan.track(autoencoder_loss=bagan.minimize("autoencoder", loss_function))


def gan_step(bagan, data):
    """Phase 2: the discriminator, then the generator, then its average."""
    images, labels = bagan.read_batch(data)
    wanted = keras.random.randint(
        ops.shape(labels), 0, bagan.num_classes, seed=bagan.seeds, dtype="int32"
    )
    codes = bagan.gaussians.transform(bagan.noise(wanted, bagan.latent_dim), wanted)
    fakes = ops.stop_gradient(bagan.decoder(codes, training=True))
    d_loss = train_discriminator(bagan, images, labels, fakes)
    g_loss = train_generator(bagan, images, codes, wanted)
    move_average(bagan.generator.variables, bagan.decoder.variables, bagan.ema_momentum)
    return bagan.track(d_loss=d_loss, g_loss=g_loss)


def train_discriminator(bagan, images, labels, fakes):
    """One step on real images in their class and generated ones as "fake"."""
    images, fakes = bagan.augment(images), bagan.augment(fakes)

    def loss_function():
        real_logits = bagan.discriminator(images, training=True)
        fake_logits = bagan.discriminator(fakes, training=True)
        return losses.discriminator_loss(
            labels, real_logits, fake_logits, bagan.fake_share
        )

    return bagan.minimize("discriminator", loss_function)


def train_generator(bagan, images, codes, wanted):
    """One step towards the wanted classes, held to the reconstruction of images."""
    real_codes = ops.stop_gradient(bagan.encoder(images))

    def loss_function():
        fakes = bagan.augment(bagan.decoder(codes, training=True))
        logits = bagan.discriminator(fakes, training=True)
        loss = losses.generator_loss(wanted, logits)
        if not bagan.anchor_weight:
            return loss
        reconstructions = bagan.decoder(real_codes, training=True)
        anchor = losses.reconstruction_loss(images, reconstructions)
        return loss + bagan.anchor_weight * anchor

    return bagan.minimize("generator", loss_function)


PHASES = (
    Phase("autoencoder", autoencoder_step, ("autoencoder",), steps=1500),
    Phase(
        "gan",
        gan_step,
        ("discriminator", "generator"),
        steps=250,
        is_adversarial=True,
    ),
)
