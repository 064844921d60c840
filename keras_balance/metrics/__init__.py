"""What accuracy hides: scores of every class."""

from keras_balance.metrics.adjustment import (
    save_adjustment_curves as save_adjustment_curves,
)
from keras_balance.metrics.class_report import ClassReport as ClassReport
from keras_balance.metrics.class_report import class_report as class_report
from keras_balance.metrics.class_report import (
    save_confusion_matrix as save_confusion_matrix,
)
from keras_balance.metrics.comparison import Comparison as Comparison
from keras_balance.metrics.comparison import compare_reports as compare_reports
from keras_balance.metrics.html_report import Misses as Misses
from keras_balance.metrics.html_report import save_html_report as save_html_report
from keras_balance.metrics.per_class_metrics import PerClassMetrics as PerClassMetrics
from keras_balance.metrics.sample_quality import sample_quality as sample_quality
