"""One training step of each phase of a CVAE-GAN, the same on every backend."""

from keras import ops

from keras_balance.models.generators import vae, variational
from keras_balance.models.generators.cvae_gan import losses
from keras_balance.models.generators.losses import classification_loss
from keras_balance.models.training.phases import Phase
from keras_balance.models.training.weights import move_average


def autoencoder_step(model, data):
    """Phase 1: the variational autoencoder, and the classifier of images."""
    logs = vae.autoencoder_step(model, data)
    images, labels = model.read_batch(data)
    return logs | model.track(c_loss=train_classifier(model, images, labels))


def gan_step(model, data):
    """Phase 2: classifier, discriminator, then encoder and generator."""
    images, labels = model.read_batch(data)
    classes = model.one_hot(labels)
    prior, noise = (model.noise(images, model.latent_dim) for _ in range(2))
    codes = model.gaussians.transform(prior, labels)
    joined = model.join(codes, classes)
    fakes = ops.stop_gradient(model.decoder(joined, training=True))
    c_loss = train_classifier(model, images, labels)
    d_loss = train_discriminator(model, images, fakes)
    g_loss = train_generator(model, images, classes, joined, noise)
    move_average(model.generator.variables, model.decoder.variables, model.ema_momentum)
    return model.track(c_loss=c_loss, d_loss=d_loss, g_loss=g_loss)


def train_classifier(model, images, labels):
    """One step on real images in their class."""
    images = model.augment(images)

    def loss_function():
        _, logits = model.classifier(images, training=True)
        return classification_loss(labels, logits)

    return model.minimize("classifier", loss_function)


def train_discriminator(model, images, fakes):
    """One step on real images and generated ones."""
    images, fakes = model.augment(images), model.augment(fakes)

    def loss_function():
        _, real_logits = model.discriminator(images, training=True)
        _, fake_logits = model.discriminator(fakes, training=True)
        return losses.discriminator_loss(real_logits, fake_logits)

    return model.minimize("discriminator", loss_function)


def train_generator(model, images, classes, joined, noise):
    """One step of encoder and generator, on the sum of their weighted losses."""
    real = [_features(model.discriminator, images), _features(model.classifier, images)]

    def loss_function():
        means, log_variances = model.posterior(images, classes, training=True)
        codes = variational.sample(means, log_variances, noise)
        copies = model.decoder(model.join(codes, classes), training=True)
        fakes = model.decoder(joined, training=True)
        networks = model.discriminator, model.classifier
        of_copies = [_features(network, copies) for network in networks]
        of_fakes = [_features(network, fakes) for network in networks]
        divergence = variational.kl_divergence(means, log_variances) / model.latent_dim
        return (
            model.divergence_weight * divergence
            + losses.pairwise_loss(images, copies, real, of_copies)
            + model.matching_weight * losses.mean_matching_loss(real[0], of_fakes[0])
            + model.matching_weight
            * losses.class_matching_loss(real[1], of_fakes[1], classes)
        )

    return model.minimize("generator", loss_function)


def _features(network, images):
    features, _ = network(images, training=True)
    return ops.cast(features, "float32")


PHASES = (
    Phase("autoencoder", autoencoder_step, ("classifier", "autoencoder"), steps=1500),
    Phase(
        "gan",
        gan_step,
        ("classifier", "discriminator", "generator"),
        steps=500,
        is_adversarial=True,
    ),
)
