"""Recipes for a pretrained backbone: a head on its features, and the decision."""

import dataclasses

import keras
import numpy as np

from keras_balance.auto.all_seeded import all_seeded
from keras_balance.auto.out_of_fold import C
from keras_balance.auto.recipe_trials import Trainings, to_log_probabilities
from keras_balance.layers import LogitAdjustment
from keras_balance.models import FewShotClassifier, adjust_logits
from keras_balance.models.head import ITERATIONS, linear_head

_LEAST = 1e-7  # probability


@dataclasses.dataclass(frozen=True)
class HeadRecipe:
    """One way to classify by the features of a backbone.

    A logistic regression knows of no imbalance. A `FewShotClassifier` is trained with
    the adjusted loss, and so speaks for a world of equally frequent classes. Of both,
    the mean of the log-probabilities is taken, in the world of the training data.

    Args:
        regression: Whether there is a logistic regression.
        few_shots: Whether there is the head of a `FewShotClassifier`.
    """

    regression: bool
    few_shots: bool

    layer = mix = None
    tau_in_theory = 1.0  # of log-probabilities in the world of the training data


# From the simplest on.
HEADS = {
    "plain": HeadRecipe(regression=True, few_shots=False),
    "few shots": HeadRecipe(regression=False, few_shots=True),
    "both": HeadRecipe(regression=True, few_shots=True),
}


class HeadTrainings(Trainings):
    """Trainings of heads on the features of one set of images, each done once and kept.

    Args:
        backbone: Keras model from images to vectors.
        images: `LabelledImages`.
        rows: Their features `(n, d)`.
        seed: Integer.
        kept: `Kept` results.
    """

    folds = 10  # a head is trained in a second

    def __init__(self, backbone, images, rows, seed, kept):
        super().__init__(images, steps=1, seed=seed, kept=kept)
        self.backbone, self.rows = backbone, rows
        self.shares = images.counts / images.counts.sum()

    def final(self, recipe, verbose):
        """Train a head on all images; `(model, None)` from images to probabilities."""
        head = self._head(recipe, slice(None))
        if not recipe.regression:
            return head, None
        return keras.Sequential([self.backbone, head]), None

    def decided(self, model, recipe, tau, adjustment):
        """Put the decision at the end, as `Trainings.decided` does."""
        if recipe.regression:
            return super().decided(model, recipe, tau, adjustment)
        # The head speaks for equal shares, the decision was found for natural ones.
        decision = LogitAdjustment(self.images.counts, tau)
        if adjustment is not None:
            decision = adjustment.adjust(model).layers[-1]
        equal = np.full((1, len(self.shares)), 1 / len(self.shares), "float32")
        moved = keras.ops.convert_to_numpy(decision(equal))[0].astype("float64")
        prior = moved * self.shares / np.sum(moved * self.shares)
        return adjust_logits(model, np.ones(len(prior)), target_prior=prior)

    def _predictions(self, recipe, train_rows, rows, steps, title):
        outputs = self._head(recipe, train_rows)(self.rows[rows])
        outputs = keras.ops.convert_to_numpy(outputs).astype("float64")
        if not recipe.regression:
            counts = np.bincount(self.images.indices[train_rows])
            outputs *= counts / counts.sum()
            outputs /= outputs.sum(axis=1, keepdims=True)
        return to_log_probabilities(outputs, from_logits=False)

    def _head(self, recipe, train_rows):
        """Train a head on some rows: a layer or model of features."""
        rows = self.rows[train_rows]
        indices = self.images.indices[train_rows].astype("int64")
        if not recipe.few_shots:
            return linear_head(rows, indices, C)
        with all_seeded(self.seed):
            few_shots = FewShotClassifier(
                self.backbone, self.images.num_classes, seed=self.seed
            )
            few_shots.fit(rows, indices, verbose=0)
        if not recipe.regression:
            return few_shots
        return joined(linear_head(rows, indices, C), few_shots, np.bincount(indices))


def joined(linear, few_shots, counts):
    """Mean of the log-probabilities of two heads, as a model of features.

    Args:
        linear: What `linear_head` gives.
        few_shots: A `FewShotClassifier`, whose probabilities speak for equal shares.
        counts: Images of each class that both were trained on.
    """
    rows = keras.Input((linear.kernel.shape[0],))
    natural = LogitAdjustment(np.ones(len(counts)), target_prior=counts / counts.sum())
    heads = linear(rows), natural(few_shots.head(rows))
    logs = [keras.ops.log(keras.ops.maximum(head, _LEAST)) for head in heads]
    return keras.Model(rows, keras.layers.Softmax()(keras.layers.Average()(logs)))


def head_code(recipe, images, *, seed, decision, data):
    """Write the code of a head and its decision.

    Args:
        recipe: `HeadRecipe`.
        images: `LabelledImages` that it was trained on.
        seed: Integer.
        decision: Line that makes the decision of `model`.
        data: Lines that `data_code` gives.

    Returns:
        Text of Python code in which `x`, `y` and `backbone` are given.
    """
    number = images.num_classes
    if not recipe.regression:
        numpy = "import numpy as np\n" if "np." in data else ""
        code = _FEW_SHOTS.format(number=number, seed=seed, numpy=numpy, data=data)
        return code + decision
    is_one_hot = images.encoding.form == "one_hot"
    indices = "np.argmax(y, axis=1)" if is_one_hot else "np.ravel(y)"
    two = _TWO if number == 2 else ""
    code = _PLAIN.format(number=number, indices=indices, two=two, data=data)
    if recipe.few_shots:
        code += _JOINED.format(number=number, indices=indices, seed=seed)
    return code + "model = keras.Sequential([backbone, head])\n" + decision


_PLAIN = f"""\
import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import keras_balance as kb

{{data}}rows = backbone.predict(x)
scaler = StandardScaler().fit(rows)
regression = LogisticRegression(C={C}, max_iter={ITERATIONS})
regression.fit(scaler.transform(rows), {{indices}})
kernel = (regression.coef_ / scaler.scale_).T
bias = regression.intercept_ - scaler.mean_ @ kernel
{{two}}head = keras.layers.Dense({{number}}, activation="softmax")
head.build((None, len(kernel)))
head.set_weights([kernel, bias])
"""
_JOINED = f"""\
keras.utils.set_random_seed({{seed}})
few_shots = kb.models.FewShotClassifier(backbone, {{number}}, seed={{seed}})
few_shots.fit(rows, {{indices}})
counts = np.bincount({{indices}})
natural = kb.layers.LogitAdjustment(
    np.ones({{number}}), target_prior=counts / counts.sum()
)
inputs = keras.Input(rows.shape[1:])
heads = head(inputs), natural(few_shots.head(inputs))
logs = [keras.ops.log(keras.ops.maximum(shares, {_LEAST})) for shares in heads]
head = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Average()(logs)))
"""
_TWO = "kernel, bias = np.hstack([0 * kernel, kernel]), np.append(0, bias)\n"
_FEW_SHOTS = """\
import keras
{numpy}
import keras_balance as kb

{data}keras.utils.set_random_seed({seed})
model = kb.models.FewShotClassifier(backbone, {number}, seed={seed})
model.fit(x, y)
"""
