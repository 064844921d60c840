"""Gradients on the backend in use: all that a generator has to know of it.

Every backend gives the same four functions:

- `run(model, step, arguments)`: run `step(data)` as the body of
  `Model.train_step(*arguments)` and return what Keras' trainer expects.
- `minimize(model, loss_function, optimizer, variables)`: one optimiser step on
  `variables`; returns the value of `loss_function()` before it.
- `differentiate(function, inputs)`: the gradient of the sum of `function(inputs)` by
  `inputs`, within a loss function that is minimised in its turn.
- `keep_random_state()`: a context that gives the backend's own generator back as it
  was, where the backend shows its state.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_balance.models.training.gradients.tensorflow import (
        differentiate as differentiate,
    )
    from keras_balance.models.training.gradients.tensorflow import (
        keep_random_state as keep_random_state,
    )
    from keras_balance.models.training.gradients.tensorflow import minimize as minimize
    from keras_balance.models.training.gradients.tensorflow import run as run
elif keras.backend.backend() == "jax":
    from keras_balance.models.training.gradients.jax import (
        differentiate as differentiate,
    )
    from keras_balance.models.training.gradients.jax import (
        keep_random_state as keep_random_state,
    )
    from keras_balance.models.training.gradients.jax import minimize as minimize
    from keras_balance.models.training.gradients.jax import run as run
else:
    from keras_balance.models.training.gradients.torch import (
        differentiate as differentiate,
    )
    from keras_balance.models.training.gradients.torch import (
        keep_random_state as keep_random_state,
    )
    from keras_balance.models.training.gradients.torch import minimize as minimize
    from keras_balance.models.training.gradients.torch import run as run
