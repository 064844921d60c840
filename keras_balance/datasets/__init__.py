"""Real image data as Keras-style tuples, and ways to make it imbalanced."""

from keras_balance.datasets import digits as digits
from keras_balance.datasets import emnist as emnist
from keras_balance.datasets import mnist as mnist
from keras_balance.datasets import omniglot as omniglot
from keras_balance.datasets.imbalance import make_imbalance as make_imbalance
from keras_balance.datasets.imbalance import subsample as subsample
