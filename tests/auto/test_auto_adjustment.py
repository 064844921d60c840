"""The strength that is found, where it is known."""

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

import keras_balance as kb
from keras_balance.auto.auto_adjustment import beyond_tau
from keras_balance.auto.folds import stratified_folds
from keras_balance.metrics.adjustment import TAUS
from small_data import grey_images

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = np.array([600, 200, 30])


def world(counts, seed, bias=1.0):
    """Labels, and probabilities whose bias by the class shares is known.

    Features are normal, one mean a class; the probabilities are those of Bayes' rule
    for shares to the power of `bias`.
    """
    rng = np.random.default_rng(seed)
    indices = np.repeat(np.arange(3), counts)
    features = rng.normal(1.5 * np.eye(3)[indices])
    logits = 1.5 * features + bias * np.log(COUNTS / COUNTS.sum())
    shares = np.exp(logits)
    return indices, shares / shares.sum(axis=1, keepdims=True)


def find(target_prior="uniform", bias=1.0, seed=0, **arguments):
    indices, shares = world(COUNTS, seed, bias)
    auto = kb.tuners.AutoAdjustment(target_prior=target_prior, seed=0, **arguments)
    return auto.fit_predictions(shares, indices, COUNTS)


@pytest.mark.once
@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0, 1.5])
def test_equal_shares_find_the_bias(bias):
    assert find(bias=bias).tau == pytest.approx(bias, abs=0.25)


@pytest.mark.once
def test_natural_shares_want_less():
    natural, uniform = find("natural"), find("uniform")
    assert 0 < natural.tau < 0.9 < uniform.tau + 0.15
    # Each is better in its own world, on images that neither has seen.
    for counts, better, worse in [
        ([4000, 1333, 200], natural, uniform),
        ([1500] * 3, uniform, natural),
    ]:
        indices, shares = world(counts, seed=1)
        scores = [
            kb.metrics.class_report(indices, adjusted(auto, shares)).report_dict
            for auto in (better, worse)
        ]
        assert scores[0]["macro avg"]["f1-score"] > scores[1]["macro avg"]["f1-score"]


def adjusted(auto, shares):
    return shares * (COUNTS / COUNTS.sum()) ** -auto.tau


@pytest.mark.once
def test_given_shares_as_a_name_does():
    assert find(COUNTS).tau == find("natural").tau
    assert find([2, 2, 2]).tau == find("uniform").tau


@pytest.mark.once
def test_equal_shares_take_the_mean_of_what_log_loss_and_f1_ask_for():
    few = np.array([60, 20, 9])
    indices, shares = world(few, seed=2, bias=1.0)
    shares = _normalised(shares**1.5)  # too sure of itself
    moved = (_normalised(shares * (COUNTS / COUNTS.sum()) ** -tau) for tau in TAUS)
    weights = 1 / few[indices]
    losses = [log_loss(indices, one, sample_weight=weights) for one in moved]
    by_loss = TAUS[np.argmin(losses)]
    by_f1, found = (
        kb.tuners.AutoAdjustment(target_prior=prior, seed=0)
        .fit_predictions(shares, indices, COUNTS)
        .tau
        for prior in ([1, 1, 1.002], "uniform")
    )
    assert by_loss - by_f1 > 0.2
    assert found == pytest.approx((by_loss + by_f1) / 2, abs=0.04)


def _normalised(shares):
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.once
def test_what_no_strength_corrects():
    np.testing.assert_array_equal(beyond_tau(np.full(3, 1 / 3), COUNTS), 0)
    np.testing.assert_array_equal(beyond_tau(COUNTS / COUNTS.sum(), COUNTS), 0)
    rest = beyond_tau(np.array([0.2, 0.7, 0.1]), COUNTS)
    logs = np.log(COUNTS) - np.log(COUNTS).mean()
    assert rest @ logs == pytest.approx(0, abs=1e-9)
    assert rest[1] > 0.9
    equal = beyond_tau(np.array([0.2, 0.7, 0.1]), np.ones(3))
    np.testing.assert_allclose(np.exp(equal) / np.exp(equal).sum(), [0.2, 0.7, 0.1])


@pytest.mark.once
def test_table_marks_the_choice():
    auto = find()
    (marked,) = [line for line in auto.table().splitlines() if line.endswith("*")]
    assert marked.split()[0] == f"{auto.tau:g}"
    assert "macro f1" in auto.table()
    assert auto.probabilities.shape == (COUNTS.sum(), 3)


@pytest.mark.once
def test_one_sigmoid_output():
    indices, shares = world(COUNTS, 0)
    indices, second = np.minimum(indices, 1), shares[:, 1:].sum(axis=1)
    counts = np.bincount(indices)
    one = kb.tuners.AutoAdjustment(seed=0)
    one.fit_predictions(second[:, None], indices, counts)
    both = np.stack([1 - second, second], axis=1)
    two = kb.tuners.AutoAdjustment(seed=0).fit_predictions(both, indices, counts)
    assert one.tau == two.tau


