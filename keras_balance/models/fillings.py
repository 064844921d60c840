"""The fillings that a generator makes, alone or in part."""

from keras_balance.data import AugmentedSynthesizer
from keras_balance.data.synthesis.registry import Filling
from keras_balance.models.generators.bagan.bagan import BAGAN
from keras_balance.models.generators.dagan.dagan import DAGAN

_BATCH_SIZE = 64


def _bagan(images, seed):
    """Fit a BAGAN without its GAN."""
    return _fitted(BAGAN, images, seed, epochs=0)


def _dagan(images, seed):
    """Fit a DAGAN, which moves the pixels of real images."""
    return _fitted(DAGAN, images, seed)


def _fitted(kind, images, seed, **epochs):
    """Fit a generator to `LabelledImages`."""
    generator = kind(
        images.image_shape,
        images.num_classes,
        value_range=images.value_range,
        class_names=images.encoding.classes,
        data_format=images.data_format,
        seed=seed,
    )
    generator.fit(images, batch_size=_BATCH_SIZE, verbose=0, **epochs)
    return generator


# The less is left to a generator, the simpler: one half of the images, all but their
# pose, all.
FILLINGS = [
    Filling(
        "half bagan+manual, half manual",
        lambda images, seed, both, manual: {both: 0.5, manual: 0.5},
        60,
        needs=("bagan+manual", "manual"),
        roles=("auto",),
    ),
    Filling(
        "bagan+manual",
        lambda images, seed, bagan, manual: AugmentedSynthesizer(bagan, manual),
        70,
        needs=("bagan", "manual"),
    ),
    Filling("bagan", _bagan, 80),
    Filling("dagan", _dagan, 90, roles=()),  # minutes: for whoever names it
]
