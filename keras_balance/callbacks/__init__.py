"""What `model.fit` shows and keeps."""

from keras_balance.callbacks.generated_images import GeneratedImages as GeneratedImages
from keras_balance.callbacks.per_class_report import PerClassReport as PerClassReport
