"""Images, then their features, and the other way about, in compiled functions."""

import keras
import numpy as np

from keras_balance.models import FewShotClassifier


def test_images_and_features_in_any_order():
    layers = [keras.layers.AveragePooling2D(4), keras.layers.Flatten()]
    backbone = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, (30, 8, 8, 1)).astype("float32")
    y = np.arange(30) % 3
    model = FewShotClassifier(backbone, 3, seed=0)
    model.fit(x, y, epochs=1, validation_data=(x, y), verbose=0)
    rows = model.features(x)
    losses = [model.evaluate(one, y, verbose=0)[0] for one in (x, rows, x)]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)
    shares = [model.predict(one, verbose=0) for one in (x, rows, x)]
    shares += [model.predict_on_batch(one) for one in (rows, x)]
    for one in shares[1:]:
        np.testing.assert_allclose(one, shares[0], atol=1e-6)
