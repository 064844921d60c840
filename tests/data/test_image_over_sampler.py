import keras
import numpy as np
import pytest

from keras_balance.data import ImageOverSampler, LabelledImages

X = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 1)).astype("uint8")
Y = np.array([5] * 40 + [9] * 10)


@pytest.mark.parametrize("synthesizer", [None, keras.layers.RandomFlip(seed=0)])
def test_real_images_first(synthesizer):
    sampler = ImageOverSampler(synthesizer=synthesizer, random_state=0, shuffle=False)
    x, y = sampler.fit_resample(X, Y)
    assert x.dtype == X.dtype
    assert x.shape == (80, 4, 4, 1)
    np.testing.assert_array_equal(x[:50], X)
    np.testing.assert_array_equal(y, np.r_[Y, [9] * 30])
    assert sampler.sampling_strategy_ == {9: 30}
    again, _ = sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(again, x)


def test_encodings_and_precision():
    x = X.astype("float64") + 1e-9
    one_hot = np.eye(2)[(Y == 9).astype(int)]
    resampled, labels = ImageOverSampler(shuffle=False).fit_resample(x, one_hot)
    np.testing.assert_array_equal(resampled[:50], x)
    assert labels.sum(axis=0).tolist() == [40, 40]


def test_shuffled_so_that_a_split_by_position_does_not_leak():
    x, y = ImageOverSampler(random_state=0).fit_resample(X, Y)
    in_order, labels = ImageOverSampler(random_state=0, shuffle=False).fit_resample(
        X, Y
    )
    assert len(set(y[-20:].tolist())) == 2
    assert (y != labels).any()
    # Images and labels move together, and none is lost.
    rows = [tuple(image.ravel()) for image in in_order]
    assert sorted(tuple(image.ravel()) for image in x) == sorted(rows)
    of_image = dict(zip(rows, labels, strict=True))
    assert [of_image[tuple(image.ravel())] for image in x] == y.tolist()
    again, _ = ImageOverSampler(random_state=0).fit_resample(X, Y)
    np.testing.assert_array_equal(again, x)


@pytest.mark.parametrize("length", [50, 1024])
def test_nothing_to_do(length):
    x = np.zeros((length, 2, 2, 1), "uint8")
    sampler = ImageOverSampler(sampling_strategy={})
    resampled, _ = sampler.fit_resample(x, np.arange(length) % 2)
    assert len(resampled) == length
    assert sampler.sampling_strategy_ == {}


def test_classes_are_called_as_in_counts():
    images = LabelledImages(X, Y, titles=["cat", "newt"])
    sampler = ImageOverSampler({"newt": 12})
    sampler.fit_resample(images, None)
    assert sampler.sampling_strategy_ == {"newt": 2}


def test_a_random_state_of_numpy_is_drawn_from():
    state = np.random.RandomState(0)
    first, second, again = (
        ImageOverSampler(random_state=one).fit_resample(X, Y)[1].tolist()
        for one in (state, state, np.random.RandomState(0))
    )
    assert first == again != second


def test_params():
    sampler = ImageOverSampler().set_params(random_state=3)
    assert sampler.get_params()["random_state"] == 3
    with pytest.raises(ValueError, match="speed=1"):
        sampler.set_params(speed=1)


def test_in_a_pipeline():
    pytest.importorskip("imblearn")
    from imblearn.pipeline import Pipeline
    from sklearn.base import BaseEstimator, ClassifierMixin, clone

    class Counter(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.counts_ = np.bincount(y)
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    pipeline = Pipeline([("balance", ImageOverSampler("all")), ("fit", Counter())])
    pipeline = clone(pipeline).set_params(balance__random_state=0)
    pipeline.fit(X, Y)
    assert pipeline["fit"].counts_[[5, 9]].tolist() == [40, 40]
    assert len(pipeline.predict(X)) == 50


def test_masks_stay_masks_and_large_numbers_exact():
    is_ink = X > 200
    sampler = ImageOverSampler(synthesizer="manual", random_state=0, shuffle=False)
    made = sampler.fit_resample(is_ink, Y)[0]
    assert made.dtype == bool
    assert abs(made[50:].mean() - is_ink[Y == 9].mean()) < 0.15
    large = X.astype("int32") * 2**20 + 1
    repeated = ImageOverSampler(random_state=0, shuffle=False).fit_resample(large, Y)[0]
    assert (repeated % 2**20 == 1).all()


@pytest.mark.parametrize(("state", "error"), [("0", TypeError), (-1, ValueError)])
def test_a_bad_random_state_is_called_so(state, error):
    with pytest.raises(error, match=f"Received: random_state={state!r}"):
        ImageOverSampler(random_state=state).fit_resample(X, Y)
