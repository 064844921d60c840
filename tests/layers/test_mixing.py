import keras
import numpy as np
import pytest

from keras_balance import layers
from keras_balance.layers.mixing import check_mixes_nothing


class Nest(keras.layers.Layer):
    """A user's container, which keeps its layers where it likes."""

    def __init__(self, parts):
        super().__init__()
        self.parts = {"some": [parts]}

    def call(self, images):
        return self.parts["some"][0](images)


def functional(layer):
    images = keras.Input((8, 8, 1))
    return keras.Model(images, keras.layers.Activation("relu")(layer(images)))


MIXING = [keras.layers.MixUp, keras.layers.CutMix]
NESTS = {
    "itself": lambda layer: layer,
    "Sequential": lambda layer: keras.Sequential([keras.layers.Identity(), layer]),
    "Pipeline": lambda layer: keras.layers.Pipeline([layer]),
    "Pipeline in Sequential": lambda layer: keras.Sequential(
        [keras.layers.Pipeline([keras.layers.Pipeline([layer])])]
    ),
    "TimeDistributed": keras.layers.TimeDistributed,
    "own": Nest,
    "own in Pipeline": lambda layer: keras.layers.Pipeline([Nest(Nest(layer))]),
}


@pytest.mark.parametrize("mixing", MIXING)
@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS.keys())
def test_a_mixing_layer_is_found_in_any_nest(nest, mixing):
    with pytest.raises(ValueError, match="`part` must not mix images"):
        check_mixes_nothing(nest(mixing()), "part")


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS.keys())
def test_other_layers_pass_in_any_nest(nest):
    check_mixes_nothing(nest(layers.PhotoAugmentation()))


def test_the_error_says_what_is_inside():
    with pytest.raises(ValueError, match="which holds CutMix"):
        check_mixes_nothing(keras.Sequential([keras.layers.CutMix()]))


def test_models_and_what_is_no_layer_pass():
    check_mixes_nothing(functional(keras.layers.Rescaling(2.0)))
    check_mixes_nothing(None)
    check_mixes_nothing(np.zeros(3))


def test_class_aware_augmentation_refuses_them_at_any_depth():
    nested = keras.Sequential([keras.layers.Pipeline([keras.layers.MixUp()])])
    with pytest.raises(ValueError, match="must not mix images"):
        layers.ClassAwareAugmentation(nested, {1: 1.0})
