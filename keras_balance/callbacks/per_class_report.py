"""Scores of every class on held-out data after each epoch."""

import copy
import math
import pathlib

import keras
import numpy as np

from keras_balance.callbacks import held_out
from keras_balance.callbacks.callbacks_in_fit import callbacks_in_fit
from keras_balance.metrics import (
    ClassReport,
    class_report,
    save_confusion_matrix,
    save_html_report,
)
from keras_balance.metrics.class_report import read_classes
from keras_balance.metrics.html_report import rarest_class
from keras_balance.metrics.names import check_score_names
from keras_balance.models.adjust import default_threshold
from keras_balance.utils import plots
from keras_balance.utils.files import folder, write_json, write_text
from keras_balance.utils.numbers import real_number, string, whole_number
from keras_balance.utils.outputs import check_threshold, num_classes_of
from keras_balance.utils.priors import check_prior, read_prior
from keras_balance.utils.tables import as_count, markdown_table


class PerClassReport(keras.callbacks.Callback):
    """Precision, recall and F1 of every class on held-out data after each epoch.

    One pass of predictions; the scores are scikit-learn's. They go into the logs
    as `val_precision_<class>`, `val_recall_<class>`, `val_f1_<class>` and
    `val_pr_auc_<class>` (average precision), the same with `macro`, and
    `val_balanced_accuracy` and `val_g_mean`. Callbacks that stand behind this one
    in the list see them, and so does `History`: put this one first.

    The keys are the same in every epoch. A class without held-out images scores
    NaN; see `kb.metrics.class_report` for the averages.

    Args:
        x: Held-out images `(n, ...)`, `kb.data.LabelledImages`, or batches `(images,
            labels)` or `(images, labels, sample_weight)` that can be read again and
            again and end: a `keras.utils.PyDataset`, a `tf.data.Dataset`, a torch
            `DataLoader`.
        y: Labels of an array `x`: sparse `(n,)` or `(n, 1)`, or one-hot; class
            indices, or names, see `kb.metrics.class_report`.
        class_names: Optional names, one a class, for keys, tables and pictures.
            Defaults to those that `x` has, such as of folders, or else to the labels
            themselves.
        directory: Optional folder, made when missing, for `report.json` and
            `report.md` after each epoch, and `confusion_matrix.png`,
            `per_class_curves.png` and `report.html` after training: one page to show,
            with the rarest class's most confident misses, for which the data are
            predicted once more. Each file is written atomically. The JSON has
            `report_dict` under `"report"`, with null for NaN.
        batch_size: Images of an array that are predicted at once.
        prefix: Goes before the keys; each report of a training has one of its own.
        threshold: With two classes, the second one is predicted where its output is
            greater; see `kb.metrics.class_report`. A single output has 0 by
            default where the model, by its last layer or its loss, gives logits.
        target_prior: How frequent the classes are where the classifier will be used:
            `"uniform"`, or shares; see `kb.metrics.class_report`.
        output: Name of the output to look at, for a model of several outputs; give
            each report a `prefix` of its own. Labels of all outputs, as a dict or a
            list, may stay in the batches.

    Attributes:
        report: Text as scikit-learn's `classification_report` prints it.
        report_dict: The same as a dict, see `kb.metrics.ClassReport`.
        confusion_matrix: Array `(num_classes, num_classes)`, true classes down.
        history: Dict of each key to its values, one an epoch of this training.
        epochs: The epochs of `history`, counted from 1.

    Raises:
        TypeError: When `x` cannot be read again and again, and for arguments of a wrong
            type.
        OSError: From `fit`, for a `directory` that cannot be made.
        ValueError: For lengths that differ, labels that are fractional, missing or
            outside the classes, an array without `y`, endless data, a mixed
            `BalancedDataset`; from `fit`, for two reports of one `prefix`, and for
            names, a `threshold` and a `target_prior` that the model's classes do not
            fit.

    Example:
        >>> report = kb.callbacks.PerClassReport(x_val, y_val, directory="report")
        >>> stop = keras.callbacks.EarlyStopping("val_f1_macro", mode="max", patience=5)
        >>> model.fit(x, y, epochs=50, callbacks=[report, stop])
        >>> print(report.report)
    """

    def __init__(
        self,
        x,
        y=None,
        class_names=None,
        directory=None,
        batch_size=128,
        prefix="val_",
        threshold=None,
        target_prior=None,
        output=None,
    ):
        super().__init__()
        held_out.check_data(x, y)
        self.x = x
        self.y = np.asarray(y) if isinstance(y, (list, tuple)) else y
        held_out.check_class_names(x, class_names)
        names = held_out.class_names_of(x)
        self.class_names = names if class_names is None else class_names
        self.directory = folder("directory", directory)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.prefix = string("prefix", prefix)
        self.threshold = threshold
        if threshold is not None:
            real_number("threshold", threshold)
        if target_prior is not None:
            check_prior(target_prior)
        self.target_prior = target_prior
        self.output = output
        self._forget()

    def __deepcopy__(self, memo):
        # keras-tuner copies its callbacks for every trial: data and model are shared.
        for shared in (self.x, self.y, self._model):
            memo[id(shared)] = shared
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def on_train_begin(self, logs=None):
        """Forget what an earlier training gave, and check what can be by now."""
        self._check_keys_are_its_own()
        self._check_fit_the_model()
        if self.directory is not None:
            pathlib.Path(self.directory).mkdir(parents=True, exist_ok=True)
        self._forget()

    def _forget(self):
        self.report = None
        self.report_dict = None
        self.confusion_matrix = None
        self.history = {}
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        """Predict the held-out data and put the scores into the logs."""
        labels, predictions, weights = self._predict()
        result = class_report(
            labels,
            predictions,
            self.class_names,
            weights,
            self._threshold_of(predictions),
            self.target_prior,
        )
        self.report = result.report
        self.report_dict = result.report_dict
        self.confusion_matrix = result.confusion_matrix
        scores = result.scores
        # The model's own accuracy, which fit logs, keeps its name to itself.
        scores.pop("accuracy")
        scores = {f"{self.prefix}{key}": score for key, score in scores.items()}
        self.epochs.append(epoch + 1)
        for key, score in scores.items():
            self.history.setdefault(key, []).append(score)
        if logs is not None:
            logs.update(scores)
        self._class_names = result.class_names
        if self.directory is not None:
            self._note_rarest(labels, predictions)
            self._write_texts(pathlib.Path(self.directory))

    def on_train_end(self, logs=None):
        """Draw the pictures and the page, which take longer than a small epoch."""
        if self.directory is not None and self.epochs:
            directory = pathlib.Path(self.directory)
            self._draw_pictures(directory)
            self._write_page(directory)

    def _check_keys_are_its_own(self):
        """Raise where another report of the training logs under the same keys."""
        for other in callbacks_in_fit():
            is_another = isinstance(other, PerClassReport) and other is not self
            if is_another and other.prefix == self.prefix:
                raise ValueError(
                    "Each `PerClassReport` of a training must have a `prefix` of its "
                    "own, or the last one's scores take the place of the others'. "
                    f"Received: two with prefix={self.prefix!r}"
                )

    def _check_fit_the_model(self):
        """Raise before the first epoch, where the model tells its classes by then."""
        shape = held_out.output_shape(self.model, self.output)
        if shape is not None and shape[-1] is not None:
            number = num_classes_of(shape)
            check_score_names(self.class_names, number)
            check_threshold(self.threshold, number)
            if self.target_prior is not None:
                read_prior(self.target_prior, np.ones(number))

    def _batches(self):
        return held_out.predict(
            self.model, self.x, self.y, self.batch_size, self.output
        )

    def _predict(self):
        """Labels, predictions and weights (or None) of the held-out data."""
        batches = [batch[1:] for batch in self._batches()]
        if not batches:
            raise ValueError(
                "`x` must give at least one batch in every epoch. "
                f"Received: x={self.x!r} without one"
            )
        labels, predictions, weights = zip(*batches, strict=True)
        weights = None if weights[0] is None else np.concatenate(weights).reshape(-1)
        return np.concatenate(labels), np.concatenate(predictions), weights

    def _threshold_of(self, predictions):
        if self.threshold is not None:
            return self.threshold
        return default_threshold(self.model, predictions.shape, self.output)

    def _write_texts(self, directory):
        content = {
            "epoch": self.epochs[-1],
            "report": self.report_dict,
            "class_names": self._class_names,
            "confusion_matrix": self.confusion_matrix.tolist(),
            "epochs": self.epochs,
            "history": self.history,
        }
        write_json(directory / "report.json", _without_nan(content))
        write_text(directory / "report.md", self._markdown())

    def _draw_pictures(self, directory):
        names = self._class_names
        title = f"Held-out data after epoch {self.epochs[-1]}"
        path = directory / "confusion_matrix.png"
        save_confusion_matrix(path, self.confusion_matrix, names, title)
        curves = {
            score: [
                self.history[f"{self.prefix}{score.lower()}_{name}"] for name in names
            ]
            for score in ("precision", "recall", "F1")
        }
        figure = plots.class_curves(curves, self.epochs, names)
        plots.save_figure(figure, directory / "per_class_curves.png")

    def _write_page(self, directory):
        save_html_report(
            directory / "report.html",
            self._result(),
            f"Held-out data after epoch {self.epochs[-1]}",
            {key.removeprefix(self.prefix): v for key, v in self.history.items()},
            self.epochs,
            self._misses(),
        )

    def _note_rarest(self, labels, predictions):
        """Remember the rarest class, and how it is called in the labels."""
        index = rarest_class(self._result())
        num_classes = num_classes_of(predictions.shape)
        indices, _ = read_classes(labels, num_classes, self.class_names)
        self._rarest = index, np.asarray(labels[int(np.argmax(indices == index))])

    def _misses(self):
        """Misses of the rarest class, by one more pass over the data."""
        index, label = self._rarest
        return held_out.confident_misses(
            self._batches(),
            lambda rows: (rows == label).reshape(len(rows), -1).all(axis=1),
            index,
            self._class_names,
            self._threshold_of,
        )

    def _result(self):
        return ClassReport(
            self._class_names, self.report, self.report_dict, self.confusion_matrix
        )

    def _markdown(self):
        columns = ["precision", "recall", "f1-score", "pr_auc"]
        table = {name: self.report_dict[name] for name in self._class_names}
        table["macro avg"] = self.report_dict["macro avg"]
        rows = [
            [name, *(f"{row[c]:.4f}" for c in columns), as_count(row["support"])]
            for name, row in table.items()
        ]
        overall = ["accuracy", "balanced_accuracy", "g_mean"]
        totals = [[key, f"{self.report_dict[key]:.4f}"] for key in overall]
        return "\n".join(
            [
                f"# Held-out data after epoch {self.epochs[-1]}\n",
                markdown_table(["class", *columns, "support"], rows),
                markdown_table(["all classes", "score"], totals),
            ]
        )


def _without_nan(content):
    """Put None for NaN, which JSON has not."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content
