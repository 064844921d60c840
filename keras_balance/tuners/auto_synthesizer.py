"""`AutoSynthesizer`: finds out what to fill the shortfall of a class with."""

from functools import cache

import numpy as np

from keras_balance.data import BalancedDataset
from keras_balance.data.synthesizers import CHOOSERS
from keras_balance.tuners.auto import checks, decision
from keras_balance.tuners.auto.candidates import CANDIDATES, TrainingImages
from keras_balance.tuners.auto.folds import make_folds
from keras_balance.tuners.auto.judge import Judge
from keras_balance.tuners.auto.keras_judge import KerasJudge
from keras_balance.tuners.auto.progress import Progress
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, derive_seed

_BATCH_SIZE = 64
_MAX_RATIO = 20
_LEAST_STEPS, _MOST_STEPS, _EPOCHS = 400, 800, 6
# Where nothing could be measured: seldom worse than repeating, and it costs nothing.
_DEFAULT = "manual"


class AutoSynthesizer:
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
    the folds are those of stratified cross-validation. The simplest candidate is chosen
    that is within one standard error of the best one: that of its mean over the cases.

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
            `"bagan"`, which are all of them; or a dict of names to synthesizers as
            `BalancedDataset` takes them, or to functions `(x, y, seed)` that fit one to
            a part of the images. From the simplest on, which is here: the less is left
            to a generator, the simpler. What was fitted before has seen the held-out
            images: give a function.
        classifier: Function without arguments that returns a compiled Keras model,
            from images to as many numbers as there are classes; its labels are class
            indices, one-hot where `y` is. It takes the place of the support vector
            machine. Give one where pixels tell little, as in photographs of things
            that are anywhere and of any size; and more folds, since it is noisy.
        folds: Number of folds, 2 or more. Where BAGAN is a candidate, one is trained
            in each.
        steps: Optimiser steps of `classifier`, on batches of 64. By default six
            epochs of a case, at least 400 and at most 800.
        time_budget: Seconds after which no other training begins; None for no limit.
            What is chosen then is the best by the cases that are complete, or else
            by the first as far as it went, and `"manual"` where it did not go as far
            as that. To fit what was chosen comes on top. Where the time does not run
            out, the seed alone decides.
        seed: Integer; by default that of the dataset.
        verbose: 0 for silence, 1 for a line about every training.

    Attributes:
        choice: Name of the chosen candidate, None before.
        scores: dict of each candidate's name to a list, one a case, of the F1 of each
            class that was scored; `table` shows their means.

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

    def __init__(
        self,
        candidates=tuple(CANDIDATES),
        classifier=None,
        folds=3,
        steps=None,
        time_budget=1800,
        seed=None,
        verbose=1,
    ):
        self.candidates = candidates
        self._candidates = checks.candidates(candidates)
        self.classifier = checks.classifier(classifier)
        self.folds = whole_number("folds", folds, 2)
        self.steps = checks.steps(steps, classifier)
        self.time_budget = checks.time_budget(time_budget)
        self.seed = None if seed is None else check_seed(seed)
        self.verbose = verbose
        self.choice, self.scores, self._titles = None, {}, []

    def choose(self, real, encoding, targets, seed):
        """Judge the candidates; fit the best. `BalancedDataset` calls this.

        Args:
            real: The `RealImages` of the dataset.
            encoding: `LabelEncoding` of its labels.
            targets: int array, images that balancing shall give each class.
            seed: Seed of the dataset.

        Returns:
            The chosen synthesizer, fitted on all the images.
        """
        seed = seed if self.seed is None else self.seed
        rows = [real.rows_of(c) for c in range(encoding.num_classes)]
        self.choice, self.scores = "nothing", {name: [] for name in self._candidates}
        if (targets <= [len(members) for members in rows]).all():
            return self.choice
        images = TrainingImages(real, encoding)
        folds = make_folds(rows, targets, self.folds, _MAX_RATIO, seed)
        cases = [case for fold in folds for case in fold.cases]
        self._titles = [case.title for case in cases]
        total = len(cases) * len(self.scores)
        progress = Progress(total, self.time_budget, self.verbose)
        for place, fold in enumerate(folds):
            self._judge(images, fold, derive_seed(seed, place), progress)
        self.choice = self._decide()
        progress.tell(f"{self.table()}auto: {self.choice} is chosen")
        fit = (CANDIDATES | self._candidates)[self.choice]
        return fit(images.whole(seed))

    def table(self):
        """Scores of all candidates as text; `*` marks the chosen one."""
        return decision.table(self.scores, self._titles, self.choice)

    def _judge(self, images, fold, seed, progress):
        """Score the candidates by the cases of a fold, until the time is over."""
        to_fit_on = images.part(fold.rows, seed)
        fitted = cache(lambda name: self._candidates[name](to_fit_on))
        for case in fold.cases:
            part = images.part(case.train, seed)
            judge = None
            for name in self._candidates:
                if progress.is_over:
                    return
                judge = judge or self._make_judge(images, case, seed)
                try:
                    f1 = judge.f1(_balance(part, case.targets, fitted(name)))
                except FloatingPointError:  # BAGAN's loss became NaN
                    f1 = np.full(len(case.scored), np.nan)
                self.scores[name].append(f1.tolist())
                progress.end(f"{case.title}, {name}", f1.mean())

    def _make_judge(self, images, case, seed):
        held_out = images.part(case.held_out, seed)
        if self.classifier is None:
            return Judge(held_out, case.scored)
        steps = self.steps
        if steps is None:
            steps = _EPOCHS * len(case.train) // _BATCH_SIZE
            steps = min(max(steps, _LEAST_STEPS), _MOST_STEPS)
        return KerasJudge(self.classifier, held_out, case.scored, steps, seed)

    def _decide(self):
        compared = decision.judged(self.scores)
        some_unjudged = not all(self.scores.values())
        if not compared or (some_unjudged and _DEFAULT not in compared):
            return _DEFAULT
        return decision.simplest_near_the_best(compared)


def _balance(part, targets, synthesizer):
    labels = part.encoding.classes.tolist()
    return BalancedDataset(
        part.x,
        part.y,
        _BATCH_SIZE,
        synthesizer=synthesizer,
        sampling_strategy=dict(zip(labels, targets.tolist(), strict=True)),
        seed=part.seed,
    )


CHOOSERS["auto"] = AutoSynthesizer
