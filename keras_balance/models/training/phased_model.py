"""A Keras model that is trained in phases, and keeps its best checkpoint."""

from functools import partial

import keras
import numpy as np
from keras import ops

from keras_balance.models.training import gradients
from keras_balance.models.training.files import AtomicModel
from keras_balance.models.training.optimizers import PhaseOptimizers
from keras_balance.models.training.phases import DIVERSITY
from keras_balance.models.training.weights import WeightCopies
from keras_balance.utils.numbers import real_number, whole_number
from keras_balance.utils.seeds import check_seed

# Of `keras.Model.compile`: the others are the model's own affair.
_COMPILE_OPTIONS = {"run_eagerly", "jit_compile", "steps_per_execution"}


class PhasedModel(AtomicModel):
    """Base of models that are trained in phases, under a `Course`.

    A subclass has `phases`; in `__init__` it builds its networks and calls
    `finish_building`; in `compile` it calls `compile_phases`; and it overrides
    `trained_by` and `served`, and where it needs them `begin_phase` and `settle`.

    Args:
        candidates: Number of checkpoints of the last phase that are judged; 0 keeps
            the last one.
        seed: Integer or None.

    Attributes:
        phase: Name of the phase in progress, or of the last one.
        candidate_scores: dict of epoch to the usefulness of its checkpoint, in the last
            `fit`; a file does not hold them.
        plan: dict of the epochs of the earlier phases, and of the batches of an epoch.
        pending: Arguments for `settle`, where training went on since; or None.
    """

    # `Phase`s of a training, in their order.
    phases = ()

    def __init__(self, candidates=3, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.candidates = whole_number("candidates", candidates, 0)
        self.root_seed = check_seed(seed)
        self.seed = None if seed is None else self.root_seed
        self.seeds = keras.random.SeedGenerator(self.root_seed)
        self.phase = self.phases[0].name
        self.candidate_scores = {}
        self.plan = {}
        self.pending = None
        self._compile_config = None

    def finish_building(self, *log_names):
        """Make what depends on the networks; at the end of `__init__`.

        Args:
            *log_names: Keys of the logs of all phases.
        """
        self.epochs_trained = self.add_weight(
            name="epochs_trained",
            shape=(len(self.phases),),
            initializer="zeros",
            trainable=False,
            dtype="float32",
        )
        self.best_score = self.add_weight(
            name="best_score",
            shape=(),
            initializer=keras.initializers.Constant(-1.0),
            trainable=False,
            dtype="float32",
        )
        self.best = WeightCopies(self.served, name="best")
        self.trackers = {key: keras.metrics.Mean(key) for key in log_names}
        self.built = True

    # What a model is made of.

    @property
    def log_names(self):
        """Keys of the logs of all phases."""
        is_watched = any(phase.is_adversarial for phase in self.phases)
        return [*self.trackers, *([DIVERSITY] if is_watched else [])]

    @property
    def trained_by(self):
        """Dict of the name of each optimizer to the variables it trains."""
        raise NotImplementedError

    @property
    def served(self):
        """The variables that `draw` reads: those of a checkpoint."""
        raise NotImplementedError

    def begin_phase(self, phase, images, labels):
        """Prepare the first step of a phase; a resumed training skips it.

        It leaves nothing to `settle`: `draw` reads what the phase begins with.

        Args:
            phase: Its name.
            images: A sample of the real images `(n, ...)` in `value_range`.
            labels: Their class indices `(n,)`.
        """

    def settle(self, images, labels):
        """Fit to the weights as they are what `draw` needs beside them.

        After an epoch, when somebody asks for images, and at the end of a training;
        the arguments are those of `begin_phase`. The phase that the weights are of is
        told by `has_trained`: they may have been put back from an earlier one.
        """

    def end_training(self, images, labels):
        """Do what is to be done once, when the last epoch is over."""

    def unseen(self, images, labels):
        """Real images that a checkpoint may be judged by."""
        return images, labels

    # A training.

    def compile_phases(self, optimizers, weights, shares=None, counts=None, **kwargs):
        """Compile with optimizers, and set the weights of the losses.

        Args:
            optimizers: dict of name to optimizer, the names those of `phases`.
            weights: dict of further arguments of `compile`, from 0 on, to be kept as
                attributes.
            shares: dict of more of these, from 0 to 1.
            counts: dict of more of these, integers from 1 on.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        options = self._read_options(kwargs, optimizers)
        numbers = {
            **{name: real_number(name, one, 0) for name, one in weights.items()},
            **{
                name: real_number(name, one, 0, 1)
                for name, one in (shares or {}).items()
            },
            **{
                name: whole_number(name, one, 1) for name, one in (counts or {}).items()
            },
        }
        names = {phase.name: phase.optimizers for phase in self.phases}
        optimizer = PhaseOptimizers(optimizers, names)
        optimizer.build_each(self.trained_by)
        for name, value in numbers.items():
            setattr(self, name, value)
        super().compile(optimizer=optimizer, auto_scale_loss=False, **options)
        self._compile_config = {"weights": numbers, "options": options}

    def _read_options(self, options, optimizers):
        """Options of `keras.Model.compile` that are none of its losses and metrics."""
        for name in options.keys() - _COMPILE_OPTIONS:
            own = ", ".join(f"`{optimizer}_optimizer`" for optimizer in optimizers)
            raise TypeError(
                f"`compile` must be given an optimizer a phase, {own}: losses and "
                f"metrics are the model's own. Received: {name}={options[name]!r}"
            )
        return dict(options)

    def get_compile_config(self):
        """Arguments of `compile`, for `compile_from_config`; None without them."""
        if not self.compiled:
            return None
        serialize = keras.optimizers.serialize
        optimizers = self.optimizer.parts.items()
        named = {name: serialize(optimizer) for name, optimizer in optimizers}
        return {"optimizers": named, **self._compile_config}

    def compile_from_config(self, config):
        """Compile as the saved model was."""
        optimizers = {
            f"{name}_optimizer": keras.optimizers.deserialize(optimizer)
            for name, optimizer in config["optimizers"].items()
        }
        self.compile(**optimizers, **config["weights"], **config["options"])

    def train_step(self, *arguments):
        """One step of the phase in progress; the arguments are the backend's."""
        step = next(phase.step for phase in self.phases if phase.name == self.phase)
        return gradients.run(self, partial(step, self), arguments)

    def track(self, **values):
        """Give the logs of a step: the means of its values."""
        for key, value in values.items():
            self.trackers[key].update_state(value)
        return {key: self.trackers[key].result() for key in values}

    def noise(self, like, length, stddev=1.0):
        """Draw normal noise, float32 `(n, length)`: a row for each of `like`."""
        shape = (ops.shape(like)[0], length)
        return keras.random.normal(
            shape, stddev=stddev, seed=self.seeds, dtype="float32"
        )

    def minimize(self, name, loss_function):
        """One step of an optimizer on what it trains; returns the loss before it."""
        return gradients.minimize(
            self, loss_function, self.optimizer[name], self.trained_by[name]
        )

    # What `Course` does with it.

    def enter(self, phase):
        """Make the next training steps those of a phase."""
        self.optimizer.phase = phase
        if phase != self.phase:
            self.phase = phase
            # A step is traced for one phase, without a branch in it.
            self.train_function = None
            self.make_train_function()

    def forget_training(self, phase):
        """Begin the count of epochs and the choice anew, from a phase on."""
        counts = self._counts()
        counts[self._place(phase) :] = 0
        self.epochs_trained.assign(counts)
        self.best_score.assign(-1.0)
        self.candidate_scores, self.pending = {}, None

    def count_epoch(self, phase):
        """Note that an epoch of a phase was trained."""
        counts = self._counts()
        counts[self._place(phase)] += 1
        self.epochs_trained.assign(counts)

    @property
    def is_fitted(self):
        """Whether there is something learned to draw from."""
        return self.pending is not None or bool(self._counts().any())

    def has_trained(self, phase):
        """Whether the weights have seen an epoch of a phase."""
        return bool(self._counts()[self._place(phase)] > 0)

    def settle_pending(self):
        """Do what `settle` does, where training went on since."""
        if self.pending is not None:
            self.settle(*self.pending)
            self.pending = None

    def save_own_variables(self, store):
        """Save the weights, and what `draw` needs beside them.

        Every saver calls it before it visits the parts of the model.
        """
        self.settle_pending()
        super().save_own_variables(store)

    def keep_best(self):
        """Keep what `draw` reads now."""
        self.best.keep(self.served)

    def serve_best(self):
        """Draw by what `keep_best` kept."""
        self.best.give_back(self.served)

    def _counts(self):
        return np.array(ops.convert_to_numpy(self.epochs_trained))

    def _place(self, phase):
        return [one.name for one in self.phases].index(phase)

    def get_training_state(self):
        """Give what of a training is not in variables, as plain data."""
        return {
            "seed": self.root_seed,
            "phase": self.phase,
            "plan": dict(self.plan),
            "candidate_scores": dict(self.candidate_scores),
        }

    def set_training_state(self, state):
        """Go on with a training from what `get_training_state` gave.

        Raises:
            ValueError: When it was that of another seed, of other epochs of the phases
                before the last, or of other batches.
        """
        if state["seed"] != self.root_seed:
            raise ValueError(
                "To go on with a training, `seed` must be the one it began with, "
                f"{state['seed']}. Received: seed={self.seed}"
            )
        for name, number in state["plan"].items():
            if self.plan[name] != number:
                raise ValueError(
                    f"To go on with a training, `{name}` must be what it began with, "
                    f"{number}. Received: {name}={self.plan[name]}"
                )
        self.candidate_scores = dict(state["candidate_scores"])
        self.enter(state["phase"])
