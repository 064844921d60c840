"""The course of a training: autoencoder, class Gaussians, GAN, best checkpoint."""

import warnings

import keras
import numpy as np

from keras_balance.models.generators.bagan import networks
from keras_balance.models.training import selection
from keras_balance.utils.seeds import derive_seed

_SAMPLES_PER_CLASS = 100
_COLLAPSED = 0.01


class Phases(keras.callbacks.Callback):
    """Takes a BAGAN through its phases, and watches over them.

    Args:
        autoencoder_epochs: Epochs of the first phase.
        gan_epochs: Epochs of the second phase.
        images: A sample of the real training images `(n, ...)`.
        labels: Their class indices `(n,)`.
    """

    def __init__(self, autoencoder_epochs, gan_epochs, images, labels):
        super().__init__()
        self.autoencoder_epochs = autoencoder_epochs
        self.gan_epochs = gan_epochs
        self.images = images
        self.labels = labels
        self._warned = False

    def on_epoch_begin(self, epoch, logs=None):
        """Enter the phase that this epoch belongs to."""
        model = self.model
        self._last_good = networks.snapshot(model)
        if epoch < self.autoencoder_epochs:
            model.enter("autoencoder")
            if epoch:  # also where a training is resumed
                model.latent_sample = self.images, self.labels
            return
        if epoch == self.autoencoder_epochs:
            model.fit_latent(self.images, self.labels)
            networks.inherit_trunk(model.discriminator, model.encoder)
            model.best_score.assign(-1.0)
            self._consider(epoch)
        model.enter("gan")

    def on_epoch_end(self, epoch, logs=None):
        """Watch the losses; judge the checkpoint where one is due."""
        self._check_losses(epoch, logs or {})
        if epoch < self.autoencoder_epochs:
            self.model.latent_sample = self.images, self.labels
            return
        self._check_diversity(logs)
        if self._is_candidate(epoch + 1 - self.autoencoder_epochs):
            self._consider(epoch + 1)

    def on_train_end(self, logs=None):
        """Serve the best checkpoint from now on."""
        model = self.model
        if model.phase == "autoencoder":
            model.fit_latent(self.images, self.labels)
        elif model.candidates:
            networks.copy_weights(model.best, model.generator)

    def _is_candidate(self, gan_epoch):
        """Whether one of the evenly spaced checkpoints falls on this epoch."""
        due = np.linspace(0, self.gan_epochs, self.model.candidates + 1)[1:]
        return gan_epoch in np.ceil(due).astype(int)

    def _consider(self, epoch):
        model = self.model
        images, labels = self._samples(_SAMPLES_PER_CLASS)
        score = selection.usefulness(images, labels, self.images, self.labels)
        model.candidate_scores[epoch] = score
        # Strictly better: the plain autoencoder stays unless the GAN beats it.
        if np.float32(score) > keras.ops.convert_to_numpy(model.best_score):
            model.best_score.assign(score)
            networks.copy_weights(model.generator, model.best)

    def _check_losses(self, epoch, logs):
        for name, value in logs.items():
            if not np.isfinite(value):
                self.model.set_weights(self._last_good)
                raise FloatingPointError(
                    f"`{name}` became {value} in epoch {epoch + 1}; the weights before "
                    "that epoch are kept. A lower learning rate or pixels within "
                    f"`value_range` usually mend it. Received: {name}={value}"
                )

    def _check_diversity(self, logs):
        images, labels = self._samples(16)
        values = selection.diversity(
            images, labels, self.images, self.labels, self.model.num_classes
        )
        lowest = int(np.argmin(values))
        logs["diversity"] = float(values[lowest])
        if values[lowest] < _COLLAPSED and not self._warned:
            self._warned = True
            warnings.warn(
                f"Generated images of class {lowest} are nearly all alike: their "
                f"spread is {values[lowest]:.3f} of the real images'.",
                stacklevel=2,
            )

    def _samples(self, per_class):
        labels = np.repeat(np.arange(self.model.num_classes), per_class)
        seed = derive_seed(self.model.root_seed, per_class)
        return self.model.generate_classes(labels, seed), labels
