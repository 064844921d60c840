"""What `model.fit` shows and keeps."""

from keras_balance.callbacks.deferred_reweighting import (
    DeferredReweighting as DeferredReweighting,
)
from keras_balance.callbacks.generated_images import GeneratedImages as GeneratedImages
from keras_balance.callbacks.per_class_report import PerClassReport as PerClassReport
from keras_balance.callbacks.raise_on_nan import RaiseOnNaN as RaiseOnNaN
from keras_balance.callbacks.resumable_backup import ResumableBackup as ResumableBackup
