import numpy as np
import pytest

from keras_balance.data import LabelledImages
from keras_balance.data.synthesis.smote import InterpolatedImages
from small_data import class_images

pytestmark = pytest.mark.once


def test_it_takes_any_seed_and_draws_each_class_by_itself():
    pytest.importorskip("imblearn")
    x, _ = class_images((6,))
    images = LabelledImages(np.concatenate([x, x]), np.repeat([0, 1], 6))
    smote = InterpolatedImages(images)
    made = smote.generate([0] * 8 + [1] * 8, seed=2**40)
    assert np.abs(made[:8] - made[8:]).max() > 0
    np.testing.assert_array_equal(made[8:], smote.generate([1] * 8, seed=2**40))
