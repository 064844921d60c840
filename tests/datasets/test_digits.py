import numpy as np
import sklearn.datasets

import keras_balance as kb


def test_keras_style_tuples():
    (x_train, y_train), (x_test, y_test) = kb.datasets.digits.load_data()
    assert x_train.shape == (1258, 8, 8)
    assert x_test.shape == (539, 8, 8)
    assert x_train.dtype == x_test.dtype == "uint8"
    assert y_train.dtype == y_test.dtype == "int64"
    assert x_train.min() == 0
    assert x_train.max() == 255


def test_split_is_stratified_and_uses_every_image_once():
    (x_train, y_train), (x_test, y_test) = kb.datasets.digits.load_data()
    train, test = np.bincount(y_train), np.bincount(y_test)
    np.testing.assert_allclose(train / (train + test), 0.7, atol=0.005)
    original = sklearn.datasets.load_digits()
    np.testing.assert_array_equal(train + test, np.bincount(original.target))
    both = np.sort(np.concatenate([x_train, x_test]).reshape(1797, 64), axis=0)
    expected = np.sort(np.round(original.data * 255 / 16), axis=0)
    np.testing.assert_array_equal(both, expected)


def test_test_images_come_later_than_training_images():
    (x_train, y_train), _ = kb.datasets.digits.load_data()
    original = sklearn.datasets.load_digits()
    first_nines = original.images[original.target == 9][:126]
    np.testing.assert_array_equal(
        x_train[y_train == 9], np.round(first_nines * 255 / 16)
    )


def test_nothing_is_random():
    first, second = kb.datasets.digits.load_data(), kb.datasets.digits.load_data()
    np.testing.assert_array_equal(first[0][0], second[0][0])
    np.testing.assert_array_equal(first[1][1], second[1][1])
