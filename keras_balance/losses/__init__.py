"""Losses that know how rare a class is."""

from keras_balance.losses.class_balanced import (
    ClassBalancedCrossentropy as ClassBalancedCrossentropy,
)
from keras_balance.losses.ldam import LDAM as LDAM
from keras_balance.losses.logit_adjusted import (
    LogitAdjustedCrossentropy as LogitAdjustedCrossentropy,
)
from keras_balance.losses.vector_scaling import VectorScaling as VectorScaling
