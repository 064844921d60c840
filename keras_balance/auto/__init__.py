"""Choosing by validation: what fills a rare class, and what stands in front."""

from keras_balance.auto.auto_adjustment import AutoAdjustment as AutoAdjustment
from keras_balance.auto.auto_augmentation import AutoAugmentation as AutoAugmentation
from keras_balance.auto.auto_balance import AutoBalance as AutoBalance
from keras_balance.auto.auto_synthesizer import AutoSynthesizer as AutoSynthesizer
from keras_balance.auto.recipes import RECIPES as RECIPES
from keras_balance.auto.recipes import Recipe as Recipe
