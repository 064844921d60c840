"""Data as they come: what went wrong in silence once, each with its right value.

`data_as_they_come` yields `(name, run)`; `run()` gives `(fault, words)`: what is wrong
with the outcome, or None, and in a few words what was looked at.
"""

import contextlib

import keras
import numpy as np
from fault_cases import REFUSALS
from sklearn.metrics import f1_score

import keras_balance as kb


def one_sigmoid_output(folder):
    """Scores of a single output are those of two classes."""
    x = np.random.default_rng(0).random((60, 3)).astype("float32")
    y = (x[:, :1] > 0.7).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    metric = kb.metrics.PerClassMetrics(2)
    model.compile("sgd", "binary_crossentropy", metrics=[metric], run_eagerly=True)
    report = kb.callbacks.PerClassReport(x, y, prefix="report_")
    logs = model.fit(x, y, validation_data=(x, y), callbacks=[report], verbose=0)
    guesses = model.predict(x, verbose=0) > 0.5
    expected = f1_score(y[:, 0], guesses[:, 0], average="macro")
    found = [logs.history[f"{prefix}_f1_macro"][-1] for prefix in ("val", "report")]
    return np.allclose(found, expected, atol=1e-6)


def several_outputs(folder):
    """Each output has scores of its own."""
    x = np.random.default_rng(0).random((80, 2)).astype("float32")
    labels = [(x[:, 0] > 0.5).astype("int32"), (x[:, 1] > 0.9).astype("int32")]
    inputs = keras.Input((2,))
    outputs = [keras.layers.Dense(2, "softmax", name=name)(inputs) for name in "ab"]
    model = keras.Model(inputs, outputs)
    metrics = [[kb.metrics.PerClassMetrics(2, name=name)] for name in "ab"]
    loss = ["sparse_categorical_crossentropy"] * 2
    model.compile("sgd", loss, metrics=metrics, run_eagerly=True)
    logs = model.evaluate(x, labels, return_dict=True, verbose=0)
    predicted = [part.argmax(axis=1) for part in model.predict(x, verbose=0)]
    expected = [
        f1_score(one, other, average="macro")
        for one, other in zip(labels, predicted, strict=True)
    ]
    found = [logs["a_f1_macro"], logs["b_f1_macro"]]
    return np.allclose(found, expected, atol=1e-6)


def layout_of_its_own(folder):
    """Colours stay apart where images are laid out otherwise than Keras expects."""
    colour = np.array([200, 100, 0], "uint8")
    x = np.tile(colour[:, None, None], (8, 1, 16, 16))
    y = np.repeat([0, 1], [6, 2])
    layer = kb.layers.ManualAugmentation(noise_factor=0, fill_mode="nearest", seed=0)
    data = kb.BalancedDataset(
        x, y, synthesizer=layer, shuffle=False, seed=0, data_format="channels_first"
    )
    return np.allclose(data[0][0].mean(axis=(2, 3)), colour, atol=1)


def half_precision(folder):
    """Synthetic pixels are as precise as real ones, whatever a model computes in."""
    ramp = np.linspace(0, 65535, 32)[None, :, None, None] * np.ones((8, 1, 32, 1))
    data = [ramp.astype("uint16"), np.repeat([0, 1], [6, 2])]
    made = []
    for policy in ("float32", "mixed_float16"):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            made.append(kb.BalancedDataset(*data, synthesizer="manual", seed=0)[0][0])
        finally:
            keras.config.set_dtype_policy(before)
    return np.isfinite(made[1]).all() and np.allclose(*made, atol=1)


def half_an_epoch(folder):
    """An epoch that is no whole pass cannot be resumed: it is refused at once."""
    x = np.random.default_rng(0).random((20, 4, 4, 1)).astype("float32")
    data = kb.BalancedDataset(x, np.arange(20) % 2, batch_size=4, seed=0)
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    backup = kb.callbacks.ResumableBackup(folder / "half", data)
    return refused(
        lambda: model.fit(data, steps_per_epoch=2, callbacks=[backup], verbose=0),
        "steps_per_epoch=2",
    )


def data_without_an_end(folder):
    """Batches that come again and again are refused, as are those that come once."""

    class Endless(keras.utils.PyDataset):
        def __len__(self):
            return 2**62

        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return np.zeros((2, 8, 8, 1), "float32"), np.array([0, 1])

    bagan = kb.models.BAGAN((8, 8, 1), 2, latent_dim=2, seed=0)
    endless, once = Endless(), iter([Endless()[0]])
    return all(
        refused(take, "")
        for take in (
            lambda: kb.callbacks.PerClassReport(endless),
            lambda: kb.callbacks.PerClassReport(once),
            lambda: bagan.fit(endless, verbose=0),
            lambda: bagan.fit(once, verbose=0),
        )
    )


def names_with_dollars(folder):
    """Names of classes are no formulas."""
    names = ["$a$", "_b", r"\sqrt{c}"]
    kb.metrics.save_confusion_matrix(folder / "matrix.png", np.eye(3), names)
    return (folder / "matrix.png").exists()


def refused(take, words):
    """Whether it raises an error that says these words."""
    with contextlib.suppress(StopIteration):
        try:
            take()
        except REFUSALS as error:
            return words in str(error)
    return False


CASES = (
    one_sigmoid_output,
    several_outputs,
    layout_of_its_own,
    half_precision,
    half_an_epoch,
    data_without_an_end,
    names_with_dollars,
)


def data_as_they_come(number, generator, folder):
    """Each case once."""
    for case in CASES[:number]:

        def run(case=case):
            words = case.__name__.replace("_", " ")
            try:
                return (None if case(folder) else "another value"), words
            except Exception as error:
                return f"{type(error).__name__}: {error}", words

        yield case.__name__, run
