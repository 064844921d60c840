"""From the autoencoder to the GAN, and to the checkpoint worth keeping."""

import keras
import numpy as np


class Phases(keras.callbacks.Callback):
    """Switches phases, fits latents."""

    def __init__(self, autoencoder_epochs, epochs, sample):
        super().__init__()
        self.autoencoder_epochs = autoencoder_epochs
        self.epochs = epochs
        self.sample = sample

    def on_epoch_begin(self, epoch, logs=None):
        if epoch < self.autoencoder_epochs:
            self.model.enter("autoencoder")
            return
        if epoch == self.autoencoder_epochs:
            from keras_balance.models.bagan.networks import inherit_trunk
            inherit_trunk(self.model.discriminator, self.model.encoder)
        self.model.enter("gan")

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.autoencoder_epochs - 1:
            self.model.fit_latent(*self.sample)
