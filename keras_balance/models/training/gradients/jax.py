"""Gradients on JAX, whose trainer keeps the model's state outside the model."""

import contextlib

import jax
import keras


def run(model, step, arguments):
    """Run a training step on the state that JAX's trainer hands over.

    The state is `(trainable, non_trainable, optimizer, metrics)` variables. The
    step reads and writes variables as on the other backends, inside a
    `StatelessScope` that holds their values.
    """
    state, data = arguments
    groups = _variable_groups(model)
    mapping = [
        pair
        for group, values in zip(groups, state, strict=True)
        for pair in zip(group, values, strict=True)
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        logs = step(data)
    state = tuple([_value(scope, variable) for variable in group] for group in groups)
    return logs, state


def minimize(model, loss_function, optimizer, variables):
    """One optimiser step on `variables`; returns the loss before it."""
    others = [
        variable
        for group in _variable_groups(model)
        for variable in group
        if all(variable is not trained for trained in variables)
    ]

    def loss_and_side_effects(values):
        mapping = [(variable, variable.value) for variable in others]
        mapping += zip(variables, values, strict=True)
        with keras.StatelessScope(state_mapping=mapping) as scope:
            loss = loss_function()
        return loss, [_value(scope, variable) for variable in others]

    (loss, side_effects), gradients = jax.value_and_grad(
        loss_and_side_effects, has_aux=True
    )([variable.value for variable in variables])
    for variable, value in zip(others, side_effects, strict=True):
        variable.assign(value)
    optimizer.apply(gradients, variables)
    return loss


def keep_random_state():
    """Give nothing back: JAX has no generator of its own."""
    return contextlib.nullcontext()


def differentiate(function, inputs):
    """Gradient of the sum of `function(inputs)` by `inputs`."""
    return jax.grad(lambda some: function(some).sum())(inputs)


def _variable_groups(model):
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def _value(scope, variable):
    value = scope.get_current_value(variable)
    return variable.value if value is None else value
