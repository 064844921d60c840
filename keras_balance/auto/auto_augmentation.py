"""`AutoAugmentation`: finds out which layer to put in front of a model."""

import math

import keras
import numpy as np

from keras_balance.auto import checks
from keras_balance.auto.chooser import Chooser
from keras_balance.auto.lengths import BATCH_SIZE
from keras_balance.data import BalancedDataset
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.data.strategies import target_counts
from keras_balance.data.synthesis import registry
from keras_balance.data.synthesis.augment import augment_batches
from keras_balance.layers.mixing import check_mixes_nothing
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, derive_seed

# One epoch would tell what a single look at augmented images in place of real ones is
# worth. The time that a support vector machine takes is quadratic in its images.
_JUDGE = {"epochs": 4, "most_images": 10_000}
# Images a support vector machine learns as much from as a network does in a step of 64.
# With eight, the 1,140 steps of the study are the four epochs, by which the layers are
# found there that such trainings gain from.
_IMAGES_A_STEP = 8


class AutoAugmentation(Chooser):
    """Finds out by validation whether augmenting all images serves a classifier.

    What helps with handwriting harms with images whose pose tells their class. This
    tries the candidates on the training data alone, in the folds of `AutoSynthesizer`:
    they make frequent classes as rare as the rarest one, repeat their images to balance
    the classes, and train a support vector machine on four epochs of what a candidate
    makes of all of them, at most 10,000 images. The simplest candidate is chosen that
    is within one standard error of the best one; score and error are those of
    `AutoSynthesizer`, and as there, who is clearly behind is left out.

    Strong augmentation asks for many steps. Say with `steps` how many the model will be
    trained for: the support vector machine then sees eight images a step, whatever
    epochs that makes, and where they are few a gentler layer wins. Without it, it takes
    a long training for granted.

    Args:
        candidates: Sequence of names out of `"nothing"`, `"shift"` (a translation by
            up to 4 %), `"flip"` (that, and left for right in half of the images),
            `"photo"` (`kb.layers.PhotoAugmentation`), `"manual"` (rotation, zoom and
            noise, as in the paper) and `"elastic"` (these, translation and elastic
            distortion), which are all of them; or a dict of names to Keras augmentation
            layers, or None for no layer. From the simplest on.
        classifier: Function without arguments that returns a compiled Keras model; it
            takes the place of the support vector machine. See `AutoSynthesizer`.
        folds: Number of folds, 2 or more.
        steps: Optimiser steps that the model will be trained for, on batches of 64; a
            `classifier` is trained for as many. By default that gets six epochs of a
            case, at least 400 and at most 800 steps.
        time_budget: Seconds; no training begins that would not end within them, by
            what others took. None for no limit.
            What is chosen then is the best by the cases that are complete, or else
            the first candidate.
        seed: Integer, or None for a fresh one.
        verbose: 0 for silence, 1 for a line about every training: one that is
            rewritten where it can be.
        features: Keras model from images to vectors `(n, d)`, such as
            `keras.applications.MobileNetV3Small(include_top=False, pooling="avg")`
            behind its preprocessing. The support vector machine then judges by its
            features, each image's computed once, instead of pixels shrunk to 32 by 32.
            Give one for photographs, for which pixels tell little.

    Attributes:
        layer: The chosen Keras layer, `keras.layers.Identity` for `"nothing"`; None
            before `fit`.
        choice: Name of the chosen candidate, None before.
        scores: dict of each candidate's name to a list, one a case, of the F1 of each
            class that was scored; `table` shows their means. Those of a candidate that
            was left out end early.

    Raises:
        ValueError: For an unknown candidate, and numbers out of bounds.
        TypeError: For arguments of a wrong type.

    Example:
        >>> auto = kb.tuners.AutoAugmentation(seed=0).fit(x_train, y_train)
        >>> auto.choice
        'elastic'
        >>> augmented = keras.Sequential([auto.layer, model])

    Reference:
        Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3, for
        the rule of one standard error.
    """

    def __init__(
        self,
        candidates=None,
        classifier=None,
        folds=3,
        steps=None,
        time_budget=1800,
        seed=None,
        verbose=1,
        features=None,
    ):
        self.candidates = registry.names("front") if candidates is None else candidates
        by_name = checks.layers(self.candidates)
        super().__init__(
            by_name,
            default=next(iter(by_name)),
            judge=_judge(steps),
            classifier=classifier,
            features=features,
            folds=folds,
            steps=None if classifier is None else steps,
            time_budget=time_budget,
            seed=check_seed(seed),
            verbose=verbose,
        )
        self.steps = steps
        self.layer = None

    def fit(self, x, y=None, sampling_strategy="auto"):
        """Judge the candidates, and choose one.

        Args:
            x: Images, as `BalancedDataset` takes them, or `kb.data.LabelledImages`.
            y: Their labels; None with `LabelledImages`.
            sampling_strategy: How they will be balanced, as in `BalancedDataset`.

        Returns:
            The object itself.

        Raises:
            ValueError: As `BalancedDataset` does.
            TypeError: As `BalancedDataset` does.
            FloatingPointError: When no training gives finite outputs.
        """
        images = LabelledImages.read(x, y)
        images.check_every_class()
        targets = target_counts(images.counts, sampling_strategy, images.encoding)
        self._compare(images, targets, self.seed)
        layer = self._layer(self._fit(self.choice, images, self.seed))
        self.layer = keras.layers.Identity() if layer is None else layer
        return self

    def _feed(self, part, targets, fitted, seed):
        return _Augmented(
            self._layer(fitted),
            part,
            batch_size=BATCH_SIZE,
            sampling_strategy=targets,
            seed=seed,
        )

    @staticmethod
    def _layer(fitted):
        """Give the layer of a candidate, None for none."""
        if fitted is None or isinstance(fitted, keras.layers.Layer):
            check_mixes_nothing(fitted, "candidates")
            return fitted
        if fitted == registry.NOTHING:
            return None
        raise TypeError(
            'A filling with the role "front" must be a Keras layer. '
            f"Received: {fitted!r}"
        )


def _judge(steps):
    """Arguments of the support vector machine for a training of so many steps."""
    if steps is None:
        return _JUDGE
    images = _IMAGES_A_STEP * whole_number("steps", steps, 1)
    return {"epochs": math.inf, "most_images": min(images, _JUDGE["most_images"])}


class _Augmented(BalancedDataset):
    """Repeats the images of rare classes, and augments all images anew each time."""

    def __init__(self, layer, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.layer = layer

    def batch(self, epoch, index):
        return self.batches([(epoch, index)])

    def batches(self, places):
        """Images and labels of several batches, each augmented by a seed of its place.

        Args:
            places: Sequence of `(epoch, index)`.
        """
        parts = [super(_Augmented, self).batch(*place) for place in places]
        images, labels = ([part[i] for part in parts] for i in range(2))
        if self.layer is None:
            return np.concatenate(images), np.concatenate(labels)
        seeds = [derive_seed(self.seed, *place) for place in places]
        augmented = augment_batches(self.layer, images, seeds, self.images.data_format)
        return augmented, np.concatenate(labels)
