"""Gradients on TensorFlow."""

import contextlib

import tensorflow as tf


def run(model, step, arguments):
    """Run a training step; TensorFlow's trainer hands over the data alone."""
    (data,) = arguments
    return step(data)


def minimize(model, loss_function, optimizer, variables):
    """One optimiser step on `variables`; returns the loss before it."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        loss = loss_function()
        # A strategy adds up the gradients of its replicas.
        share = loss / tf.distribute.get_strategy().num_replicas_in_sync
    gradients = tape.gradient(share, [variable.value for variable in variables])
    optimizer.apply(gradients, variables)
    return loss


def keep_random_state():
    """Give nothing back: TensorFlow does not show what it has drawn."""
    return contextlib.nullcontext()


def differentiate(function, inputs):
    """Gradient of the sum of `function(inputs)` by `inputs`."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return tape.gradient(outputs, inputs)
