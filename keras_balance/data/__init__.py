"""Balanced feeding for `model.fit`."""

from keras_balance.data.balanced_dataset import BalancedDataset as BalancedDataset
from keras_balance.data.dataframe import (
    balanced_image_dataset_from_dataframe as balanced_image_dataset_from_dataframe,
)
from keras_balance.data.directory import (
    balanced_image_dataset_from_directory as balanced_image_dataset_from_directory,
)
from keras_balance.data.directory import unreadable_images as unreadable_images
from keras_balance.data.image_over_sampler import ImageOverSampler as ImageOverSampler
from keras_balance.data.labelled_images import LabelledImages as LabelledImages
from keras_balance.data.mix import Mix as Mix
from keras_balance.data.synthesis import registry as registry
from keras_balance.data.synthesis.augmented_synthesizer import (
    AugmentedSynthesizer as AugmentedSynthesizer,
)
from keras_balance.data.synthesis.filtered_synthesizer import (
    FilteredSynthesizer as FilteredSynthesizer,
)
