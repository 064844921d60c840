"""Scores of every class in a classifier, and what keras-tuner is to make of them."""

import keras
import keras_tuner

from keras_balance.metrics import PerClassMetrics
from keras_balance.models.adjust import default_threshold
from keras_balance.utils.losses import check_losses, is_loss
from keras_balance.utils.outputs import num_classes_of


def add_per_class_metrics(model, num_classes=None, class_names=None):
    """Compile `model` once more with `PerClassMetrics`, where it has none.

    Its optimizer, with all state, its loss and its other metrics stay. One sigmoid
    output is two classes. A model of several outputs stays as it is.

    Args:
        model: A compiled `keras.Model`.
        num_classes: Number of classes, for a model that does not yet know its output.
        class_names: Optional names of the classes for the keys of the logs.

    Raises:
        keras_tuner.errors.FatalValueError: When it was compiled with metrics that
            Keras cannot rebuild.
    """
    shape = model.output_shape if model.built else (None, num_classes)
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        return
    config = model.get_compile_config()
    metrics, weighted = (
        _rebuild(config.get(key)) for key in ("metrics", "weighted_metrics")
    )
    present = keras.tree.flatten([metrics, weighted])
    if any(isinstance(metric, PerClassMetrics) for metric in present):
        return
    metric = PerClassMetrics(
        num_classes_of(shape),
        class_names,
        threshold=default_threshold(model, shape),
    )
    model.compile(
        optimizer=model.optimizer,
        loss=getattr(model, "loss", None),
        loss_weights=config.get("loss_weights"),
        metrics=_append(metrics, metric),
        weighted_metrics=weighted,
        run_eagerly=model.run_eagerly,
        steps_per_execution=model.steps_per_execution,
        jit_compile=model.jit_compile,
    )


def check_history(logs, callbacks):
    """Tell keras-tuner of a training that diverged, or that lacks the objective.

    Args:
        logs: Dict of lists, `History.history`.
        callbacks: The callbacks of the training; keras-tuner's own one knows the
            objective.

    Raises:
        keras_tuner.errors.FailedTrialError: When the loss or the objective is not
            finite. The trial fails alone.
        keras_tuner.errors.FatalValueError: When the logs do not have the objective:
            no trial would have it.
    """
    objectives = _objectives(callbacks)
    for objective in objectives:
        if not objective.has_value(logs):
            raise keras_tuner.errors.FatalValueError(
                "The objective must be among the logs of the training; names that "
                "begin with `val_` need `validation_data` in `search`. Received: "
                f"objective={objective.name!r} with logs {sorted(logs)}"
            )
    names = [objective.name for objective in objectives]
    for name, values in logs.items():
        for epoch, value in enumerate(values):
            try:
                check_losses(epoch, {name: value}, names)
            except FloatingPointError as error:
                raise keras_tuner.errors.FailedTrialError(
                    f"The training diverged, and its trial counts as failed. {error}"
                    + _hint(name)
                ) from error


def _hint(name):
    if is_loss(name):
        return ""
    return (
        ". If its loss is finite, the metric may have got logits: with one logit "
        "output give `PerClassMetrics` a `threshold` of 0"
    )


def _objectives(callbacks):
    found = [getattr(callback, "objective", None) for callback in callbacks]
    return [one for one in found if isinstance(one, keras_tuner.Objective)]


def _rebuild(metrics):
    try:
        return keras.saving.deserialize_keras_object(metrics)
    except (TypeError, ValueError) as error:
        raise keras_tuner.errors.FatalValueError(
            "`build` must compile with metrics that Keras can serialize, or with "
            "`kb.metrics.PerClassMetrics` among them. "
            f"Received: metrics={metrics!r}"
        ) from error


def _append(metrics, metric):
    if isinstance(metrics, dict):
        return {
            output: [*keras.tree.flatten(some), metric]
            for output, some in metrics.items()
        }
    return [*keras.tree.flatten(metrics or []), metric]
