"""The optimizers of both phases behind one object."""

import keras


@keras.saving.register_keras_serializable(package="keras_balance")
class PhaseOptimizers(keras.optimizers.Optimizer):
    """Three optimizers as one, so that Keras' trainers and savers carry them all.

    Keras keeps the variables of `model.optimizer` alone: through a training step
    on JAX, in a `.keras` file, in a backup. `learning_rate` is that of the phase
    in progress, so that `LearningRateScheduler` and `ReduceLROnPlateau` work.

    Args:
        autoencoder: Optimizer of encoder and decoder in the first phase.
        discriminator: Optimizer of the discriminator in the second phase.
        generator: Optimizer of the decoder in the second phase.
    """

    def __init__(self, autoencoder, discriminator, generator, name="phase_optimizers"):
        super().__init__(learning_rate=0.0, name=name)
        self.autoencoder = keras.optimizers.get(autoencoder)
        self.discriminator = keras.optimizers.get(discriminator)
        self.generator = keras.optimizers.get(generator)
        self.phase = "autoencoder"

    def build_phases(self, autoencoder, discriminator, generator):
        """Create the slots of each optimizer for its own list of variables."""
        self.autoencoder.build(autoencoder)
        self.discriminator.build(discriminator)
        self.generator.build(generator)
        self.built = True

    def build(self, variables):
        """Nothing to do: the model calls `build_phases`."""

    @property
    def variables(self):
        """All variables of the three optimizers."""
        optimizers = (self.autoencoder, self.discriminator, self.generator)
        return [
            variable for optimizer in optimizers for variable in optimizer.variables
        ]

    @property
    def learning_rate(self):
        """Learning rate of the phase in progress; the generator's in the second."""
        return self._active[-1].learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        for optimizer in self._active:
            optimizer.learning_rate = learning_rate

    @property
    def _active(self):
        if self.phase == "autoencoder":
            return (self.autoencoder,)
        return (self.discriminator, self.generator)

    def save_own_variables(self, store):
        """Nothing to do: Keras' saver visits the three optimizers itself."""

    def load_own_variables(self, store):
        """Nothing to do: Keras' saver visits the three optimizers itself."""

    def get_config(self):
        """Configs of the three optimizers."""
        return {
            "autoencoder": keras.optimizers.serialize(self.autoencoder),
            "discriminator": keras.optimizers.serialize(self.discriminator),
            "generator": keras.optimizers.serialize(self.generator),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Rebuild from `get_config`."""
        return cls(**config)
