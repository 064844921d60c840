"""What `AutoSynthesizer` and `AutoAugmentation` share: candidates judged in folds."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_balance.auto import checks, decision
from keras_balance.auto.folds import make_folds
from keras_balance.auto.judge import Judge, known
from keras_balance.auto.keras_judge import KerasJudge
from keras_balance.auto.lengths import MAX_RATIO, default_steps
from keras_balance.auto.progress import Progress
from keras_balance.data.synthesis import registry
from keras_balance.metrics.features import Features, warn_of_pixels
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, derive_seed

_MOST_IN_MEMORY = 2**26  # bytes of a case's images; others are read again each time


class Chooser:
    """Judges candidates, from the simplest on, in folds of the training images.

    A subclass gives the folds their data by `_compare`, and says in `_feed` what a
    candidate makes of the images of a case.

    Args:
        candidates: dict of names to functions `(images, seed)` that fit something to
            `LabelledImages`; None for the filling of that name.
        default: Name of the candidate to take where nothing could be measured.
        judge: Arguments of `Judge`.
        classifier, features, folds, steps, time_budget, seed, verbose: As in the
            subclasses.
    """

    # What an error says where nothing was judged yet.
    _ask_for = "Call `fit` first."

    def __init__(
        self,
        candidates,
        *,
        default,
        judge,
        classifier,
        features,
        folds,
        steps,
        time_budget,
        seed,
        verbose,
    ):
        self._candidates, self._default = candidates, default
        self._judge_options = judge
        self.classifier = checks.classifier(classifier)
        self.features = checks.features(features, classifier)
        self._features = Features(features)
        self.folds = whole_number("folds", folds, 2)
        self.steps = checks.steps(steps, classifier)
        self.time_budget = checks.time_budget(time_budget)
        self.seed = None if seed is None else check_seed(seed)
        self.verbose = verbose
        self.choice, self.scores, self._titles = None, {}, []
        self._left_out = set()

    def table(self):
        """Scores of all candidates as text; `*` marks the chosen one.

        Raises:
            RuntimeError: Before any candidate was judged.
        """
        if not self.scores:
            raise RuntimeError(self._ask_for)
        return decision.table(self.scores, self._titles, self.choice, self._left_out)

    def _feed(self, part, targets, fitted, seed):
        """Dataset that a candidate, fitted before, makes of the images of a case."""
        raise NotImplementedError

    def _fit(self, name, images, seed, fitted=None):
        """Fit a candidate; `fitted` keeps what several are made of."""
        fit = self._candidates.get(name)
        if fit is None:
            return registry.fit(name, images, seed, fitted)
        fitted = {} if fitted is None else fitted
        # Beside a filling that it may share its name with.
        key = "own", name
        if key not in fitted:
            fitted[key] = fit(images, seed)
        return fitted[key]

    def _compare(self, images, targets, seed):
        """Judge all candidates, and choose one.

        Args:
            images: `LabelledImages`.
            targets: int array, images that balancing shall give each class.
            seed: Integer.
        """
        if self.classifier is None and self.features is None:
            warn_of_pixels(images.source.shape, type(self).__name__)
        self.choice, self.scores = None, {name: [] for name in self._candidates}
        self._left_out = set()
        rows = [images.rows_of(c) for c in range(images.num_classes)]
        names = images.encoding.keys
        folds = make_folds(rows, targets, self.folds, MAX_RATIO, seed, names)
        cases = [case for fold in folds for case in fold.cases]
        self._titles = [case.title for case in cases]
        # What a candidate is fitted to is fitted in the first case of a fold.
        plan = [
            (name, place == 0)
            for fold in folds
            for place, _ in enumerate(fold.cases)
            for name in self.scores
        ]
        progress = Progress(plan, self.time_budget, self.verbose)
        for place, fold in enumerate(folds):
            self._judge(images, fold, derive_seed(seed, place), progress)
        self.choice = self._decide()
        progress.tell(f"{self.table()}auto: {self.choice} is chosen")

    def _judge(self, images, fold, seed, progress):
        """Score the candidates by the cases of a fold, until the time is over."""
        # Most candidates look at none of the images: these are read when they are.
        to_fit_on, fitted = images.part(fold.rows, in_memory=False), {}
        for case in fold.cases:
            # By a function, so that a case's images are let go before the next one's.
            self._judge_case(images, case, to_fit_on, fitted, seed, progress)
            self._leave_out_the_hopeless(progress)

    def _judge_case(self, images, case, to_fit_on, fitted, seed, progress):
        part = images.part(case.train, _is_small(images, case.train))
        targets = _by_key(part.encoding, case.targets)
        judge, begun = None, []
        # While the judge is fitted to one feed, the next one is read.
        with ThreadPoolExecutor(1) as thread:
            for name in self._running:
                if progress.is_over(len(begun)):
                    break
                judge = judge or self._make_judge(images, case, seed)
                try:
                    candidate = self._fit(name, to_fit_on, seed, fitted)
                    feed = self._feed(part, targets, candidate, seed)
                    f1 = judge.begin(feed, thread)
                except FloatingPointError:  # of a BAGAN, or of the classifier
                    f1 = known(np.full(len(case.scored), np.nan))
                begun.append((name, f1, progress.lap()))
                self._end(begun, case, progress, but=0 if f1.done() else 1)
            self._end(begun, case, progress)

    def _end(self, begun, case, progress, but=0):
        """Wait for all trainings but the last ones, and keep their scores."""
        while len(begun) > but:
            name, future, seconds = begun.pop(0)
            f1 = future.result()
            self.scores[name].append(f1.tolist())
            progress.end(f"{case.title}, {name}", f1.mean(), seconds)

    def _leave_out_the_hopeless(self, progress):
        if progress.is_over():
            return
        for name in decision.hopeless(self._compared()):
            self._left_out.add(name)
            progress.leave_out_all(name)
        if self._left_out and len(self._running) == 1:
            progress.leave_out_all(*self._running)  # it is chosen whatever comes

    def _make_judge(self, images, case, seed):
        in_memory = self.classifier is not None
        held_out = images.part(case.held_out, in_memory)
        if self.classifier is None:
            options = {**self._judge_options, "features": self._features}
            return Judge(held_out, case.scored, **options)
        steps = self.steps
        if steps is None:
            steps = default_steps(len(case.train))
        return KerasJudge(self.classifier, held_out, case.scored, steps, seed)

    @property
    def _running(self):
        """Candidates that are judged in all cases, unlike those far behind."""
        return [name for name in self._candidates if name not in self._left_out]

    def _compared(self):
        return decision.judged({name: self.scores[name] for name in self._running})

    def _decide(self):
        compared = self._compared()
        if all(self.scores.values()):
            if not compared:
                raise checks.diverged(f"each of candidates={self._running}")
        elif self._default not in compared:
            return self._default
        return decision.simplest_near_the_best(compared)


def _is_small(images, rows):
    """Whether these images are better held in memory than read again and again."""
    size = len(rows) * math.prod(images.image_shape) * images.source.dtype.itemsize
    return size <= _MOST_IN_MEMORY


def _by_key(encoding, targets):
    """Write counts as a `sampling_strategy`."""
    return dict(zip(encoding.keys, targets.tolist(), strict=True))
