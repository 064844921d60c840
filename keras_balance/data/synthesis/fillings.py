"""The fillings that need no generator."""

import keras
import numpy as np

from keras_balance.data.synthesis.borrowed import BorrowedGaussian, MovedDeviations
from keras_balance.data.synthesis.registry import NOTHING, REPEAT, ROLES, Filling
from keras_balance.data.synthesis.smote import InterpolatedImages
from keras_balance.layers import ManualAugmentation, PhotoAugmentation
from keras_balance.layers.manual_augmentation import ELASTIC
from keras_balance.utils.images import to_layout

# Strengths of a layer that leaves all but the place of a thing as it is.
_SHIFT = {
    "rotation_factor": 0,
    "zoom_factor": 0,
    "noise_factor": 0,
    "translation_factor": 0.04,
}


# Images that are looked at for what lies at their borders.
_LOOKED_AT = 64
_DARK = 0.05  # of the range


def augmentation(images, seed, **strengths):
    """`ManualAugmentation` in the value range and the layout of the images.

    What comes in from beyond the borders is black where these are mostly black, as
    those of handwriting are; else the image is mirrored, since black would draw a frame
    around photographs.
    """
    return ManualAugmentation(
        **strengths,
        fill_mode="constant" if _is_framed_in_black(images) else "reflect",
        value_range=images.value_range,
        data_format=images.data_format,
        seed=seed,
        dtype="float32",
    )


def _is_framed_in_black(images):
    """Whether most pixels at the borders are at the low end of the range."""
    low, high = images.value_range
    rows = np.linspace(0, len(images) - 1, min(_LOOKED_AT, len(images))).astype(int)
    shown = to_layout(images.source.take(rows), images.data_format, "channels_last")
    edges = [shown[:, 0], shown[:, -1], shown[:, :, 0], shown[:, :, -1]]
    edges = np.concatenate([np.asarray(edge, "float32") for edge in edges], axis=1)
    return bool(np.mean(edges <= low + _DARK * (high - low)) >= 0.5)


def _flip(images, seed, shift):
    # With one seed for both, what is flipped would tell how it is moved.
    flip = keras.layers.RandomFlip(
        "horizontal", seed=seed + 1, data_format=images.data_format, dtype="float32"
    )
    return keras.Sequential([flip, shift])


def _photo(images, seed, **strengths):
    return PhotoAugmentation(
        **strengths,
        value_range=images.value_range,
        data_format=images.data_format,
        seed=seed,
        dtype="float32",
    )


def _crop(images, seed):
    return _photo(images, seed, colour_factor=0, erase_factor=0)


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
    Filling("crop", _crop, 33, roles=()),
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
