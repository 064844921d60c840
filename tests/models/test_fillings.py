"""Generators as fillings: what they are made for, and trained on."""

import numpy as np
import pytest

from keras_balance.data import LabelledImages, registry
from keras_balance.models.generators.class_generator import ClassGenerator
from small_data import class_images


@pytest.mark.once
@pytest.mark.parametrize(("name", "epochs"), [("bagan", {"epochs": 0}), ("dagan", {})])
def test_a_generator_fits_the_images(name, epochs, monkeypatch):
    calls = []

    def note(self, x, y=None, **kwargs):
        calls.append((self, x, kwargs))

    monkeypatch.setattr(ClassGenerator, "fit", note)
    x, y = class_images((6, 3))
    images = LabelledImages((x / 255).astype("float32"), np.array(["ant", "bee"])[y])
    found = registry.fit(name, images, seed=3)
    ((model, given, options),) = calls
    assert found is model
    assert given is images
    assert model.image_shape == (8, 8, 1)
    assert model.value_range == images.value_range
    assert list(model.class_names) == ["ant", "bee"]
    assert model.seed == 3
    told = {key: value for key, value in options.items() if value is not None}
    assert told == {"batch_size": 64, "verbose": 0, **epochs}


def test_only_who_names_it_gets_a_dagan():
    assert "dagan" in registry.names()
    for role in registry.ROLES:
        assert "dagan" not in registry.names(role)
