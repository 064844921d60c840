import numpy as np
import pytest

from keras_balance.auto.recipes import Recipe, in_words_of
from keras_balance.data import LabelledImages
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
