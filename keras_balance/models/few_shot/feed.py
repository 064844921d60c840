"""Batches for `fit`: of features of a backbone, or of augmented images."""

import math

import keras

from keras_balance.data import BalancedDataset
from keras_balance.data.synthesis.augment import augment
from keras_balance.utils.seeds import derive_seed, random_generator


class FeatureFeed(keras.utils.PyDataset):
    """Batches of features and labels, shuffled anew in each epoch.

    Args:
        epochs: Source of the epochs, such as `ArrayEpochs`.
        first: `(rows, labels, weights or None)` of the first epoch.
        batch_size: Rows in a batch.
        seed: Integer.
    """

    def __init__(self, epochs, first, batch_size, seed):
        super().__init__()
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.rows, self.labels, self.weights = first
        self._epoch, self._fetched = -1, set()
        self._shuffle()

    def __len__(self):
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index):
        self._fetched.add(index)
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        batch = self.rows[chosen], self.labels[chosen]
        return batch if self.weights is None else (*batch, self.weights[chosen])

    def on_epoch_begin(self):
        """Look at the images anew where they are. Called by `fit`.

        Before the epoch, since JAX takes the model's weights away during it.
        """
        # On JAX and torch, Keras begins an epoch for a look at one batch.
        if self._epoch >= 0 and len(self._fetched) < len(self):
            return
        self._epoch, self._fetched = self._epoch + 1, set()
        if self._epoch > 0 and self.epochs.are_fresh:
            self.rows, self.labels, self.weights = self.epochs.read(self._epoch)
        self._shuffle()

    def _shuffle(self):
        generator = random_generator(self.seed, self._epoch + 1)
        self._order = generator.permutation(len(self.rows))


class AugmentedBatches(keras.utils.PyDataset):
    """Batches of images, each augmented anew every time it is asked for.

    Args:
        batches: `PyDataset` of `(images, labels)`.
        augmentation: Keras layer, or None.
        seed: Integer.
    """

    def __init__(self, batches, augmentation, seed):
        super().__init__()
        self.batches, self.augmentation, self.seed = batches, augmentation, seed
        self._epoch = 0

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        images, *labels = self.batches[index]
        if self.augmentation is not None:
            seed = derive_seed(self.seed, self._epoch, index)
            images = augment(self.augmentation, images, seed, layout_of(self.batches))
        return (images, *labels)

    def on_epoch_begin(self):
        """Begin an epoch of the batches. Called by `fit`."""
        self.batches.on_epoch_begin()

    def on_epoch_end(self):
        """Move on to the next epoch. Called by `fit`."""
        self._epoch += 1
        self.batches.on_epoch_end()


def layout_of(batches):
    """`data_format` of a feed's images; None where it names none."""
    return batches.images.data_format if isinstance(batches, BalancedDataset) else None
