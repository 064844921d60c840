"""Pictures of what a generator makes as it learns."""

import pathlib

import keras
import numpy as np

from keras_balance.utils import plots
from keras_balance.utils.labels import check_class_names


class GeneratedImages(keras.callbacks.Callback):
    """Grids of generated images, one class a row, as training goes on.

    Writes `epoch_0001.png`, ... and `strip.png`, the epochs side by side as in
    Figure 4 of the paper. Every picture has the same seed, so that the same samples
    are followed through training.

    Args:
        directory: Folder for the pictures, made when missing.
        every: A picture after each `every` epochs, and after the last one.
        per_class: Images of each class in a grid.
        class_names: Optional names, one a class, at the rows.
        seed: Seed of the samples.

    The model must have `generate(labels, seed=None)`, giving float images
    `(n, height, width, channels)` in `model.value_range`, and `num_classes`.

    Example:
        >>> pictures = kb.callbacks.GeneratedImages("pictures", every=10)
        >>> kb.models.BAGAN((28, 28, 1), 10).fit(x, y, callbacks=[pictures])
    """

    def __init__(self, directory, every=10, per_class=10, class_names=None, seed=0):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.every = every
        self.per_class = per_class
        self.class_names = class_names
        self.seed = seed

    def on_train_begin(self, logs=None):
        """Forget the epochs of an earlier training."""
        self._grids = {}
        self._epoch = None

    def on_epoch_end(self, epoch, logs=None):
        """Draw when it is time."""
        self._epoch = epoch
        if (epoch + 1) % self.every == 0:
            self._draw(epoch)

    def on_train_end(self, logs=None):
        """Draw the last epoch."""
        if self._epoch is not None and self._epoch not in self._grids:
            self._draw(self._epoch)

    def _draw(self, epoch):
        labels = np.repeat(np.arange(self.model.num_classes), self.per_class)
        images = np.asarray(self.model.generate(labels, seed=self.seed))
        self._grids[epoch] = images
        names = check_class_names(self.class_names, self.model.num_classes)
        value_range = self.model.value_range
        grid = plots.image_grid(images, names, value_range, f"epoch {epoch + 1}")
        plots.save_figure(grid, self.directory / f"epoch_{epoch + 1:04d}.png")
        epochs = [epoch + 1 for epoch in self._grids]
        strip = plots.epoch_strip(
            list(self._grids.values()), epochs, names, value_range
        )
        plots.save_figure(strip, self.directory / "strip.png")
