"""Whole recipes: how often rare images come, what fills, augments, mixes, and the loss.

A recipe is plain data. What it does and the code that it prints come from the same
values, so that the one cannot drift from the other.
"""

import dataclasses

import keras
import numpy as np

from keras_balance.auto.front import in_front
from keras_balance.data import BalancedDataset
from keras_balance.data.mix import KINDS, Mix
from keras_balance.data.strategies import target_counts
from keras_balance.data.synthesis import registry
from keras_balance.losses import LogitAdjustedCrossentropy
from keras_balance.models.adjust import gives_logits
from keras_balance.utils.numbers import choice, real_number


def _plain(value):
    """Python's own number for NumPy's, also within a dict."""
    if isinstance(value, dict):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    return value.item() if isinstance(value, np.generic) else value


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One way to train a classifier on imbalanced images.

    Args:
        sampling_strategy: How often rare images come, as in `BalancedDataset`: `{}`
            as they are, `"sqrt"`, `"auto"` for balanced, or anything else it takes.
        synthesizer: What fills the shortfall: a name that `BalancedDataset` takes.
        layer: Name of the layer in front of the model, such as `"shift"`, `"elastic"`,
            `"crop"` or `"photo"`, or None.
        mix: None, `"mixup"` or `"cutmix"`.
        tau: Strength of the adjustment in the loss by the counts of the feed, 0 for
            the model's own loss.

    Raises:
        ValueError: For an unknown `mix`, and a `tau` below 0.

    Example:
        >>> Recipe("sqrt", layer="photo", tau=0.5).layer
        'photo'
    """

    sampling_strategy: object = "auto"
    synthesizer: str = "repeat"
    layer: str | None = None
    mix: str | None = None
    tau: float = 0.0

    def __post_init__(self):
        # What NumPy counted is to be kept as JSON and printed as code, too.
        for name, value in vars(self).items():
            object.__setattr__(self, name, _plain(value))
        real_number("tau", self.tau, 0)
        if not isinstance(self.mix, Mix):
            choice("mix", self.mix, (None, *KINDS))

    @property
    def tau_in_theory(self):
        """What is left to adjust for equal shares: all where nothing was done, or 0."""
        return float(self.sampling_strategy == {} and not self.tau)

    def feed(self, images, batch_size, seed):
        """Feed `LabelledImages` by this recipe: a `BalancedDataset`."""
        return BalancedDataset(images, **self.feed_arguments(batch_size, seed))

    def feed_arguments(self, batch_size, seed):
        """Arguments of the `BalancedDataset`, those that are not the default."""
        chosen = {"batch_size": batch_size, "seed": seed}
        if self.sampling_strategy != "auto":
            chosen["sampling_strategy"] = self.sampling_strategy
        if self.synthesizer != "repeat":
            chosen["synthesizer"] = self.synthesizer
        if self.mix is not None:
            chosen["mix"] = self.mix
        return chosen

    def make_layer(self, images, seed):
        """Make the layer in front of the model, or None."""
        if self.layer is None:
            return None
        made = registry.fit(self.layer, images, seed)
        if not isinstance(made, keras.layers.Layer):
            raise TypeError(
                "`layer` must be the name of a Keras layer, such as one out of "
                f"{registry.names('front')}. Received: layer={self.layer!r}"
            )
        return made

    def make_loss(self, feed, from_logits):
        """Make the loss, or None where the model's own one stays.

        Mixed labels are soft, which a sparse loss does not take: at `tau=0` the
        adjusted loss is the cross-entropy that does.
        """
        if not self.tau and self.mix is None:
            return None
        return LogitAdjustedCrossentropy(feed, tau=self.tau, from_logits=from_logits)

    def put_on(self, model, feed, images, seed):
        """Give what `fit` is called on: the model behind the layer, with the loss.

        Args:
            model: A compiled Keras classifier, whose optimizer stays.
            feed: The `BalancedDataset` that `feed` gives.
            images: `LabelledImages` that it is made of.
            seed: Integer, of the layer.

        Returns:
            A compiled `keras.Model` that trains the weights of `model`; `model` itself
            where the recipe has no layer.

        Raises:
            ValueError: Where there is a layer, for a model with a `train_step` or
                `compute_loss` of its own.
        """
        layer = self.make_layer(images, seed)
        return in_front(layer, model, self.make_loss(feed, gives_logits(model)))


# From the simplest on: the first within one standard error of the best is taken.
RECIPES = {
    "plain": Recipe({}),
    "repeat": Recipe("auto"),
    "square root": Recipe("sqrt", tau=0.5),
    "crop": Recipe({}, layer="crop"),
    "shift": Recipe("sqrt", layer="shift", tau=0.5),
    "elastic": Recipe("auto", layer="elastic"),
    "mixup": Recipe("auto", mix="mixup"),
    "photo": Recipe("sqrt", layer="photo", tau=0.5),
    "photo, mixup": Recipe("auto", layer="photo", mix="mixup"),
    "photo, cutmix": Recipe("sqrt", layer="photo", mix="cutmix", tau=0.5),
}


def read_recipes(recipes):
    """Recipes by name, of names out of `RECIPES` or a dict of recipes.

    Raises:
        ValueError: For an unknown name.
        TypeError: For what is no `Recipe`, for none at all, and for a name that is no
            string.
    """
    if isinstance(recipes, dict):
        found = dict(recipes)
    else:
        unknown = [name for name in recipes if name not in RECIPES]
        if unknown:
            raise ValueError(
                f"`recipes` must be names out of {list(RECIPES)}, or a dict of "
                f"names to `Recipe`. Received: recipes with {unknown[0]!r}"
            )
        found = {name: RECIPES[name] for name in recipes}
    if not found or not all(isinstance(one, Recipe) for one in found.values()):
        raise TypeError(
            "`recipes` must hold at least one `kb.tuners.Recipe`. "
            f"Received: recipes={recipes!r}"
        )
    for name in found:
        if not isinstance(name, str):
            raise TypeError(
                "`recipes` must have strings for names. "
                f"Received: recipes with the name {name!r}"
            )
    return found


def in_words_of(images, recipes, given):
    """Recipes for `images`, which call the classes as these do.

    Args:
        images: `LabelledImages`, those given or the same `as_indices`.
        recipes: dict of name to `Recipe`.
        given: `LabelledImages` whose classes the recipes name.

    Raises:
        ValueError, TypeError: For a `sampling_strategy` that the images cannot meet,
            and for what fills and what stands in front when there is no such thing.
    """
    found, keys = {}, images.encoding.keys
    for name, recipe in recipes.items():
        strategy = recipe.sampling_strategy
        target_counts(given.counts, strategy, given.encoding)  # an error, if any
        if isinstance(recipe.synthesizer, str):
            registry.find(recipe.synthesizer)
        if recipe.layer is not None and registry.find(recipe.layer, "layer").chooses:
            raise ValueError(
                "`layer` must be one that does not choose among others. "
                f"Received: layer={recipe.layer!r}"
            )
        if isinstance(strategy, dict) and strategy:
            index_of = given.encoding.index_of
            renamed = {keys[index_of(c)]: n for c, n in strategy.items()}
            recipe = dataclasses.replace(recipe, sampling_strategy=renamed)
        found[name] = recipe
    return found
