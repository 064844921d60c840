"""BAGAN as it was published, to compare with."""

import keras

from keras_balance.models.generators.bagan import networks
from keras_balance.models.generators.bagan.bagan import BAGAN
from keras_balance.models.generators.class_gaussians import ClassGaussians
from keras_balance.utils.seeds import check_seed

_LATENT_DIM = 100
_LEARNING_RATE = 5e-5


def published_bagan(image_shape, num_classes, value_range=(0, 255), seed=None):
    """Build and compile BAGAN as Mariani et al. published it.

    Their networks but for details (a generator of 8.2 million weights and 810 million
    multiply-adds at 28x28, here with leaky rectifiers, and none behind its dense
    layers), losses, optimizers and sampling: batches of natural frequency, the
    plain class covariances, no augmentation, and the last weights. They train it for
    150 epochs, which takes hours on two cores for a few thousand images; `BAGAN` is
    what to use.

    Args:
        image_shape: As for `BAGAN`.
        num_classes: As for `BAGAN`.
        value_range: As for `BAGAN`.
        seed: Integer or None.

    Returns:
        A compiled `BAGAN`.

    Example:
        >>> bagan = kb.models.published_bagan((28, 28, 1), num_classes=10)
        >>> bagan.fit(x_train, y_train, autoencoder_epochs=150, epochs=150)

    Reference:
        Mariani et al. 2018, "BAGAN: Data Augmentation with Balancing GAN".
    """
    shape = tuple(image_shape)
    if keras.config.image_data_format() == "channels_first":
        shape = (*shape[1:], shape[0])
    network_seed = check_seed(seed)
    bagan = BAGAN(
        image_shape,
        num_classes,
        latent_dim=_LATENT_DIM,
        value_range=value_range,
        encoder=networks.build_published_encoder(shape, _LATENT_DIM, network_seed),
        decoder=networks.build_published_decoder(shape, _LATENT_DIM, network_seed + 1),
        augmentation=None,
        gaussians=ClassGaussians(shrinkage=0, widening=0, truncation=None),
        candidates=0,
        balanced=False,
        seed=seed,
        name="published_bagan",
    )
    bagan.compile(
        *(keras.optimizers.Adam(_LEARNING_RATE, 0.5) for _ in range(3)),
        code_noise=0,
        code_penalty=0,
        label_weight=0,
        fake_share=1 / (num_classes + 1),
        anchor_weight=0,
        ema_momentum=0,
    )
    return bagan
