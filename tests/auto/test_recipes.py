import numpy as np
import pytest

from keras_balance.auto.recipes import Recipe, in_words_of
from keras_balance.data import LabelledImages
from keras_balance.losses import LogitAdjustedCrossentropy
from keras_balance.models import convnet
from small_data import grey_images

pytestmark = pytest.mark.once


def test_classes_are_called_as_the_images_call_them():
    x, y = grey_images((8, 4, 2))
    titled = LabelledImages(x, np.eye(3)[y], titles=[1, 2, 3])
    named = LabelledImages(x, np.array(["ant", "bee", "cat"])[y])
    for given, key, images, wanted in [
        (titled, 2, titled, 2),
        (titled, 2, titled.as_indices(), 1),
        (named, "bee", named.as_indices(), 1),
    ]:
        recipes = {"some": Recipe({key: 6}), "all": Recipe()}
        recipes = in_words_of(images, recipes, given)
        assert recipes["some"].sampling_strategy == {wanted: 6}
        assert recipes["all"] == Recipe()
        feed = recipes["some"].feed(images, 8, 0)
        assert list(feed.class_counts.values()) == [8, 6, 2]


def test_what_a_recipe_trains_has_the_optimizer_and_the_weights_of_the_model():
    x, y = grey_images((8, 4, 2))
    images = LabelledImages(x, y)
    for recipe, in_front, loss in [
        (Recipe({}), False, str),
        (Recipe({}, tau=1.0), False, LogitAdjustedCrossentropy),
        (Recipe({}, layer="shift"), True, str),
        (Recipe({}, layer="shift", tau=1.0), True, LogitAdjustedCrossentropy),
    ]:
        model = convnet((8, 8, 1), 3)
        optimizer, feed = model.optimizer, recipe.feed(images, 8, 0)
        trainee = recipe.put_on(model, feed, images, 0)
        assert (trainee is model) != in_front
        assert (trainee.layers[-1] if in_front else trainee) is model
        assert trainee.optimizer is optimizer
        assert isinstance(trainee.loss, loss)
