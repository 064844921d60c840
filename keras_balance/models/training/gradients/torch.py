"""Gradients on torch."""

import torch


def run(model, step, arguments):
    """Run a training step; torch's trainer hands over the data alone."""
    (data,) = arguments
    return step(data)


def minimize(model, loss_function, optimizer, variables):
    """One optimiser step on `variables`; returns the loss before it."""
    loss = loss_function()
    gradients = torch.autograd.grad(loss, [variable.value for variable in variables])
    with torch.no_grad():
        optimizer.apply(list(gradients), variables)
    return loss.detach()


def keep_random_state():
    """Give torch's generators back as they were, after a `with`."""
    return torch.random.fork_rng(range(torch.cuda.device_count()))


def differentiate(function, inputs):
    """Gradient of the sum of `function(inputs)` by `inputs`."""
    inputs = inputs.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(inputs).sum(), inputs, create_graph=True)
    return gradient
