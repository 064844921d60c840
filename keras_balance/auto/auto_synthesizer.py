"""`AutoSynthesizer`: finds out what to fill the shortfall of a class with."""

from keras_balance.auto import checks
from keras_balance.auto.chooser import Chooser
from keras_balance.auto.lengths import BATCH_SIZE
from keras_balance.data import BalancedDataset
from keras_balance.data.synthesis import registry

# Where nothing could be measured: seldom worse than repeating, and it costs nothing.
_DEFAULT = "manual"


class AutoSynthesizer(Chooser):
    """Finds out by validation what serves a classifier best.

    A `BalancedDataset` that gets it asks it once, when it is built, and then fills
    the shortfall with what it has chosen. It looks at the images and labels of that
    dataset alone. `synthesizer="auto"` is the same with the defaults.

    A dozen images are too few to hold some out. So each fold makes other, frequent
    classes as rare as the rarest one, the folds together all of them where a third at
    a time is enough for it, and fits every candidate on that. Each of these classes is
    one case: it alone is rare, the rest of it is there to score on, beside a third of
    each other frequent class, and a classifier is trained on what every candidate
    makes of it. What cannot be scored, such as the rarest class, is not filled: of what
    filling it costs and gains only the cost would be seen. (To save time, no class has
    more than twenty times as many images as the rarest there.) The score is macro F1,
    all classes counting the same. Where no class is three times the size of the rarest,
    and where there are two classes, the folds are those of stratified cross-validation.
    The simplest candidate is chosen
    that is within one standard error of the best one: that of its mean over the cases.
    From the third case on, who is further behind than that by two standard errors of
    the paired difference is left out of the rest.

    The classifier is a support vector machine on principal components of the pixels. On
    digits it sees what the paper's ConvNet gains by augmented and by generated images
    (to repeated ones it is blind), and it has no randomness: a network that is trained
    anew differs more from itself than most candidates do from each other.

    A BAGAN is trained in its first phase alone, as it is by `fit(x, y, epochs=0)`: the
    second takes a third of the time and added nothing measurable in the study.

    Args:
        candidates: Sequence of names out of `"nothing"`, `"repeat"`, `"manual"`,
            `"elastic"` (which bends the images besides, as in `BalancedDataset`),
            `"half bagan+manual, half manual"` (all augmented, one half BAGAN's images
            and one real ones), `"bagan+manual"` (BAGAN's images, augmented) and
            `"bagan"`, which is the default, and others of `kb.data.registry`; or a dict
            of names to synthesizers as `BalancedDataset` takes them, or to functions
            `(x, y, seed)` that fit one to a part of the images. From the simplest on,
            which is here: the less is left to a generator, the simpler. What was fitted
            before has seen the held-out images: give a function.
        classifier: Function without arguments that returns a compiled Keras model,
            from images to as many numbers as there are classes; its labels are class
            indices, one-hot where `y` is. It takes the place of the support vector
            machine. Give one where pixels tell little, as in photographs of things
            that are anywhere and of any size; and more folds, since it is noisy.
        folds: Number of folds, 2 or more. Where BAGAN is a candidate, one is trained
            in each.
        steps: Optimiser steps of `classifier`, on batches of 64. By default six
            epochs of a case, at least 400 and at most 800.
        time_budget: Seconds; no training begins that would not end within them, by
            what others took. None for no limit.
            What is chosen then is the best by the cases that are complete, or else
            by the first as far as it went, and `"manual"` where it did not go as far
            as that. To fit what was chosen comes on top. Where the time does not run
            out, the seed alone decides.
        seed: Integer; by default that of the dataset.
        verbose: 0 for silence, 1 for a line about every training: one that is
            rewritten where it can be.
        features: Keras model from images to vectors `(n, d)`, such as
            `keras.applications.MobileNetV3Small(include_top=False, pooling="avg")`
            behind its preprocessing. The support vector machine then judges by its
            features, each image's computed once, instead of pixels shrunk to 32 by 32.
            Give one for photographs, for which pixels tell little.

    Attributes:
        choice: Name of the chosen candidate, None before.
        scores: dict of each candidate's name to a list, one a case, of the F1 of each
            class that was scored; `table` shows their means. Those of a candidate that
            was left out end early.

    Raises:
        ValueError: For an unknown candidate, numbers out of bounds, and `steps` without
            `classifier`.
        TypeError: For arguments of a wrong type.

    Example:
        >>> auto = kb.tuners.AutoSynthesizer(["repeat", "manual"], folds=5)
        >>> dataset = kb.BalancedDataset(x, y, synthesizer=auto, seed=0)
        >>> auto.choice
        'manual'
        >>> print(auto.table())

    Reference:
        - "Improved Reliability using Data Augmentation", table 1: BAGAN is ahead at a
          dozen images, manual augmentation at some hundreds.
        - Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3,
          for the rule of one standard error.
    """

    _ask_for = "Give it to a `BalancedDataset` first."

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
        self.candidates = registry.names("auto") if candidates is None else candidates
        super().__init__(
            checks.candidates(self.candidates),
            default=_DEFAULT,
            judge={},
            classifier=classifier,
            features=features,
            folds=folds,
            steps=steps,
            time_budget=time_budget,
            seed=seed,
            verbose=verbose,
        )

    def choose(self, images, targets, seed):
        """Judge the candidates; fit the best. `BalancedDataset` calls this.

        Args:
            images: `LabelledImages`.
            targets: int array, images that balancing shall give each class.
            seed: Seed of the dataset.

        Returns:
            The chosen synthesizer, fitted on all the images.

        Raises:
            FloatingPointError: When no training gives finite outputs.
        """
        seed = seed if self.seed is None else self.seed
        if (targets <= images.counts).all():
            self.choice, self.scores = "nothing", {n: [] for n in self._candidates}
            self._titles, self._left_out = [], set()  # of an earlier choice
            return self.choice
        self._compare(images, targets, seed)
        return self._fit(self.choice, images, seed)

    def _feed(self, part, targets, fitted, seed):
        return BalancedDataset(
            part,
            batch_size=BATCH_SIZE,
            synthesizer=fitted,
            sampling_strategy=targets,
            seed=seed,
        )