@pytest.mark.once
def test_folds_hold_every_class_alike():
    indices = np.repeat([0, 1, 2], [100, 21, 2])
    folds = stratified_folds(indices, 10, seed=0)
    for c, most in [(0, 10), (1, 3), (2, 1)]:
        sizes = np.bincount(folds[indices == c], minlength=10)
        assert sizes.max() == most
        assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(folds, stratified_folds(indices, 10, seed=0))


def images(counts=(60, 40, 6), seed=0):
    return grey_images(counts, (4, 4, 1), step=15, spread=40, seed=seed)


def classifier():
    layers = [keras.Input((4, 4, 1)), keras.layers.Rescaling(1 / 255)]
    layers += [keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def test_a_classifier_that_diverges_is_named():
    def broken():
        model = classifier()
        model.layers[-1].kernel.assign(np.full((16, 3), np.nan))
        return model

    auto = kb.tuners.AutoAdjustment(broken, folds=2, seed=0, steps=1, verbose=0)
    with pytest.raises(FloatingPointError, match=r"NaN or infinite.*classifier="):
        auto.fit(*images())


def test_pixels_by_default(capsys):
    auto = kb.tuners.AutoAdjustment(folds=3, seed=0).fit(*images())
    assert 0 < auto.tau <= 2.5
    assert auto.class_counts.tolist() == [60, 40, 6]
    assert f"tau {auto.tau:g} is chosen" in capsys.readouterr().out
    again = kb.tuners.AutoAdjustment(folds=3, seed=0, verbose=0).fit(*images())
    assert again.tau == auto.tau
    assert capsys.readouterr().out == ""


def test_the_scale_of_the_pixels_changes_nothing():
    x, y = images()
    found = [
        kb.tuners.AutoAdjustment(folds=3, seed=0, verbose=0).fit(pixels, y)
        for pixels in (x, x.astype("float32") / 255)
    ]
    assert found[0].tau == found[1].tau
    shares = [auto.probabilities for auto in found]
    np.testing.assert_allclose(*shares, atol=0.01)
    assert shares[0].max() < 0.999  # not sure of everything, as without a prior


def test_features():
    def backbone(batch):
        return np.asarray(batch, "float32").mean(axis=(1, 2))

    auto = kb.tuners.AutoAdjustment(features=backbone, folds=3, seed=0, verbose=0)
    assert 0 < auto.fit(*images()).tau <= 2.5


def test_a_classifier_of_the_users_own():
    x, y = images()
    auto = kb.tuners.AutoAdjustment(classifier, folds=2, seed=0, steps=6, verbose=0)
    auto.fit(x, np.array(["a", "b", "c"])[y])
    np.testing.assert_allclose(auto.probabilities.sum(axis=1), 1, rtol=1e-4)
    model = classifier()
    outputs = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(x, verbose=0)))
    odds = outputs * (auto.class_counts / auto.class_counts.sum()) ** -auto.tau
    found = auto.adjust(model).predict(x, verbose=0)
    np.testing.assert_allclose(found, odds / odds.sum(axis=1, keepdims=True), rtol=1e-3)


def test_a_feed_of_the_users_own():
    fed = []

    def feed(x, y):
        fed.append(np.bincount(y).tolist())
        return kb.BalancedDataset(x, y, batch_size=32, seed=0)

    auto = kb.tuners.AutoAdjustment(
        classifier, folds=2, seed=0, steps=2, feed=feed, verbose=0
    )
    auto.fit(*images())
    assert [sum(counts) for counts in fed] == [53, 53]
    assert [counts[2] for counts in fed] == [3, 3]


def test_a_feed_that_is_none_is_refused():
    auto = kb.tuners.AutoAdjustment(
        classifier, folds=2, seed=0, steps=2, feed=lambda x, y: (x, y), verbose=0
    )
    with pytest.raises(TypeError, match="must return a BalancedDataset"):
        auto.fit(*images())


@pytest.mark.parametrize("options", [{"synthetic_weight": 0.5}, {"mix": "mixup"}])
def test_a_feed_that_weighs_or_mixes(options):
    def one_hot():
        model = classifier()
        if "mix" in options:
            model.compile("adam", keras.losses.CategoricalCrossentropy(True))
        return model

    auto = kb.tuners.AutoAdjustment(
        one_hot,
        folds=2,
        seed=0,
        steps=2,
        feed=lambda x, y: kb.BalancedDataset(x, y, seed=0, **options),
        verbose=0,
    )
    assert auto.fit(*images()).tau is not None


