"""The fillings that need no generator."""

import keras

from keras_balance.data.synthesis.borrowed import BorrowedGaussian, MovedDeviations
from keras_balance.data.synthesis.registry import NOTHING, REPEAT, ROLES, Filling
from keras_balance.data.synthesis.smote import InterpolatedImages
from keras_balance.layers import ManualAugmentation, PhotoAugmentation
from keras_balance.layers.manual_augmentation import ELASTIC

# Strengths of a layer that leaves all but the place of a thing as it is.
_SHIFT = {
    "rotation_factor": 0,
    "zoom_factor": 0,
    "noise_factor": 0,
    "translation_factor": 0.04,
}


def augmentation(images, seed, **strengths):
    """`ManualAugmentation` in the value range and the layout of the images."""
    return ManualAugmentation(
        **strengths,
        value_range=images.value_range,
        data_format=images.data_format,
        seed=seed,
        dtype="float32",
    )


def _flip(images, seed, shift):
    # With one seed for both, what is flipped would tell how it is moved.
    flip = keras.layers.RandomFlip(
        "horizontal", seed=seed + 1, data_format=images.data_format, dtype="float32"
    )
    return keras.Sequential([flip, shift])


def _photo(images, seed):
    return PhotoAugmentation(
        value_range=images.value_range,
        data_format=images.data_format,
        seed=seed,
        dtype="float32",
    )


FILLINGS = [
    Filling(NOTHING, lambda images, seed: NOTHING, 0, roles=ROLES),
    Filling(REPEAT, lambda images, seed: None, 10),
    Filling(
        "shift",
        lambda images, seed: augmentation(images, seed, **_SHIFT),
        20,
        roles=("front",),
    ),
    Filling("flip", _flip, 30, needs=("shift",), roles=("front",)),
    Filling("photo", _photo, 35, roles=("front",)),
    Filling("manual", augmentation, 40, roles=ROLES),
    Filling(
        "elastic",
        lambda images, seed: augmentation(images, seed, **ELASTIC),
        50,
        roles=ROLES,
    ),
    Filling("smote", lambda images, seed: InterpolatedImages(images), 55, roles=()),
    # For features of a backbone; the mean of pixels is a blur.
    Filling("moved", lambda images, seed: MovedDeviations(images), 56, roles=()),
    Filling("gaussian", lambda images, seed: BorrowedGaussian(images), 57, roles=()),
]
