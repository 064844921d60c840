"""CVAE-GAN's losses, each a formula of Bao et al. 2017.

Norms are means over the entries where the paper has sums, so that a weight means the
same at any size of image.
"""

from keras import ops


def discriminator_loss(real_logits, fake_logits):
    """Cross-entropy of real and generated images, L_D."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def pairwise_loss(image, reconstruction, real_features, fake_features):
    """Match each image and its reconstruction, in pixels and features, L_G.

    Args:
        image: Images, tensor.
        reconstruction: What encoder and generator make of them.
        real_features: List of features of the images, the discriminator's and the
            classifier's.
        fake_features: The same of the reconstructions.
    """
    pairs = [(image, reconstruction), *zip(real_features, fake_features, strict=True)]
    return 0.5 * sum(ops.mean(ops.square(one - other)) for one, other in pairs)


def mean_matching_loss(real_features, fake_features):
    """Match the discriminator's mean features over the batch, L_GD."""
    difference = ops.mean(real_features, axis=0) - ops.mean(fake_features, axis=0)
    return 0.5 * ops.mean(ops.square(difference))


def class_matching_loss(real_features, fake_features, classes):
    """Match the classifier's mean features of each class, L_GC.

    Args:
        real_features: Features `(n, d)` of real images.
        fake_features: Features `(n, d)` of images generated of the same classes.
        classes: Their one-hot classes `(n, num_classes)`.
    """
    counts = ops.maximum(ops.sum(classes, axis=0), 1.0)
    shares = ops.transpose(classes / counts)
    difference = ops.matmul(shares, real_features - fake_features)
    present = ops.maximum(ops.sum(ops.max(classes, axis=0)), 1.0)
    return 0.5 * ops.sum(ops.mean(ops.square(difference), axis=1)) / present
