"""The bad arguments of `benchmark_faults.py`.

`bad_arguments` yields `(name, run)`; `run()` gives `(fault, words)`: what is wrong with
the outcome, or None, and in a few words what the library said.
"""

import keras
import numpy as np
from fault_cases import attempt, summary

import keras_balance as kb

ANYTHING_BUT = {
    "number": [np.nan, "x", [1, 2, 3], object(), 1j],
    "positive": [np.nan, np.inf, -1.0, "x", object()],
    "whole": [0, -3, 1.5, "x", np.nan, object()],
    "seed": [-1, 1.5, "x", [1], object()],
    "range": [(1, 0), (0, np.nan), 5, "x", (1, 2, 3), (np.inf, 0)],
    "name": ["no such name", 7, object(), ["a"]],
    "rows": [np.zeros((5, 4)), np.zeros(0), np.zeros((7, 4, 4, 1))],
    "images": [np.zeros((6, 4)), np.zeros(0), np.full((6, 4, 4, 1), np.nan), "x", None],
    "labels": [
        [0.5] * 6,
        [np.nan] * 6,
        [0, 1],
        np.ones((6, 2)),
        [],
        [0] * 5,
        # An empty cell of a table, and what NumPy would make one type of.
        ["a", "a", "a", "b", "b", np.nan],
        ["a", "a", "a", "b", "b", None],
        ["1", "1", "1", 1, 1, 1],
        np.array(["2020-01-01", "NaT"] * 3, "datetime64[D]"),
    ],
    "counts": [[0, 3], [5], [-1, 2], [np.nan, 1], "x", [[1, 2]], object(), None],
    "prior": [[1, 0], [1, 1, 1], "natur", [np.nan, 1], {}, object()],
    "threshold": [np.nan, np.inf, "x", [0.5], True],
    "outputs": [np.zeros(6), np.zeros((6, 1)) + 2, np.zeros((5, 2)), np.zeros((6, 0))],
    # What would put other classes' pixels under a label. Made when it is needed: a
    # process that has made a layer has threads, which a fork leaves behind.
    "mixer": [keras.layers.MixUp, lambda: keras.Sequential([keras.layers.CutMix()])],
    "path": ["/no/such/place", 7, object()],
    "shape": [(4,), (0, 4, 1), "x", (1, 1, 1), 7, (4, -4, 1), None],
}


def apis():
    """Public names with good arguments, and the kind of each that may be made bad."""
    x = np.arange(96, dtype="float32").reshape(6, 4, 4, 1)
    y = np.array([0, 0, 0, 0, 1, 1])
    images_and_labels = {"x": "images", "y": "labels"}
    rows_and_labels = {"x": "rows", "y": "labels"}
    return [
        (
            kb.layers.RandomGaussianNoise,
            {},
            {"factor": "number", "value_range": "range", "seed": "seed"},
        ),
        (
            kb.layers.ManualAugmentation,
            {},
            {
                "rotation_factor": "number",
                "zoom_factor": "number",
                "noise_factor": "number",
                "value_range": "range",
                "fill_mode": "name",
                "interpolation": "name",
                "seed": "seed",
            },
        ),
        (
            kb.layers.ClassAwareAugmentation,
            {"layer": kb.layers.RandomGaussianNoise(0.1), "rates": {0: 0.5}},
            {"layer": "name", "seed": "seed"},
        ),
        (
            kb.models.BAGAN,
            {"image_shape": (4, 4, 1), "num_classes": 2},
            {
                "image_shape": "shape",
                "num_classes": "whole",
                "latent_dim": "whole",
                "value_range": "range",
                "tries": "whole",
                "candidates": "whole",
                "data_format": "name",
                "seed": "seed",
            },
        ),
        (
            kb.models.convnet,
            {},
            {"input_shape": "shape", "num_classes": "whole"},
        ),
        (kb.models.load_model, {}, {"path": "path"}),
        (
            kb.BalancedDataset,
            {"x": x, "y": y},
            {
                **images_and_labels,
                "batch_size": "whole",
                "synthesizer": "name",
                "sampling_strategy": "name",
                "seed": "seed",
                "synthetic_weight": "positive",
            },
        ),
        (
            kb.metrics.PerClassMetrics,
            {"num_classes": 2},
            {"num_classes": "whole", "keys": "name", "threshold": "threshold"},
        ),
        (
            kb.metrics.class_report,
            {"y_true": y, "y_pred": np.eye(2)[y]},
            {"y_pred": "outputs", "threshold": "threshold", "target_prior": "prior"},
        ),
        (kb.callbacks.PerClassReport, {"x": x, "y": y}, {"y": "labels"}),
        *(
            (loss, {"class_counts": [5, 2]}, {"class_counts": "counts"})
            for loss in (
                kb.losses.LogitAdjustedCrossentropy,
                kb.losses.LDAM,
                kb.losses.VectorScaling,
                kb.losses.ClassBalancedCrossentropy,
            )
        ),
        (
            kb.layers.LogitAdjustment,
            {"class_counts": [5, 2]},
            {"class_counts": "counts", "tau": "number", "target_prior": "prior"},
        ),
        (
            kb.layers.PhotoAugmentation,
            {},
            {
                "flip": "name",
                "crop_factor": "number",
                "colour_factor": "number",
                "erase_factor": "number",
                "value_range": "range",
                "seed": "seed",
            },
        ),
        (kb.BalancedDataset, {"x": x, "y": y}, {"synthesizer": "mixer", "mix": "name"}),
        (
            kb.callbacks.GeneratedImages,
            {"directory": "pictures"},
            {"every": "whole", "per_class": "whole", "seed": "seed"},
        ),
        (kb.callbacks.ResumableBackup, {"path": "backup"}, {"every": "whole"}),
        (
            kb.datasets.make_imbalance,
            {"x": x, "y": y, "sampling_strategy": {1: 1}},
            {**rows_and_labels, "sampling_strategy": "name", "seed": "seed"},
        ),
        (
            kb.datasets.subsample,
            {"x": x, "y": y, "fraction": 0.5},
            {**rows_and_labels, "fraction": "positive", "seed": "seed"},
        ),
        (kb.datasets.emnist.load_data, {}, {"split": "name"}),
        (kb.datasets.mnist.load_data, {}, {"path": "path"}),
    ]


def bad_arguments(number, generator, folder):
    """One bad argument among good ones, each argument of each name in turn."""
    pairs = [
        (function, good, argument, kind)
        for function, good, kinds in apis()
        for argument, kind in kinds.items()
    ]
    for turn in range(number):
        function, good, argument, kind = pairs[turn % len(pairs)]
        values = ANYTHING_BUT[kind]
        # The first round by chance, then the next value each time.
        start = generator.integers(len(values)) if turn < len(pairs) else turn
        value = values[start % len(values)]
        value = value() if kind == "mixer" else value
        arguments = {**good, argument: value}

        def run(function=function, arguments=arguments, argument=argument):
            _, error, fault = attempt(lambda: function(**arguments), argument)
            if error is None:
                return "accepted", "accepted"
            return fault, summary(error)

        yield f"{function.__name__}({argument}={value!r})", run
