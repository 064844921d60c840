import keras
import numpy as np
import pytest

from keras_balance.callbacks import RaiseOnNaN


def two_losses():
    """A model whose second loss alone can be made to diverge."""
    inputs = keras.Input((2,))
    outputs = {
        "calm": keras.layers.Dense(1, name="calm")(inputs),
        "wild": keras.layers.Dense(1, name="wild")(inputs),
    }
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"calm": "mse", "wild": "mse"}, run_eagerly=True)
    return model


def data(wild):
    x = np.ones((8, 2), "float32")
    return x, {"calm": x[:, :1], "wild": np.full((8, 1), wild, "float32")}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_error_names_the_loss_and_keeps_the_weights_before(bad):
    model = two_losses()
    watch = RaiseOnNaN()
    model.fit(*data(1.0), epochs=1, verbose=0, callbacks=[watch])
    before = [np.array(weight) for weight in model.get_weights()]
    with pytest.raises(
        FloatingPointError, match=r"epoch 1\. .*Received: \w*loss=(nan|inf)"
    ):
        model.fit(*data(bad), epochs=2, verbose=0, callbacks=[watch])
    for kept, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_weights_that_the_last_step_spoiled_are_undone():
    model = two_losses()
    before = [np.array(weight) for weight in model.get_weights()]
    model.optimizer.learning_rate = np.nan
    with pytest.raises(FloatingPointError, match=r"`calm/kernel` .* after epoch 1\."):
        model.fit(*data(1.0), verbose=0, callbacks=[RaiseOnNaN()])
    for kept, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_statistics_that_training_does_not_read_are_weights_too():
    norm = keras.layers.BatchNormalization(scale=False, center=False, name="norm")
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(1)(norm(inputs)[:, 1:])  # no loss sees the NaN
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.array([[np.nan, 0.0], [1.0, 1.0]], "float32")
    with pytest.raises(FloatingPointError, match=r"`norm/moving_mean` .* with nan"):
        model.fit(x, x[:, 1:], verbose=0, callbacks=[RaiseOnNaN()])
    np.testing.assert_array_equal(norm.moving_mean, [0.0, 0.0])


def test_what_is_not_trained_may_be_infinite():
    model = two_losses()
    model.layers[1].kernel.assign(np.full((2, 1), np.inf))
    model.layers[1].trainable = False
    watch = RaiseOnNaN()
    watch.set_model(model)
    watch.on_epoch_begin(0)
    watch.on_epoch_end(0, {"loss": 1.0})


def test_validation_losses_count_and_other_scores_do_not():
    watch = RaiseOnNaN()
    watch.set_model(two_losses())
    watch.on_epoch_begin(0)
    watch.on_epoch_end(0, {"loss": 1.0, "val_recall_7": np.nan})
    with pytest.raises(FloatingPointError, match="val_loss=nan"):
        watch.on_epoch_end(0, {"loss": 1.0, "val_loss": np.nan})
