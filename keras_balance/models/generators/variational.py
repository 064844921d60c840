"""What variational autoencoders share: codes, how they are drawn, and two losses."""

from keras import ops

LOG_BOUND = 8.0  # of the log variances, so that no half overflows
_LEAST_ERROR = 1e-5


def posterior(outputs):
    """Means and log variances of codes, of what a network gives side by side."""
    means, log_variances = ops.split(ops.cast(outputs, "float32"), 2, axis=1)
    return means, ops.clip(log_variances, -LOG_BOUND, LOG_BOUND)


def kl_divergence(means, log_variances):
    """KL(N(m, s^2) || N(0, 1)), summed over the code and averaged over the batch.

    Kingma and Welling 2014, appendix B.
    """
    terms = ops.square(means) + ops.exp(log_variances) - log_variances - 1.0
    return 0.5 * ops.mean(ops.sum(terms, axis=1))


def negative_log_likelihood(error, pixels):
    """Of images under a Gaussian around what is made of them, up to a constant.

    Its variance is the most likely one for the batch, the mean squared error: D / 2
    log MSE for D pixels, so that no weight has to be found between the likelihood
    and the KL divergence. Rybkin et al. 2021, "Simple and Effective VAE Training with
    Calibrated Decoders".

    Args:
        error: Mean squared error of the batch.
        pixels: Number of values in an image.
    """
    return 0.5 * float(pixels) * ops.log(error + _LEAST_ERROR)


def sample(means, log_variances, noise):
    """Codes by the reparameterisation trick: Kingma and Welling 2014, section 2.4."""
    return means + ops.exp(0.5 * log_variances) * noise
