"""Class weights that come late."""

import keras
import numpy as np
import pytest

import keras_balance as kb

pytestmark = pytest.mark.usefixtures("eager")

COUNTS = [6, 2]
X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]], "float32") / 7
Y = np.array([0] * 6 + [1] * 2)


def classifier(units=2, loss="sparse_categorical_crossentropy", **compiled):
    keras.utils.set_random_seed(3)
    activation = "softmax" if units > 1 else "sigmoid"
    dense = keras.layers.Dense(units, activation)
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, **compiled)
    return model


def fit(model, y=Y, epochs=5, callbacks=(), **arguments):
    arguments = {"batch_size": 4, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(X, y, epochs=epochs, callbacks=[*callbacks], **arguments).history


def by_class_weight(callback, first, epochs=5, **arguments):
    """Weights of a model that `fit` itself weighs from an epoch on."""
    model = classifier(**arguments)
    fit(model, epochs=first)
    weights = dict(enumerate(callback.weights))
    fit(model, epochs=epochs, initial_epoch=first, class_weight=weights)
    return model.get_weights()


def check_equal(model, weights):
    for mine, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_weights_come_with_the_last_fifth():
    callback = kb.callbacks.DeferredReweighting(COUNTS, beta=0.9)
    weights = (1 - 0.9) / (1 - 0.9 ** np.array(COUNTS))
    np.testing.assert_allclose(callback.weights, 2 * weights / weights.sum())
    model = classifier(run_eagerly=False)
    fit(model, callbacks=[callback])
    check_equal(model, by_class_weight(callback, 4))


def test_start():
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0.5)
    model = classifier()
    fit(model, epochs=3, callbacks=[callback])
    check_equal(model, by_class_weight(callback, 2, epochs=3))
    never = kb.callbacks.DeferredReweighting(COUNTS, start=1)
    model, plain = classifier(), classifier()
    fit(model, epochs=2, callbacks=[never])
    fit(plain, epochs=2)
    check_equal(model, plain.get_weights())


def test_resumes():
    whole, halved = classifier(), classifier()
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0.4)
    fit(whole, callbacks=[callback])
    fit(halved, epochs=5, callbacks=[callback, _StopAfter(3)])
    fit(halved, epochs=5, callbacks=[callback], initial_epoch=3)
    check_equal(halved, whole.get_weights())


class _StopAfter(keras.callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 >= self.epochs


def test_forms_of_labels():
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0)
    sparse, column, one_hot = [
        classifier(loss=loss)
        for loss in ["sparse_categorical_crossentropy"] * 2
        + ["categorical_crossentropy"]
    ]
    fit(sparse, Y, callbacks=[callback], epochs=1)
    fit(column, Y[:, None], callbacks=[callback], epochs=1)
    check_equal(column, sparse.get_weights())
    fit(one_hot, np.eye(2)[Y], callbacks=[callback], epochs=1)
    check_equal(one_hot, sparse.get_weights())


def test_soft_labels_weigh_the_mean_of_their_classes():
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0)
    soft = np.linspace([0.0, 1.0], [1.0, 0.0], len(X))
    model, other = [classifier(loss="categorical_crossentropy") for _ in range(2)]
    fit(model, soft, callbacks=[callback], epochs=1)
    fit(other, soft, sample_weight=soft @ callback.weights, epochs=1)
    check_equal(model, other.get_weights())


def test_one_sigmoid_output_and_sample_weights():
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0)
    sample_weight = np.arange(1.0, 9.0)
    model = classifier(1, "binary_crossentropy")
    fit(model, callbacks=[callback], sample_weight=sample_weight, epochs=2)
    other = classifier(1, "binary_crossentropy")
    fit(other, sample_weight=sample_weight * callback.weights[Y], epochs=2)
    check_equal(model, other.get_weights())


def test_validation_is_not_weighed_and_the_model_gets_its_loss_back():
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0)
    model = classifier(loss=kb.losses.LDAM(COUNTS))
    model.optimizer.learning_rate = 0.0
    unweighted = pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
    history = fit(model, epochs=1, callbacks=[callback], validation_data=(X, Y))
    assert history["val_loss"][0] == unweighted
    assert history["loss"][0] != unweighted
    assert "compute_loss" not in vars(model)
    assert fit(model, epochs=1)["loss"][0] == unweighted


def test_a_loss_of_the_users_own_stays_in_the_model():
    model = classifier()
    plain = model.compute_loss

    def halved(*arguments, **options):
        return plain(*arguments, **options) / 2

    model.compute_loss = halved
    fit(model, epochs=1, callbacks=[kb.callbacks.DeferredReweighting(COUNTS, start=0)])
    assert model.compute_loss is halved


def test_two_in_one_training_are_refused():
    two = [kb.callbacks.DeferredReweighting(COUNTS, start=0) for _ in range(2)]
    model = classifier()
    with pytest.raises(ValueError, match="one `DeferredReweighting` at most"):
        fit(model, epochs=1, callbacks=two)
    assert "compute_loss" not in vars(model)
    fit(model, epochs=1, callbacks=two[:1])


def test_labels_of_several_outputs():
    callback, model = kb.callbacks.DeferredReweighting(COUNTS, start=0), classifier()
    callback.set_model(model)
    callback.set_params({"epochs": 1})
    callback.on_epoch_begin(0)
    with pytest.raises(ValueError, match="one array of labels"):
        model.compute_loss(y={"one": Y, "other": Y}, y_pred=np.ones((8, 2)))


def test_counts_of_another_number_of_classes_are_refused():
    # On JAX the weight of a label beyond them is NaN.
    callback = kb.callbacks.DeferredReweighting([6, 2, 1])
    with pytest.raises(ValueError, match="3 of them, and a model of 2 classes"):
        fit(classifier(), callbacks=[callback])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"class_counts": [3]}, ValueError, "class_counts"),
        ({"beta": 1}, ValueError, "beta=1"),
        ({"start": 1.5}, ValueError, "start=1.5"),
        ({"start": "0.8"}, TypeError, "start='0.8'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        kb.callbacks.DeferredReweighting(**{"class_counts": COUNTS} | arguments)


class _Interrupt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_new", [True, False])
def test_what_an_interrupted_training_has_left_is_taken_out(is_new):
    model = classifier()
    model.optimizer.learning_rate.assign(0.0)
    callback = kb.callbacks.DeferredReweighting(COUNTS, start=0)
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=1, callbacks=[callback, _Interrupt()])
    never = kb.callbacks.DeferredReweighting(COUNTS, start=1)
    if not is_new:
        never, callback.start = callback, 1
    loss = fit(model, epochs=1, callbacks=[never])["loss"][0]
    assert loss == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)
