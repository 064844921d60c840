"""From what `BAGAN.fit` is given to batches, and to a sample for the latent."""

import numpy as np

from keras_balance.data import BalancedDataset
from keras_balance.utils.images import check_images, check_same_length
from keras_balance.utils.labels import read_labels

_PER_CLASS = 1000


def training_data(model, x, y, batch_size):
    indices, _ = read_labels(y, num_classes=model.num_classes)
    data = BalancedDataset(x, indices, batch_size=batch_size, seed=model._root_seed)
    return data, len(data)


def real_sample(model, x, y):
    indices, _ = read_labels(y, num_classes=model.num_classes)
    rng = np.random.default_rng(model._root_seed)
    chosen = [rng.permutation(np.flatnonzero(indices == c))[:_PER_CLASS] for c in range(model.num_classes)]
    chosen = np.sort(np.concatenate(chosen))
    return np.asarray(x[chosen]), indices[chosen]
