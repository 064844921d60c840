"""The paper's models: its classifier and its generators."""

from keras_balance.models.adjust import adjust_logits as adjust_logits
from keras_balance.models.convnet import convnet as convnet
from keras_balance.models.few_shot.few_shot_classifier import (
    FewShotClassifier as FewShotClassifier,
)
from keras_balance.models.generators.bagan.bagan import BAGAN as BAGAN
from keras_balance.models.generators.bagan.published import (
    published_bagan as published_bagan,
)
from keras_balance.models.generators.class_gaussians import (
    ClassGaussians as ClassGaussians,
)
from keras_balance.models.generators.cvae_gan.cvae_gan import CVAEGAN as CVAEGAN
from keras_balance.models.generators.dagan.dagan import DAGAN as DAGAN
from keras_balance.models.generators.vae import VAE as VAE
from keras_balance.models.head import retrain_head as retrain_head
from keras_balance.models.loading import load_model as load_model