def test_adjusts_for_shares_beside_the_line():
    prior = np.array([0.2, 0.7, 0.1])
    indices, shares = world(COUNTS, 0)
    auto = kb.tuners.AutoAdjustment(target_prior=prior, seed=0)
    auto.fit_predictions(shares, indices, COUNTS)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Softmax()(inputs))
    found = auto.adjust(model).predict(np.log(shares), verbose=0)
    odds = adjusted(auto, shares) * np.exp(beyond_tau(prior, COUNTS))
    np.testing.assert_allclose(found, odds / odds.sum(axis=1, keepdims=True), rtol=1e-3)


def test_a_strength_for_each_class():
    biases = np.array([1.0, 1.0, 1.8])
    indices, shares = world(COUNTS, 0, biases)
    one, each = (
        kb.tuners.AutoAdjustment(per_class=per_class, seed=0, verbose=0)
        for per_class in (False, True)
    )
    for auto in (one, each):
        auto.fit_predictions(shares, indices, COUNTS)
    assert one.taus.tolist() == [one.tau] * 3
    assert each.tau == one.tau
    assert each.taus[2] > each.taus[1] + 0.1  # 0.8, but for what holds them together
    indices, shares = world([1500] * 3, 1, biases)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    losses = []
    for auto in (one, each):
        found = auto.adjust(model).predict(np.log(shares), verbose=0)
        losses.append(-np.log(found[np.arange(4500), indices]).mean())
    assert losses[1] < losses[0]
    # What it says of its own images is what the model does.
    again = each.adjust(model).predict(np.log(each.probabilities), verbose=0)
    np.testing.assert_allclose(again, each.adjusted_probabilities(), atol=1e-5)


@pytest.mark.once
def test_strengths_stay_together_where_one_serves_all():
    auto = find(per_class=True)
    np.testing.assert_allclose(auto.taus, auto.tau, atol=0.1)


@pytest.mark.once
def test_bad_arguments():
    make = kb.tuners.AutoAdjustment
    for arguments, error, text in [
        ({"folds": 1}, ValueError, "folds=1"),
        ({"features": "mobilenet"}, TypeError, "features='mobilenet'"),
        ({"classifier": classifier(), "features": None}, TypeError, "classifier="),
        ({"classifier": classifier, "features": len}, ValueError, "features="),
        ({"steps": 3}, ValueError, "steps=3"),
        ({"feed": len}, ValueError, "feed="),
        ({"feed": 3, "classifier": classifier}, TypeError, "feed=3"),
        ({"target_prior": "natual"}, ValueError, "target_prior='natual'"),
        ({"target_prior": ["a", "b"]}, TypeError, "target_prior="),
        ({"target_prior": [1, -1]}, ValueError, "target_prior="),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"per_class": "no"}, TypeError, "per_class='no'"),
        ({"per_class": True, "target_prior": "natural"}, ValueError, "per_class=True"),
    ]:
        with pytest.raises(error, match=f"Received: {text}"):
            make(**arguments)


@pytest.mark.once
def test_bad_data():
    indices, shares = world(COUNTS, 0)
    auto = kb.tuners.AutoAdjustment(seed=0, verbose=0)
    with pytest.raises(RuntimeError, match="first"):
        auto.table()
    with pytest.raises(RuntimeError, match="first"):
        auto.adjust(classifier())
    with pytest.raises(ValueError, match="Received: probabilities of shape"):
        auto.fit_predictions(shares[:-1], indices, COUNTS)
    with pytest.raises(ValueError, match="without class 2"):
        auto.fit_predictions(shares[:800], indices[:800], COUNTS)
    with pytest.raises(ValueError, match="one image of class 2"):
        auto.fit(*images((9, 9, 1)))
    with pytest.raises(ValueError, match="target_prior"):
        find("even")


@pytest.mark.once
def test_the_number_of_shares_is_looked_at_before_any_training():
    def never():
        raise NotImplementedError

    auto = kb.tuners.AutoAdjustment(never, target_prior=[1, 2], seed=0, verbose=0)
    with pytest.raises(ValueError, match=r"of 3\. Received: target_prior=\[1, 2\]"):
        auto.fit(*images())


def test_features_that_are_no_vectors():
    auto = kb.tuners.AutoAdjustment(features=lambda x: x, folds=2, seed=0, verbose=0)
    with pytest.raises(ValueError, match=r"vectors \(n, d\)"):
        auto.fit(*images())


def test_large_pictures_are_shrunk():
    x, y = images((8, 8, 4))
    x = x.repeat(10, axis=1).repeat(10, axis=2)
    auto = kb.tuners.AutoAdjustment(folds=2, seed=0, verbose=0).fit(x, y)
    assert auto.tau is not None
