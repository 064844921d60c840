"""Generated images that are augmented on top."""

from keras_balance.data import checks
from keras_balance.data.synthesis.augment import augment
from keras_balance.layers.mixing import check_augmentation
from keras_balance.utils.arrays import to_numpy
from keras_balance.utils.seeds import check_seed, derive_seed


class AugmentedSynthesizer:
    """Passes the images of a synthesizer through an augmentation layer.

    A generator of a dozen images varies the strokes, an augmentation the pose: the
    one does not replace the other.

    Args:
        synthesizer: Object with `generate(labels, seed=None)`, such as a `BAGAN`.
        layer: Keras augmentation layer, such as `ManualAugmentation`.

    Raises:
        TypeError: When there is no `generate`, or `layer` is no Keras layer.
        ValueError: When `layer` mixes images, as MixUp and CutMix do.

    Example:
        >>> layer = kb.layers.ManualAugmentation()
        >>> both = kb.data.AugmentedSynthesizer(bagan, layer)
        >>> dataset = kb.BalancedDataset(x, y, synthesizer=both)
    """

    def __init__(self, synthesizer, layer):
        self.synthesizer = checks.synthesizer(synthesizer)
        check_augmentation(layer)
        self.layer = layer

    @property
    def data_format(self):
        """Layout of the images, where the synthesizer tells it."""
        return getattr(self.synthesizer, "data_format", None)

    @property
    def value_range(self):
        """Range of the pixels, where the synthesizer tells it."""
        return getattr(self.synthesizer, "value_range", None)

    def generate(self, labels, seed=None):
        """Generate one augmented image for each label.

        Args:
            labels: Labels `(n,)`, as the synthesizer wants them.
            seed: Integer or None.

        Returns:
            float32 images `(n, height, width, channels)` in the synthesizer's scale.
        """
        seed = check_seed(seed)
        images = to_numpy(self.synthesizer.generate(labels, seed=derive_seed(seed, 0)))
        # That of a BAGAN; for a synthesizer that has none, the layer's own.
        return augment(self.layer, images, derive_seed(seed, 1), self.data_format)
