"""The paper's models: its classifier and its generator."""

from keras_balance.models.adjust import adjust_logits as adjust_logits
from keras_balance.models.convnet import convnet as convnet
from keras_balance.models.generators.bagan.bagan import BAGAN as BAGAN
from keras_balance.models.generators.bagan.published import (
    published_bagan as published_bagan,
)
from keras_balance.models.loading import load_model as load_model
