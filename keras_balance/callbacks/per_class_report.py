"""Scores of every class on held-out data after each epoch."""

import copy
import pathlib

import keras
import numpy as np
from sklearn.metrics import classification_report
from sklearn.metrics import confusion_matrix as count_confusions

from keras_balance.metrics.scores import per_class_scores
from keras_balance.utils import plots
from keras_balance.utils.files import write_json, write_text
from keras_balance.utils.labels import check_class_names, read_labels


class PerClassReport(keras.callbacks.Callback):
    """Evaluate every class on held-out data after each epoch.

    Args:
        x: Held-out images, or a data set of `(x, y)` batches.
        y: Labels of `x` when that is an array.
        class_names: Optional names, one a class, for the keys.
        directory: Optional folder for reports and pictures.
        batch_size: Images in a batch of an array.

    Example:
        >>> report = kb.callbacks.PerClassReport(x_test, y_test)
        >>> model.fit(x, y, callbacks=[report])
        >>> print(report.report)
    """

    def __init__(self, x, y=None, class_names=None, directory=None, batch_size=32):
        super().__init__()
        self.x = x
        self.y = y
        self.class_names = class_names
        self.directory = directory
        self.batch_size = batch_size
        self.history = {}

    def __deepcopy__(self, memo):
        memo[id(self.x)] = self.x
        memo[id(self.y)] = self.y
        memo[id(self._model)] = self._model
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__ = copy.deepcopy(self.__dict__, memo)
        return twin

    def on_epoch_end(self, epoch, logs=None):
        """Evaluate and put the scores into the logs."""
        labels, scores = self._predict()
        names = check_class_names(self.class_names, scores.shape[1])
        values = per_class_scores(labels, scores, names)
        predictions = scores.argmax(axis=1)
        options = {
            "labels": range(len(names)),
            "target_names": names,
            "zero_division": 0,
        }
        self.report = classification_report(labels, predictions, **options)
        self.report_dict = classification_report(
            labels, predictions, output_dict=True, **options
        ) | {"accuracy": values.pop("accuracy")}
        self.confusion_matrix = count_confusions(
            labels, predictions, labels=range(len(names))
        )
        values = {f"val_{key}": value for key, value in values.items()}
        for key, value in values.items():
            self.history.setdefault(key, []).append(value)
        if logs is not None:
            logs.update(values)
        if self.directory is not None:
            self._write(names)

    def _predict(self):
        if self.y is not None:
            scores = self.model.predict(self.x, self.batch_size, verbose=0)
            return read_labels(self.y)[0], np.asarray(scores)
        labels, scores = [], []
        source = self.x
        if isinstance(source, keras.utils.PyDataset):
            source = (self.x[index] for index in range(len(self.x)))
        for batch in source:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
            scores.append(self.model.predict_on_batch(x))
            labels.append(keras.ops.convert_to_numpy(y))
        return read_labels(np.concatenate(labels))[0], np.concatenate(scores)

    def _write(self, names):
        directory = pathlib.Path(self.directory)
        write_json(directory / "report.json", self.report_dict)
        write_text(directory / "report.md", f"```\n{self.report}\n```\n")
        figure = plots.confusion_matrix(self.confusion_matrix, names)
        plots.save_figure(figure, directory / "confusion_matrix.png")
