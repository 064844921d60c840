"""`BalancedHyperModel`: what keras-tuner searches."""

import keras
import keras_tuner

from keras_balance.auto.recipes import RECIPES, read_recipes
from keras_balance.data import BalancedDataset, checks
from keras_balance.data.iterators import untuned
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.data.mix import check_mix
from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.fillings import augmentation
from keras_balance.data.weights import check_sample_weight
from keras_balance.tuners import bagan_cache, scores
from keras_balance.tuners.recipe_trial import by_recipe
from keras_balance.tuners.search_space import (
    NO_SYNTHESIS,
    declare,
    read_search_space,
    values_of,
)
from keras_balance.utils.seeds import check_seed

# Arguments of `keras.Model.fit` that balanced batches leave no room for.
_NOT_FOR_SEARCH = {
    "batch_size": 'give `search_space={"batch_size": 64}`',
    "validation_split": "give `validation_data=(x_val, y_val)`",
}


class BalancedHyperModel(keras_tuner.HyperModel):
    """Searches how to balance the data of a classifier, with any keras-tuner tuner.

    `tuner.search(x, y, validation_data=(x_val, y_val), epochs=...)` then feeds the
    classifier with a `BalancedDataset` of `x` and `y` in each trial, and
    `keras_tuner.Objective("val_f1_macro", "max")` is there to be searched on:
    `PerClassMetrics` is added to the classifier where it has none.

    | hyperparameter | searched | default | matters to |
    |---|---|---|---|
    | `synthesizer` | `kb.data.registry.names("search")` | manual | |
    | `balance`: classes in parts of the largest | 0.25 to 1 | 1 | all but nothing |
    | `synthetic_share`: the rest is repeated | 0.25 to 1 | 1 | what makes new images |
    | `rotation_factor` of `ManualAugmentation` | 0 to 0.15 | 0.05 | manual |
    | `zoom_factor` | 0 to 0.3 | 0.1 | manual |
    | `noise_factor` | 0 to 0.15 | 0.05 | manual |
    | `translation_factor` | 0 to 0.1 | 0 | manual |
    | `elastic_factor` | 0 to 0.06 | 0 | manual |
    | `latent_dim` of `BAGAN` | 16, 32, 64 | 32 | bagan |
    | `bagan_steps` of both phases | 1000, 2000, 4000 | 2000 | bagan |
    | `batch_size` of the classifier | 16, 32, 64, 128 | 32 | |

    The fillings are nothing (the data as it is), repeat, manual, elastic, bagan+manual
    and bagan, and those that were registered; others, such as "smote", can be asked
    for. What matters to manual or to bagan matters to what is made of it, too. All
    hyperparameters are declared before the first trial, each active only with the
    synthesizers that it matters to; `build` shares the names. Wrap the tuner in
    `kb.tuners.default_first` to begin with the defaults.

    A BAGAN is trained once for each distinct setting and data, whatever the number of
    trials, tuners and processes, and kept in `cache_dir`.

    A search that was cut short goes on when the same tuner is made again, with
    `overwrite=False`; wrap the tuner in `kb.tuners.resumable`, so that this holds for
    `GridSearch` and for a kill at any moment.

    Args:
        build: Function of keras-tuner's `hp` that returns a compiled `keras.Model`
            from images to class probabilities.
        search_space: Optional dict that narrows the table above. A list is a choice,
            a tuple `(low, high)` or `(low, high, step)` a range, a single value is
            fixed, and None leaves the default, without a hyperparameter.
        cache_dir: Folder of the trained BAGANs; `keras_balance/bagan` in Keras' own
            folder (`$KERAS_HOME` or `~/.keras`) by default. Remove it at any time.
        class_names: Optional names of the classes for the keys of the logs, such as
            `val_recall_cat`.
        bagan_arguments: Optional dict of further arguments of `BAGAN`, the same in
            all trials: numbers, strings, lists.
        seed: Integer: of the draws and the BAGANs, the same in all trials.
        mix: As in `BalancedDataset`; the classifier then gets one-hot labels, which
            its loss must take.
        recipes: `"auto"` to search the whole recipes of `kb.AutoBalance` in the place
            of the table above: one hyperparameter `recipe` beside `batch_size`. Or
            names out of them, or a dict of names to `kb.tuners.Recipe`. A recipe with
            a layer in front or another loss logs the scores of `PerClassMetrics` alone.
        **kwargs: `name` and `tunable` of `keras_tuner.HyperModel`.

    Raises:
        TypeError: When `build` cannot be called, and for values of a wrong type.
        ValueError: For an unknown name in `search_space`, or values out of bounds.

    Example:
        >>> def build(hp):
        ...     return kb.models.convnet((8, 8, 1), num_classes=10)
        >>> hypermodel = kb.tuners.BalancedHyperModel(
        ...     build,
        ...     search_space={
        ...         "synthesizer": ["repeat", "manual"],
        ...         "noise_factor": (0.0, 0.1),
        ...         "rotation_factor": 0.05,
        ...     },
        ... )
        >>> objective = keras_tuner.Objective("val_f1_macro", "max")
        >>> tuner = keras_tuner.RandomSearch(hypermodel, objective, max_trials=20)
        >>> tuner.search(x, y, epochs=10, validation_data=(x_val, y_val))
        >>> best = tuner.get_best_hyperparameters()[0]
        >>> model = hypermodel.build(best)
        >>> hypermodel.fit(best, model, x, y, epochs=10)
    """

    def __init__(
        self,
        build,
        search_space=None,
        cache_dir=None,
        class_names=None,
        bagan_arguments=None,
        seed=0,
        mix=None,
        recipes=None,
        **kwargs,
    ):
        if not callable(build):
            raise TypeError(
                "`build` must be a function of `hp` that returns a compiled model. "
                f"Received: build={build!r}"
            )
        self.build_classifier = build
        self.search_space = search_space
        self.cache_dir = cache_dir
        self.class_names = class_names
        self.bagan_arguments = dict(bagan_arguments or {})
        bagan_cache.check_arguments(self.bagan_arguments)
        self.seed = check_seed(seed)
        self.mix = _check_mix(mix, recipes)
        if recipes is not None:
            recipes = read_recipes(RECIPES if recipes == "auto" else recipes)
        self.recipes = recipes
        self.entries = read_search_space(search_space, recipes)
        self._has_warned = False
        super().__init__(**kwargs)

    def declare_hyperparameters(self, hp):
        """Register the whole space. Called by the tuner before the first trial."""
        declare(hp, self.entries)

    def build(self, hp):
        """Build the classifier, with scores of every class."""
        model = self.build_classifier(hp)
        # A tuner may compile the model itself: then `fit` adds the scores.
        if isinstance(model, keras.Model) and model.compiled and model.built:
            scores.add_per_class_metrics(model, class_names=self.class_names)
            # Hyperband loads the weights of an earlier trial into this model, and
            # those of an optimizer that is not built yet would be left out.
            model.optimizer.build(model.trainable_variables)
        return model

    def fit(self, hp, model, x, y=None, **kwargs):
        """Train a classifier on the data, balanced as a setting says.

        Args:
            hp: keras-tuner's `HyperParameters` of a trial.
            model: What `build` returned.
            x: Images, as `BalancedDataset` takes them, or `kb.data.LabelledImages`.
            y: Their labels; None with `LabelledImages`.
            **kwargs: Arguments of `keras.Model.fit`, as given to `search`;
                `sample_weight` weighs the real images, as in `BalancedDataset`.

        Returns:
            The `History` of the training.

        Raises:
            keras_tuner.errors.FailedTrialError: When a training diverges. Its trial
                fails alone.
            keras_tuner.errors.FatalError: When something is wrong that every trial
                would stumble over: the data, a model that is not compiled, a missing
                objective.
        """
        self._check_search(model, kwargs)
        weights = kwargs.pop("sample_weight", None)
        images = _read(x, y, weights, model)
        callbacks = list(kwargs.pop("callbacks", None) or [])
        verbose = kwargs.get("verbose", "auto")
        data = self.balanced_dataset(hp, images, None, verbose, weights)
        data.has_warned = self._has_warned
        # Hyperband goes on with a training where it stopped.
        data.epoch = kwargs.get("initial_epoch", 0)
        trainee, seen = model, callbacks
        if self.recipes is not None:
            recipe = self.recipes[values_of(hp, self.entries)["recipe"]]
            trainee, seen = by_recipe(recipe, images, data, model, seen, self.seed)
        scores.add_per_class_metrics(trainee, len(data.class_counts), self.class_names)
        stop = keras.callbacks.TerminateOnNaN()
        with untuned(kwargs.get("validation_data")):
            history = trainee.fit(data, callbacks=[*seen, stop], **kwargs)
        self._has_warned = data.has_warned
        scores.check_history(history.history, callbacks)
        return history

    def balanced_dataset(self, hp, x, y=None, verbose="auto", sample_weight=None):
        """Balance the data as a setting says.

        Args:
            hp: keras-tuner's `HyperParameters`, such as
                `tuner.get_best_hyperparameters()[0]`.
            x: Images, as `BalancedDataset` takes them, or `kb.data.LabelledImages`.
            y: Their labels; None with `LabelledImages`.
            verbose: Of a BAGAN that must be trained, as in `keras.Model.fit`.
            sample_weight: Optional weights `(n,)` of the real images.

        Returns:
            The `BalancedDataset`.

        Raises:
            keras_tuner.errors.FailedTrialError: When the BAGAN's training diverges.
        """
        images = LabelledImages.read(x, y)
        values = values_of(hp, self.entries)
        if self.recipes is not None:
            recipe = self.recipes[values["recipe"]]
            arguments = recipe.feed_arguments(values["batch_size"], self.seed)
            return BalancedDataset(images, sample_weight=sample_weight, **arguments)
        return BalancedDataset(
            images,
            batch_size=values["batch_size"],
            synthesizer=self._synthesizer(values, images, verbose),
            sampling_strategy=values["balance"],
            seed=self.seed,
            mix=self.mix,
            sample_weight=sample_weight,
        )

    def _synthesizer(self, values, images, verbose):
        name, share = values["synthesizer"], values["synthetic_share"]
        if name in NO_SYNTHESIS:
            return name
        if share == 0:
            return registry.REPEAT
        synthesizer = registry.fit(
            name, images, self.seed, self._searched(name, values, images, verbose)
        )
        if share == 1:
            return synthesizer
        mixture = synthesizer if isinstance(synthesizer, dict) else {synthesizer: 1.0}
        parts = {part: share * weight for part, weight in mixture.items()}
        return parts | {registry.REPEAT: 1 - share}

    def _searched(self, name, values, images, verbose):
        """Fit the parts of a filling whose arguments are searched."""
        strengths = {
            argument: values[argument]
            for argument, entry in self.entries.items()
            if entry.part == "manual"
        }
        fit = {
            "manual": lambda: augmentation(images, self.seed, **strengths),
            "bagan": lambda: self._bagan(values, images, verbose),
        }
        return {part: fit[part]() for part in registry.needed_by(name) & set(fit)}

    def _bagan(self, values, images, verbose):
        arguments = {"latent_dim": values["latent_dim"], "seed": self.seed}
        folder = self.cache_dir or bagan_cache.default_folder()
        try:
            return bagan_cache.trained_bagan(
                folder,
                images,
                values["bagan_steps"],
                arguments | self.bagan_arguments,
                verbose,
            )
        except FloatingPointError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error

    def _check_search(self, model, kwargs):
        """Raise what stops the search for what every trial would stumble over."""
        fatal = keras_tuner.errors
        for name, instead in _NOT_FOR_SEARCH.items():
            if kwargs.get(name) is not None:
                raise fatal.FatalValueError(
                    f"`search` takes no `{name}`: {instead}. "
                    f"Received: {name}={kwargs[name]!r}"
                )
        if not model.compiled:
            raise fatal.FatalValueError(
                "`build` must return a compiled model. Received: a model that is not"
            )


