"""DAGAN's losses, each a formula of a paper, and its training steps."""

import keras
import numpy as np
from keras import ops

from keras_balance.models.generators.variational import (
    kl_divergence,
    negative_log_likelihood,
    posterior,
    sample,
)
from keras_balance.models.training import gradients
from keras_balance.models.training.phases import Phase
from keras_balance.models.training.weights import move_average

_SCALES = 3


def critic_loss(real_scores, fake_scores):
    """Estimate the Wasserstein distance, negative: Arjovsky et al. 2017.

    The scores are those of pairs, two real images of a class, or a real one and one
    that was made of it: Antoniou et al. 2018.
    """
    return ops.mean(fake_scores) - ops.mean(real_scores)


def gradient_penalty(slopes):
    """Hold the critic's slope to 1: Gulrajani et al. 2017, equation 3.

    Args:
        slopes: Gradients of its scores by images between real and generated ones.
    """
    squares = ops.sum(ops.square(slopes), axis=(1, 2, 3))
    return ops.mean(ops.square(ops.sqrt(squares + 1e-12) - 1.0))


def generator_loss(fake_scores):
    """Raise the scores of pairs with what is made: Antoniou et al. 2018."""
    return -ops.mean(fake_scores)


def partners(labels, seed):
    """For each row another one of its class; itself where it is alone in the batch."""
    count = ops.shape(labels)[0]
    alike = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 0))
    scores = keras.random.uniform((count, count), seed=seed, dtype="float32") + 1.0
    scores = ops.where(alike, scores, 0.0)
    return ops.argmax(ops.where(ops.eye(count, dtype="bool"), 0.5, scores), axis=1)


def mismatch(images, made):
    """Mean squared error, at full size and with the sides halved once and twice.

    The coarser ones see a stroke that lies beside its place, and draw it there.
    """
    errors = ops.square(images - made)
    total, scales = ops.mean(errors), 1
    while scales < _SCALES and min(images.shape[1:3]) > 3:
        images, made = (
            ops.average_pool(one, 2, strides=2, data_format="channels_last")
            for one in (images, made)
        )
        total, scales = total + ops.mean(ops.square(images - made)), scales + 1
    return total / scales


def autoencoder_step(dagan, data):
    """Phase 1: make of each image another one of its class: Sohn et al. 2015.

    A variational autoencoder of the second image given the first. Its code is the
    noise, which the reader tells from the two.
    """
    images, labels = dagan.read_batch(data)
    others = ops.take(images, partners(labels, dagan.seeds), axis=0)
    noise = dagan.noise(images, dagan.noise_dim)
    pixels = np.prod(images.shape[1:])

    def loss_function():
        read = dagan.reader([images, others], training=True)
        means, log_variances = posterior(read)
        codes = sample(means, log_variances, noise)
        made = dagan.trained([images, codes], training=True)
        loss = negative_log_likelihood(mismatch(others, made), pixels)
        return loss + dagan.kl_weight * kl_divergence(means, log_variances)

    return dagan.track(autoencoder_loss=dagan.minimize("autoencoder", loss_function))


def gan_step(dagan, data):
    """Phase 2: the critic on pairs, some times, the generator, then its average."""
    images, labels = dagan.read_batch(data)
    for _ in range(dagan.critic_steps):
        others = ops.take(images, partners(labels, dagan.seeds), axis=0)
        fakes = ops.stop_gradient(make(dagan, images))
        d_loss = train_critic(dagan, images, others, fakes)
    g_loss = train_generator(dagan, images)
    move_average(dagan.generator.variables, dagan.trained.variables, dagan.ema_momentum)
    return dagan.track(d_loss=d_loss, g_loss=g_loss)


def make(dagan, images):
    """One image of the class of each, by fresh noise."""
    noise = dagan.noise(images, dagan.noise_dim)
    return dagan.trained([images, noise], training=True)


def train_critic(dagan, images, others, fakes):
    """One step on real pairs, and on pairs of a real and a generated image."""
    others, fakes = dagan.augment(others), dagan.augment(fakes)
    shares = keras.random.uniform(
        (ops.shape(images)[0], 1, 1, 1), seed=dagan.seeds, dtype="float32"
    )
    between = ops.stop_gradient(shares * others + (1 - shares) * fakes)

    def score(seconds):
        return dagan.critic([images, seconds], training=True)

    def loss_function():
        loss = critic_loss(score(others), score(fakes))
        if not dagan.penalty_weight:
            return loss
        slopes = gradients.differentiate(score, between)
        return loss + dagan.penalty_weight * gradient_penalty(slopes)

    return dagan.minimize("critic", loss_function)


def train_generator(dagan, images):
    """One step towards images that pass for others of the same class."""
    noise = dagan.noise(images, dagan.noise_dim)

    def loss_function():
        fakes = dagan.augment(dagan.trained([images, noise], training=True))
        return generator_loss(dagan.critic([images, fakes], training=True))

    return dagan.minimize("generator", loss_function)


PHASES = (
    Phase("autoencoder", autoencoder_step, ("autoencoder",), steps=1500),
    Phase("gan", gan_step, ("critic", "generator"), steps=1000, is_adversarial=True),
)
