"""BAGAN's losses, each a formula of a paper."""

from keras import ops

from keras_balance.models.generators.losses import classification_loss


def reconstruction_loss(images, reconstructions):
    """Mean squared error a pixel: phase 1 of Mariani et al. 2018, section 3.1."""
    return ops.mean(ops.square(images - reconstructions))


def discriminator_loss(real_labels, real_logits, fake_logits, fake_share):
    """Real images in their class, generated ones in class n, "fake".

    `fake_share` is the weight of the generated images; the paper's batches hold
    about 1 / (n + 1) of them. Mariani et al. 2018, section 3.3.
    """
    fake_labels = ops.full((ops.shape(fake_logits)[0],), fake_logits.shape[1] - 1)
    real = classification_loss(real_labels, real_logits)
    fake = classification_loss(fake_labels, fake_logits)
    return (1 - fake_share) * real + fake_share * fake


def generator_loss(wanted_labels, fake_logits):
    """Ask for the wanted class: Mariani et al. 2018, section 3.3."""
    return classification_loss(wanted_labels, fake_logits)
