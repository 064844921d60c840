"""Balanced feeding for `model.fit`."""

from keras_balance.data.balanced_dataset import BalancedDataset as BalancedDataset
