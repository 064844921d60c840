"""A loss that several generators have."""

import keras
from keras import ops


def classification_loss(labels, logits):
    """Cross-entropy of class indices and logits, averaged over the batch."""
    return ops.mean(
        keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    )
