"""A model that takes images, and in their place the features of its backbone."""

from keras_balance.models.training.files import AtomicModel


class ImagesOrFeatures(AtomicModel):
    """Keras model whose inputs are images, or features `(n, d)`."""

    _expects_features = False

    def evaluate(self, x=None, *args, **options):
        """Evaluate on images or features, as any Keras model."""
        self._expect(x)
        return super().evaluate(x, *args, **options)

    def predict(self, x, *args, **options):
        """Predict from images or features, as any Keras model."""
        self._expect(x)
        return super().predict(x, *args, **options)

    def predict_on_batch(self, x):
        """Predict from a batch of images or features, as any Keras model."""
        self._expect(x)
        return super().predict_on_batch(x)

    def _expect(self, x):
        """Trace anew where features follow images, or the other way about.

        TensorFlow would make one function of any rank of both.
        """
        are_features = len(getattr(x, "shape", ())) == 2
        if are_features != self._expects_features:
            self._expects_features = are_features
            self.test_function = self.predict_function = None
