"""Augmentation whose strength depends on the class."""

import keras
import numpy as np

from keras_balance.layers.base import ImageLayer
from keras_balance.layers.mixing import check_mixes_nothing
from keras_balance.layers.rates import check_rates, rate_table
from keras_balance.utils.seeds import check_seed, derive_seed


@keras.saving.register_keras_serializable(package="keras_balance")
class ClassAwareAugmentation(ImageLayer):
    """Augments images of class c with probability `rates[c]` during training.

    Wraps any Keras layer that changes images and keeps their shape. The layer
    sees the whole batch, and the images that were not drawn are put back: those
    that were drawn look as if the layer had been applied by hand. Bounding boxes
    and segmentation masks go with their image. With `training=False` everything
    stays as it is.

    Input shape:
        Dict with `"images"` `(n, height, width, channels)` and `"labels"`:
        integers `(n,)` or `(n, 1)`, or one-hot `(n, num_classes)`; or one
        image with its label, without n. Any dtype.

    Output shape:
        The same dict: images in the layer's compute dtype, labels as they came.

    Args:
        layer: A Keras layer. One that mixes images (`MixUp`, `CutMix`), or holds
            such a one, is refused, since labels stay as they are.
        rates: Probabilities in [0, 1] by class: a dict, or a sequence whose
            index is the class. A class that is missing has rate 0.
        seed: Integer or None, for the draws; `layer` has its own.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Raises:
        TypeError: When `layer` is no layer, or a class or rate is no number.
        ValueError: For a rate outside [0, 1], a negative class, a layer that
            mixes images or is a `ClassAwareAugmentation`; when called, for data
            without images and labels.

    Example:
        >>> import numpy as np
        >>> layer = ClassAwareAugmentation(
        ...     keras.layers.RandomRotation(0.1), rates={3: 1.0, 7: 0.5}, seed=0
        ... )
        >>> data = {"images": np.zeros((4, 8, 8, 1)), "labels": np.array([0, 3, 7, 3])}
        >>> layer(data)["images"].shape
        TensorShape([4, 8, 8, 1])
    """

    def __init__(self, layer, rates, seed=None, **kwargs):
        seed = None if seed is None else check_seed(seed)
        # Of another stream than a layer of the same seed: what that draws for an image
        # must not depend on whether the image was drawn.
        own = None if seed is None else derive_seed(seed, 1)
        super().__init__(seed=own, **kwargs)
        self._given_seed = seed
        self.layer = _check_layer(layer)
        self.rates = check_rates(rates)
        self.supports_jit = layer.supports_jit
        self.built = True

    def __call__(self, data, labels=None, **kwargs):
        """Apply the layer to a dict of images and labels."""
        # Labels go on as an argument of their own: what is in `data` Keras casts
        # inside tf.data, to float16 even. A functional model calls that way.
        if labels is None:
            _check_data(data)
            data = dict(data)
            labels = data.pop("labels")
        return super().__call__(data, labels=labels, **kwargs)

    def call(self, data, labels, training=True):
        """Augment the images that were drawn, and what goes with them."""
        data["images"] = self.backend.cast(data["images"], self.compute_dtype)
        if not training:
            return {**data, "labels": labels}
        n = self._image_shape(data)[0]
        draws = self.backend.random.uniform(
            (n,), dtype="float32", seed=self._seed(None)
        )
        is_batch = self._is_batched(data["images"])
        chosen = draws < self._rates_of(labels, n, is_batch)
        # A copy, for layers that write into what they are given: so does Keras'
        # RandomBrightness on torch.
        copies = keras.tree.map_structure(self.backend.numpy.copy, data)
        augmented = self._augment(copies)

        def choose(new, old):
            ones = (1,) * (len(old.shape) - is_batch)
            mask = self.backend.numpy.reshape(chosen, (-1, *ones) if is_batch else ones)
            return self.backend.numpy.where(mask, new, old)

        return {**keras.tree.map_structure(choose, augmented, data), "labels": labels}

    def compute_output_spec(self, data, labels, training=True):
        """Shapes and dtypes as they are, images in the compute dtype."""
        outputs = keras.tree.map_structure(
            lambda entry: keras.KerasTensor(entry.shape, entry.dtype),
            {**data, "labels": labels},
        )
        outputs["images"] = keras.KerasTensor(data["images"].shape, self.compute_dtype)
        return outputs

    def get_config(self):
        """Arguments of `__init__`."""
        rates = self.rates
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
            "rates": dict(rates) if isinstance(rates, dict) else list(rates),
            "seed": self._given_seed,
        }

    @classmethod
    def from_config(cls, config):
        """Layer of a config, whose dict of rates JSON may have given string keys."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        rates = config["rates"]
        if isinstance(rates, dict):
            rates = {int(label): rate for label, rate in rates.items()}
        return cls(**{**config, "layer": layer, "rates": rates})

    def _augment(self, data):
        """Every entry of `data` as the layer makes it, boxes and masks too."""
        if len(data) > 1:
            augmented = self.layer(data, training=True)
        else:
            # A layer that knows no dicts, such as GaussianNoise, does as well.
            augmented = {"images": self.layer(data["images"], training=True)}
        self._check_same_shape(data["images"].shape, augmented["images"].shape)
        images = self._in_compute_dtype(augmented["images"])
        return {**augmented, "images": images}

    def _check_same_shape(self, before, after):
        before, after = tuple(before), tuple(after)
        known = [pair for pair in zip(before, after, strict=False) if None not in pair]
        if len(before) != len(after) or any(old != new for old, new in known):
            raise ValueError(
                "`layer` must keep the shape of the images. Received: "
                f"layer={self.layer.name}, which makes {after} of {before}"
            )

    def _rates_of(self, labels, n, is_batch):
        """Rate of each image, float32 `(n,)`."""
        ops = self.backend
        _check_numbers(labels)
        labels = ops.convert_to_tensor(labels)
        shape = tuple(labels.shape)
        if len(shape) not in (is_batch, is_batch + 1):
            raise ValueError(
                "Labels must be (n,) or (n, 1) integers or one-hot (n, num_classes). "
                f"Received: labels of shape {shape}"
            )
        if is_batch and isinstance(n, int) and shape[0] not in (n, None):
            raise ValueError(
                "There must be one label for each image. "
                f"Received: {n} images, {shape[0]} labels"
            )
        if len(shape) > is_batch and shape[-1] != 1:
            labels = ops.numpy.argmax(labels, axis=-1)
        labels = ops.numpy.reshape(ops.cast(labels, "int32"), (-1,))
        table = rate_table(self.rates)
        place = ops.numpy.clip(labels + 1, 0, len(table) - 1)
        return ops.numpy.take(ops.convert_to_tensor(table), place)


def _check_numbers(labels):
    """Raise a `TypeError` for strings, which TensorFlow has tensors of."""
    if isinstance(labels, (list, tuple, np.ndarray)):
        are_strings = np.asarray(labels).dtype.kind in "OUS"
    else:
        are_strings = getattr(labels.dtype, "name", "") == "string"
    if are_strings:
        raise TypeError(
            "Labels must be (n,) or (n, 1) integers or one-hot (n, num_classes). "
            "Received: labels that are strings"
        )


def _check_data(data):
    if not isinstance(data, dict) or not {"images", "labels"} <= set(data):
        received = sorted(data) if isinstance(data, dict) else type(data)
        raise ValueError(
            "`data` must be a dict with the keys 'images' and 'labels'. "
            f"Received: data={received}"
        )


def _check_layer(layer):
    if not isinstance(layer, keras.Layer):
        raise TypeError(f"`layer` must be a Keras layer. Received: layer={layer!r}")
    check_mixes_nothing(layer)
    if isinstance(layer, ClassAwareAugmentation):
        raise ValueError(
            "`layer` must augment images without their labels: put one "
            "`ClassAwareAugmentation` behind the other. "
            f"Received: layer={layer!r}"
        )
    return layer
