"""`AutoBalance`: finds a whole recipe by itself, trains by it, and says why."""

import dataclasses
import hashlib
import math

import keras
import numpy as np

from keras_balance.auto import checks, search_report
from keras_balance.auto.auto_adjustment import AutoAdjustment
from keras_balance.auto.balance_report import write_page
from keras_balance.auto.default_build import default_build, default_code
from keras_balance.auto.folds import simulated_cases
from keras_balance.auto.head_recipes import HEADS, HeadTrainings, head_code
from keras_balance.auto.kept import Kept, kept_setting
from keras_balance.auto.lengths import MAX_RATIO
from keras_balance.auto.model_digest import model_digest
from keras_balance.auto.progress import Progress
from keras_balance.auto.recipe_code import (
    data_code,
    decision_code,
    recipe_code,
    retraining_code,
)
from keras_balance.auto.recipe_search import RecipeSearch, course_of, lengths_of
from keras_balance.auto.recipe_training import epochs_of
from keras_balance.auto.recipe_trials import ModelTrainings, out_of_fold
from keras_balance.auto.recipes import RECIPES, in_words_of, read_recipes
from keras_balance.data import LabelledImages
from keras_balance.metrics.features import backbone_rows
from keras_balance.models.adjust import gives_logits
from keras_balance.utils.files import folder
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.priors import check_prior, read_prior
from keras_balance.utils.seeds import check_seed
from keras_balance.version import __version__


