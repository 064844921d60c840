"""Layers that mix images are refused wherever a label would lie."""

import keras
import numpy as np
import pytest

import keras_balance as kb
from keras_balance.data import registry

Y = np.repeat([0, 1, 2], [40, 10, 10])
X = np.zeros((60, 8, 8, 1), "uint8")


class Generator:
    def generate(self, labels, seed=None):
        return np.zeros((len(labels), 8, 8, 1), "float32")


TAKERS = {
    "synthesizer": lambda layer: kb.BalancedDataset(X, Y, synthesizer=layer),
    "part of a mixture": lambda layer: kb.BalancedDataset(
        X, Y, synthesizer={layer: 0.5, "repeat": 0.5}
    ),
    "over-sampler": lambda layer: kb.data.ImageOverSampler(
        synthesizer=layer
    ).fit_resample(X, Y),
    "AugmentedSynthesizer": lambda layer: kb.data.AugmentedSynthesizer(
        Generator(), layer
    ),
    "ClassAwareAugmentation": lambda layer: kb.layers.ClassAwareAugmentation(
        layer, {1: 1.0}
    ),
    "AutoAugmentation": lambda layer: kb.tuners.AutoAugmentation({"mix": layer}),
    "AutoSynthesizer": lambda layer: kb.tuners.AutoSynthesizer({"mix": layer}),
    "part of a candidate": lambda layer: kb.tuners.AutoSynthesizer(
        {"mix": {layer: 0.5, None: 0.5}}
    ),
}


@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS.keys())
def test_a_nested_mixing_layer_is_refused(take):
    layer = keras.Sequential([keras.layers.Pipeline([keras.layers.CutMix()])])
    with pytest.raises(ValueError, match=r"must not mix images.*Received: .*CutMix"):
        take(layer)


def test_a_filling_that_mixes_is_refused():
    registry.register(
        "mix", lambda images, seed: keras.layers.MixUp(), 1, (), ["front"]
    )
    try:
        with pytest.raises(ValueError, match="must not mix images"):
            kb.BalancedDataset(X, Y, synthesizer="mix")
        with pytest.raises(ValueError, match="must not mix images"):
            kb.tuners.AutoAugmentation(["mix"], verbose=0).fit(X, Y)
    finally:
        registry.unregister("mix")
