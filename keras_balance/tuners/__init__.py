"""Choosing by validation what a rare class is filled up with, and how much."""

from keras_balance.auto import RECIPES as RECIPES
from keras_balance.auto import AutoAdjustment as AutoAdjustment
from keras_balance.auto import AutoAugmentation as AutoAugmentation
from keras_balance.auto import AutoSynthesizer as AutoSynthesizer
from keras_balance.auto import Recipe as Recipe
from keras_balance.tuners.balanced_hyper_model import (
    BalancedHyperModel as BalancedHyperModel,
)
from keras_balance.tuners.first_trial import default_first as default_first
from keras_balance.tuners.resumable import resumable as resumable
from keras_balance.tuners.trials_picture import (
    save_trials_picture as save_trials_picture,
)
