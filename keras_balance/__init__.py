"""Find the rare class: Keras layers, generators and callbacks for imbalanced images."""

from keras_balance import callbacks as callbacks
from keras_balance import data as data
from keras_balance import datasets as datasets
from keras_balance import layers as layers
from keras_balance import losses as losses
from keras_balance import metrics as metrics
from keras_balance import models as models
from keras_balance import tuners as tuners
from keras_balance.auto import AutoBalance as AutoBalance
from keras_balance.data import BalancedDataset as BalancedDataset
from keras_balance.version import __version__ as __version__
