"""One step, three backends: the same losses from the same weights and inputs."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_balance.models import BAGAN
from keras_balance.models.generators.bagan import steps
from keras_balance.models.training import gradients

# Read off on TensorFlow; every backend must agree.
EXPECTED = {"autoencoder": 0.400616, "d": 1.366683, "g": 1.854014}


def fixed_bagan():
    bagan = BAGAN((8, 8, 1), 3, latent_dim=4, augmentation=None, seed=0)
    bagan.compile(code_noise=0)
    rng = np.random.default_rng(0)
    for network in (bagan.encoder, bagan.decoder, bagan.discriminator):
        network.set_weights(
            [rng.normal(scale=0.1, size=w.shape) for w in network.get_weights()]
        )
    bagan.label_head.set_weights(
        [rng.normal(scale=0.1, size=w.shape) for w in bagan.label_head.get_weights()]
    )
    return bagan


def run_step(bagan, step):
    """Run `step(data)` as a trainer of the backend does."""
    rng = np.random.default_rng(1)
    images = ops.convert_to_tensor(rng.uniform(0, 255, (6, 8, 8, 1)), "float32")
    labels = ops.convert_to_tensor(np.arange(6) % 3, "int32")
    data = (images, labels)
    if keras.backend.backend() != "jax":
        return gradients.run(bagan, step, (data,))
    groups = (
        bagan.trainable_variables,
        bagan.non_trainable_variables,
        bagan.optimizer.variables,
        bagan.metrics_variables,
    )
    state = tuple([variable.value for variable in group] for group in groups)
    logs, state = gradients.run(bagan, step, (state, data))
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    return logs


def autoencoder(bagan):
    return functools.partial(steps.autoencoder_step, bagan)


def both_gan_losses(bagan):
    rng = np.random.default_rng(2)
    codes = ops.convert_to_tensor(rng.normal(size=(6, 4)), "float32")
    fakes = ops.convert_to_tensor(rng.uniform(-1, 1, (6, 8, 8, 1)), "float32")

    def step(data):
        images, labels = bagan.read_batch(data)
        return {
            "d": steps.train_discriminator(bagan, images, labels, fakes),
            "g": steps.train_generator(bagan, images, codes, labels),
        }

    return step


def test_first_losses_agree_on_all_backends():
    bagan = fixed_bagan()
    losses = run_step(bagan, autoencoder(bagan))
    losses |= run_step(fixed := fixed_bagan(), both_gan_losses(fixed))
    values = {key.removesuffix("_loss"): float(value) for key, value in losses.items()}
    assert values == pytest.approx(EXPECTED, abs=1e-4)


def test_a_step_trains_the_variables_of_its_phase_alone():
    bagan = fixed_bagan()
    parts = ("encoder", "decoder", "label_head", "discriminator", "generator")

    def changed(step):
        before = {part: getattr(bagan, part).get_weights() for part in parts}
        run_step(bagan, step)
        return {
            part
            for part in parts
            for old, new in zip(
                before[part], getattr(bagan, part).get_weights(), strict=True
            )
            if not np.array_equal(old, new)
        }

    assert changed(autoencoder(bagan)) == {"encoder", "decoder", "label_head"}
    assert changed(both_gan_losses(bagan)) == {"decoder", "discriminator"}


def test_losses_fall():
    bagan = fixed_bagan()
    first = float(run_step(bagan, autoencoder(bagan))["autoencoder_loss"])
    for _ in range(20):
        bagan.reset_metrics()
        last = float(run_step(bagan, autoencoder(bagan))["autoencoder_loss"])
    assert last < 0.9 * first


def test_a_gradient_can_be_minimised():
    """Of (w x)^2 by x it is 2 w^2 x, and that has the gradient 4 w x by w."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.1))
    model.optimizer.build(model.trainable_variables)
    x = ops.convert_to_tensor([[1.0], [2.0]])

    def loss_function():
        return ops.mean(gradients.differentiate(lambda x: ops.square(model(x)), x))

    loss = gradients.minimize(
        model, loss_function, model.optimizer, model.trainable_variables
    )
    assert float(loss) == pytest.approx(3)
    kernel = ops.convert_to_numpy(dense.kernel)
    assert float(kernel[0, 0]) == pytest.approx(1 - 0.1 * 6)