def _check_mix(mix, recipes):
    check_mix(mix)
    if mix is not None and recipes is not None:
        raise ValueError(
            "`mix` must be None beside `recipes`, which say what is mixed. "
            f"Received: mix={mix!r}"
        )
    return mix


def _read(x, y, sample_weight, model):
    """`LabelledImages` to train on; what is wrong with them stops the search."""
    try:
        images = LabelledImages.read(x, y)
        images.check_every_class()
        _check_labels(images.encoding, model)
        if sample_weight is not None:
            check_sample_weight(sample_weight, len(images))
    except TypeError as error:
        raise keras_tuner.errors.FatalTypeError(str(error)) from error
    except ValueError as error:
        raise keras_tuner.errors.FatalValueError(str(error)) from error
    return images


def _check_labels(encoding, model):
    """Raise a `ValueError` for labels that are no places in the model's output."""
    checks.trainable(encoding)
    shape = model.output_shape if model.built else None
    if encoding.form == "one_hot" or not isinstance(shape, tuple) or len(shape) != 2:
        return
    # One output is two classes.
    number = max(2, shape[1])
    if encoding.classes.min() < 0 or encoding.classes.max() >= number:
        raise ValueError(
            f"Labels must be class indices, from 0 to {number - 1} for this model: "
            "`names, indices = np.unique(y, return_inverse=True)`. "
            f"Received: y with the classes {encoding.classes.tolist()}"
        )
