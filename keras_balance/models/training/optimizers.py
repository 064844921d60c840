"""The optimizers of all phases behind one object."""

import keras


@keras.saving.register_keras_serializable(package="keras_balance")
class PhaseOptimizers(keras.optimizers.Optimizer):
    """Named optimizers as one, so that Keras' trainers and savers carry them all.

    Keras keeps the variables of `model.optimizer` alone: through a training step
    on JAX, in a `.keras` file, in a backup. `learning_rate` is that of the phase
    in progress, so that `LearningRateScheduler` and `ReduceLROnPlateau` work.

    Args:
        optimizers: dict of name to optimizer.
        phases: dict of phase to the names of its optimizers, the first phase first.
            `learning_rate` is that of the last name.

    Example:
        >>> optimizer = PhaseOptimizers({"all": "adam"}, {"training": ["all"]})
        >>> optimizer.build_each({"all": model.trainable_variables})
    """

    def __init__(self, optimizers, phases, name="phase_optimizers"):
        super().__init__(learning_rate=0.0, name=name)
        # Not `optimizers`: Keras' callbacks take that for another class of theirs.
        self.parts = {
            key: keras.optimizers.get(optimizer)
            for key, optimizer in optimizers.items()
        }
        self.phases = {phase: list(names) for phase, names in phases.items()}
        self.phase = next(iter(self.phases))

    def __getitem__(self, name):
        return self.parts[name]

    def build_each(self, variables):
        """Create the slots of each optimizer.

        Args:
            variables: dict of an optimizer's name to the variables it trains.
        """
        for name, some in variables.items():
            self.parts[name].build(some)
        self.built = True

    def build(self, variables):
        """Nothing to do: the model calls `build_each`."""

    @property
    def variables(self):
        """All variables of all optimizers."""
        return [
            variable
            for optimizer in self.parts.values()
            for variable in optimizer.variables
        ]

    @property
    def learning_rate(self):
        """Learning rate of the phase in progress; of its last optimizer."""
        return self._active[-1].learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        for optimizer in self._active:
            optimizer.learning_rate = learning_rate

    @property
    def _active(self):
        return [self.parts[name] for name in self.phases[self.phase]]

    def save_own_variables(self, store):
        """Nothing to do: Keras' saver visits the optimizers itself."""

    def load_own_variables(self, store):
        """Nothing to do: Keras' saver visits the optimizers itself."""

    def get_config(self):
        """Configs of the optimizers, and the phases."""
        return {
            "optimizers": {
                name: keras.optimizers.serialize(optimizer)
                for name, optimizer in self.parts.items()
            },
            "phases": {phase: list(names) for phase, names in self.phases.items()},
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Rebuild from `get_config`."""
        return cls(**config)
