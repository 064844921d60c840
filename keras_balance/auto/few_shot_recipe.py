"""The recipe for a pretrained backbone: one head, and the strength of its decision."""

import keras
import numpy as np

from keras_balance.auto.folds import splits, stratified_folds
from keras_balance.models import FewShotClassifier, adjust_logits
from keras_balance.utils.seeds import seeded

_FOLDS = 10


class FewShotRecipe:
    """Trains a `FewShotClassifier` and finds how strongly it is to be adjusted.

    Its head is trained with the adjusted loss, so it speaks for a world of equally
    frequent classes. Strengths are those of other classifiers: 0 stands for the natural
    shares, 1 for equal ones.

    Args:
        backbone: Keras model from images to vectors.
        images: `LabelledImages`.
        seed: Integer.
    """

    def __init__(self, backbone, images, seed):
        self.backbone, self.images, self.seed = backbone, images, seed
        self.shares = images.counts / images.counts.sum()
        self._rows = self._new().features(images.source[:])

    def out_of_fold(self):
        """Predict every image by a head that was trained without it.

        Returns:
            `(probabilities, class indices)` in a world of the natural shares; None
            where a class has a single image.
        """
        indices = self.images.indices.astype("int64")
        folds = min(_FOLDS, self.images.counts.min())
        if folds < 2:
            return None
        found = np.empty((len(indices), len(self.shares)))
        for train, held_out in splits(stratified_folds(indices, folds, self.seed)):
            head = self._fitted(self._rows[train], indices[train])
            outputs = head(self._rows[held_out], training=False)
            found[held_out] = keras.ops.convert_to_numpy(outputs)
        natural = found * self.shares
        return natural / natural.sum(axis=1, keepdims=True), indices

    def prior_of(self, tau):
        """Shares of the classes that a strength stands for."""
        shares = self.shares ** (1 - tau)
        return shares / shares.sum()

    def final(self, prior):
        """Train on all images; the classifier, adjusted to shares of the classes."""
        model = self._fitted(self._rows, self.images.indices.astype("int64"))
        return adjust_logits(model, np.ones(len(prior)), target_prior=prior)

    def code(self, prior):
        """Python code that makes the same classifier from `x`, `y` and `backbone`."""
        prior = np.asarray(prior).tolist()
        return (
            "import keras\n\nimport keras_balance as kb\n\n"
            f"keras.utils.set_random_seed({self.seed})\n"
            f"model = kb.models.FewShotClassifier(backbone, {len(prior)}, "
            f"seed={self.seed})\n"
            "model.fit(x, y)\n"
            f"model = kb.models.adjust_logits(model, {[1] * len(prior)}, "
            f"target_prior={prior})\n"
        )

    def _new(self):
        return FewShotClassifier(self.backbone, self.images.num_classes, seed=self.seed)

    def _fitted(self, rows, indices):
        with seeded(self.seed):
            keras.utils.set_random_seed(self.seed)
            model = self._new()
            model.fit(rows, indices, verbose=0)
        return model
