"""Layers for images, used like Keras' own, and for what a classifier decides."""

from keras_balance.layers.class_aware_augmentation import (
    ClassAwareAugmentation as ClassAwareAugmentation,
)
from keras_balance.layers.cosine_head import CosineHead as CosineHead
from keras_balance.layers.logit_adjustment import LogitAdjustment as LogitAdjustment
from keras_balance.layers.manual_augmentation import (
    ManualAugmentation as ManualAugmentation,
)
from keras_balance.layers.photo_augmentation import (
    PhotoAugmentation as PhotoAugmentation,
)
from keras_balance.layers.random_gaussian_noise import (
    RandomGaussianNoise as RandomGaussianNoise,
)
