"""What accuracy hides: scores of every class."""

from keras_balance.metrics.per_class_metrics import PerClassMetrics as PerClassMetrics
from keras_balance.metrics.scores import per_class_scores as per_class_scores