class AutoBalance:
    """Finds the recipe for an imbalanced set of images, and trains a model by it.

    A recipe says how often rare images come (as they are, at the square root of the
    imbalance, balanced), what stands in front of the model, what is mixed, and which
    loss is taken. Recipes are tried on cases, in which a frequent class of the training
    data is made as rare as the rarest one: all of them briefly on one, the best three
    in full on others. Those that get fewer of the images right that were held out, by
    more than the noise, are left out, and of the others the simplest within one
    standard error of the best log-likelihood is taken. Then the strength of the
    decision is found from out-of-fold probabilities (see `AutoAdjustment`), and a model
    is trained on all the data. No other data are looked at. Plain training is always
    among the recipes.

    All trials cost at most as much as nine trainings of the model where these have 900
    steps, twenty where they have 300, and thirty where they have 120.

    Behind each training the last layer is trained anew, by `kb.models.retrain_head`,
    where the model ends in a `Dense` layer.

    Args:
        build: Function without arguments that returns a compiled Keras classifier, a
            new one each time. By default the paper's ConvNet, for small pictures.
        features: Optional Keras model from images to vectors, in the place of `build`;
            it is frozen.
            The recipes then are a head on it: plain logistic regression, a
            `kb.models.FewShotClassifier`, or the mean of their log-probabilities. A
            training takes seconds; `epochs`, `recipes` and `batch_size` are not used.
        target_prior: Shares of the classes that the classifier will meet:
            `"uniform"`, `"natural"` (those of the training data), or an array or a
            dict of them, see `kb.layers.LogitAdjustment`. It is the one question that
            data cannot answer.
        recipes: Sequence of names out of `kb.tuners.RECIPES`, or a dict of names to
            `kb.tuners.Recipe`, from the simplest on.
        batch_size: Images in a batch.
        time_budget: Seconds after which no other trial begins; None for no limit. The
            training of the model that is kept comes on top.
        directory: Optional folder that keeps all results, and gets `report.html`: one
            page with what was tried, what was chosen and why, how good it is on
            training images that it was not trained on, and the rarest class's most
            confident misses. Killed at any moment and run again with the same folder,
            data and `build`, it ends with the same model. Other first weights are
            another `build`, unless each call gives others.
        seed: Integer, or None for that of the search in `directory`, or a fresh one.
            Trainings set TensorFlow's global seed and Keras' own by it, which stay so.
        verbose: 0 for silence, 1 for a line about every training.

    Attributes:
        model: The trained and adjusted `keras.Model`, ready to save.
        class_names: The classes in the order of its outputs, as the labels call them.
        choice: Name of the recipe that was chosen.
        recipe: The recipe, which calls classes by their index.
        tau: Strength of its decision.
        scores: dict of recipe to an array of its macro F1, one a case, in its longest
            trainings.
        cost: What it cost, in trainings of the model.

    Raises:
        ValueError: For an unknown recipe, numbers out of bounds, and a `directory` of
            another search.
        TypeError: For arguments of a wrong type.
        RuntimeError: From what tells of the search, before `fit`.

    Example:
        >>> auto = kb.AutoBalance(seed=0).fit(x_train, y_train, epochs=12)
        >>> print(auto.table())
        >>> auto.figure().savefig("tried.png")
        >>> print(auto.code())
        >>> auto.model.save("classifier.keras")

    Reference:
        - Jamieson, Talwalkar 2016, "Non-stochastic Best Arm Identification and
          Hyperparameter Optimization", for successive halving.
        - Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3,
          for the rule of one standard error.
    """

    def __init__(
        self,
        build=None,
        features=None,
        target_prior="uniform",
        recipes=tuple(RECIPES),
        batch_size=32,
        time_budget=None,
        directory=None,
        seed=None,
        verbose=1,
    ):
        self.build = checks.classifier(build, "build")
        self.features = checks.backbone(features, build)
        self.target_prior = check_prior(target_prior)
        self.recipes = read_recipes(recipes)
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.time_budget = checks.time_budget(time_budget)
        self.directory = folder("directory", directory)
        self.seed, self._given_seed = check_seed(seed), seed
        self.verbose = verbose
        self.model = self.choice = self.recipe = self.tau = self.cost = None
        self.class_names = None
        self.scores, self.advice = {}, ""
        self._table = self._code = self._search = self._adjustment = None

    def fit(self, x, y=None, epochs=12):
        """Find the recipe and train the model.

        Args:
            x: Images, as `BalancedDataset` takes them, or a `BalancedDataset`, whose
                images and labels are taken, without sample weights or other inputs.
            y: Their labels.
            epochs: Length of a training: as many optimiser steps as this many epochs
                of the balanced data.

        Returns:
            The object itself.

        Raises:
            ValueError, TypeError: As `BalancedDataset`.
            FloatingPointError: When no recipe gives finite probabilities, or the last
                training diverges.
        """
        given = LabelledImages.read(x, y).alone()
        given.check_every_class()
        read_prior(self.target_prior, given.counts)  # an error before any training
        data = data_code(given, y is not None, self.features is not None)
        images = given if given.labels_are_indices else given.as_indices()
        epochs = whole_number("epochs", epochs, 1)
        self.seed = self._seed_to_go_on_with()
        recipes = in_words_of(images, self.recipes, given)
        plan, recipes = self._plan(images, recipes, epochs)
        search = self._searched(plan, recipes)
        self.recipe, self.scores = recipes[self.choice], search.longest()
        self._adjust(plan, search)
        search.end()
        self.cost = plan.cost + 1
        search.progress.tell(self.table() + self.why())
        model, feed = plan.final(self.recipe, self.verbose)
        self.model = plan.decided(model, self.recipe, self.tau, self._adjustment)
        self.class_names = list(given.encoding.keys)
        self._code = self._written(plan, feed, data, model)
        self._write_page(given)
        return self

    def table(self):
        """Give what was tried as text; `*` marks the chosen recipe."""
        return _known(self._table)

    def why(self):
        """Tell in a few lines what was chosen, why, and what may do better."""
        tau = _known(self.tau)
        return (
            f"auto: {self._reason()}; tau {tau:.2f}\n"
            f"All took as long as {self.cost:.0f} trainings of the model.\n"
            f"{self.advice}"
        )

    def _reason(self):
        tried, all_ = len(self.scores), len(self._search.recipes)
        if not tried:
            why = "a class has too few images to hold any out"
            if self._search.cases:
                why = "there was no time to try any"
            return f"{self.choice!r} is the simplest; {why}"
        reason = (
            f"{self.choice!r} is the simplest recipe that is not behind the best by "
            "more than the noise"
        )
        left = "" if tried == all_ else f", of the {tried} of {all_} that were tried"
        return reason + left

    def figure(self):
        """Draw what was tried: a row for each recipe, the chosen one marked.

        Returns:
            A `matplotlib.figure.Figure`, to be saved.
        """
        return search_report.figure(_known(self._search), self.choice)

    def code(self):
        """Python code that trains the same model from `x`, `y` and `build`.

        Where `x` held its labels, `y` may be None. It calls `features` `backbone`.
        """
        return _known(self._code)

    def _plan(self, images, recipes, epochs):
        """Give the trainings to choose by, and the recipes to choose from."""
        if self.features is not None:
            # Not `rows_of`: the model that is kept sees the layout of the data, too.
            rows = backbone_rows(self.features, images.source)
            kept = self._kept(images, HEADS, features=_digest(rows))
            return HeadTrainings(self.features, images, rows, self.seed, kept), HEADS
        balanced = images.counts.max() * images.num_classes
        build = default_build(images) if self.build is None else self.build
        plan = ModelTrainings(
            images,
            build,
            batch_size=self.batch_size,
            steps=epochs * math.ceil(balanced / self.batch_size),
            seed=self.seed,
            kept=self._kept(images, recipes, build, epochs=epochs),
        )
        return plan, recipes

    def _searched(self, plan, recipes):
        cases = simulated_cases(plan.images, plan.cases, MAX_RATIO, plan.seed)
        course = course_of(recipes, cases) + [("fold", 0)] * plan.folds
        course.append(("final", 0))
        progress = Progress(
            course, self.time_budget, self.verbose, lengths_of(plan, cases)
        )
        search = RecipeSearch(recipes, plan, self.target_prior, progress)
        self.choice, self._search = search.run(cases), search
        return search

    def _adjust(self, plan, search):
        """Find the strength of the decision, and write down what was found."""
        counts = plan.images.counts
        found = out_of_fold(plan, self.choice, self.recipe, search.progress)
        if found is None:  # a class of one image, or no time
            self.tau, self._adjustment = search.tau(self.choice), None
        else:
            self._adjustment = _adjustment(self.target_prior, found, counts, self.seed)
            self.tau = self._adjustment.tau
        self._table = search_report.table(search, self.choice)
        self.advice = search_report.advice(search, self.choice) + _other_world(
            self.target_prior, found, counts, self.seed
        )

    def _written(self, plan, feed, data, model):
        """Write the code that trains `model`; `feed` is None for a head."""
        images, decision = plan.images, decision_code(self.model)
        if feed is None:
            return head_code(
                self.recipe, images, seed=self.seed, decision=decision, data=data
            )
        return recipe_code(
            self.recipe,
            self.recipe.make_layer(images, self.seed),
            batch_size=self.batch_size,
            epochs=epochs_of(feed, plan.steps),
            seed=self.seed,
            decision=retraining_code(model) + decision,
            data=data,
            build="build()" if self.build else default_code(images),
            from_logits=gives_logits(model),
        )

    def _write_page(self, images):
        if self.directory is not None:
            write_page(self.directory, self, images, self._adjustment)

    def _seed_to_go_on_with(self):
        found = None if self.directory is None else kept_setting(self.directory)
        if found is None or self._given_seed is not None:
            return self.seed
        return check_seed(found.get("seed"))

    def _kept(self, images, recipes, build=None, **rest):
        """Open the folder that keeps the results, for all that they depend on."""
        if self.directory is None:
            return Kept(None, {})
        setting = {
            "data": images.fingerprint(),
            "value_range": [float(end) for end in images.value_range],
            "seed": self.seed,
            "backend": keras.backend.backend(),
            "version": __version__,
            "build": build and model_digest(build, images, self.seed),
            "recipes": {n: dataclasses.asdict(r) for n, r in recipes.items()},
            "target_prior": np.asarray(self.target_prior).tolist(),
            "batch_size": self.batch_size,
            **rest,
        }
        return Kept(self.directory, setting)


def _known(found):
    """Give what `fit` has found."""
    if found is None:
        raise RuntimeError("Call `fit` first.")
    return found


def _other_world(target_prior, found, counts, seed):
    """Tell in a line what the other answer to `target_prior` would change."""
    if found is None or not isinstance(target_prior, str):
        return ""
    other = "natural" if target_prior == "uniform" else "uniform"
    tau = _adjustment(other, found, counts, seed).tau
    return f"With target_prior={other!r}, tau would be {tau:.2f}.\n"


def _adjustment(target_prior, found, counts, seed):
    adjustment = AutoAdjustment(target_prior=target_prior, seed=seed, verbose=0)
    return adjustment.fit_predictions(*found, counts)


def _digest(rows):
    return hashlib.sha256(np.ascontiguousarray(rows)).hexdigest()
