"""How well a support vector machine does after training on one or the other feed."""

import keras
import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from keras_balance.utils.images import to_layout

_COMPONENTS = 50
_SIDE = 32  # pixels; larger pictures are shrunk


class Judge:
    """Fits a support vector machine to principal components of the images.

    It has no randomness, so that small differences between two feeds can be told: a
    network trained twice on the same feed differs more from itself than most feeds do.
    And it takes a second.

    Args:
        held_out: `LabelledImages` that are held out.
        scored: Indices of the classes to score.
        epochs: Epochs of a feed to fit to.
        most_images: Of a feed; what comes after them is left out.
    """

    def __init__(self, held_out, scored, epochs=1, most_images=50_000):
        self.held_out, self.scored = held_out, scored
        self.epochs, self.most_images = epochs, most_images
        self._pixels = _pixels(self._in_own_layout(held_out.x))

    def f1(self, dataset):
        """Fit to epochs of a dataset; array of the F1 of each class scored."""
        pixels, indices = self._read(dataset)
        components = min(_COMPONENTS, *pixels.shape)
        classifier = make_pipeline(PCA(components, random_state=0), SVC())
        classifier.fit(pixels, indices)
        return class_f1(self.held_out, self.scored, classifier.predict(self._pixels))

    def _read(self, dataset):
        """Pixels and class indices of the epochs, or of the first part of them."""
        total = self.epochs * len(dataset)
        pixels, indices = [], []
        for batch in range(min(total, -(-self.most_images // dataset.batch_size))):
            images, labels = dataset.batch(*divmod(batch, len(dataset)))
            pixels.append(_pixels(self._in_own_layout(images)))
            indices.append(self.held_out.encoding.decode(labels))
        return np.concatenate(pixels), np.concatenate(indices)

    def _in_own_layout(self, images):
        """Images in Keras' own layout, whatever that of the data is."""
        wanted = keras.config.image_data_format()
        return to_layout(images, self.held_out.data_format, wanted)


def class_f1(held_out, scored, predicted):
    """Array of the F1 of each class that is scored.

    Every class of the held-out images counts the same, however many they are.

    Args:
        held_out: `LabelledImages` that are held out.
        scored: Indices of the classes to score.
        predicted: Class indices that a classifier gives the images.
    """
    indices = held_out.indices
    return f1_score(
        indices,
        predicted,
        labels=scored,
        average=None,
        sample_weight=1 / np.bincount(indices)[indices],
        zero_division=0,
    )


def _pixels(images):
    """Float32 rows `(n, pixels)` of images of at most 32 by 32."""
    images = np.asarray(images, dtype="float32")
    size = tuple(min(side, _SIDE) for side in _sides(images))
    if size != _sides(images):
        shrunk = keras.ops.image.resize(images, size, antialias=True)
        images = keras.ops.convert_to_numpy(shrunk)
    return images.reshape(len(images), -1)


def _sides(images):
    """Height and width, wherever the channels are."""
    axes = (2, 3) if keras.config.image_data_format() == "channels_first" else (1, 2)
    return tuple(images.shape[axis] for axis in axes)
