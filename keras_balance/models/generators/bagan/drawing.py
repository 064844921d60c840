"""Drawing: the class Gaussians of a BAGAN, and the images drawn from them."""

import numpy as np
from keras import ops

from keras_balance.models.generators.bagan import latent, networks
from keras_balance.utils.labels import read_labels
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed, random_generator


class Drawing:
    """Mixin for a BAGAN: fits the class Gaussians, and draws images of a class."""

    def build_latent(self):
        """Create the weights of the Gaussians, which are saved with the model."""
        shapes = {
            "means": (self.num_classes, self.latent_dim),
            "factors": (self.num_classes, self.latent_dim, self.latent_dim),
            "radius": (),
            "best_score": (),
        }
        for key, shape in shapes.items():
            weight = self.add_weight(
                name=key,
                shape=shape,
                initializer="zeros",
                trainable=False,
                dtype="float32",
            )
            setattr(self, key, weight)

    def fit_latent(self, images, labels):
        """Fit the class Gaussians, and serve the decoder as it is now.

        `fit` does this at the end of phase 1.

        Args:
            images: Images `(n, ...)` in `value_range`.
            labels: Class indices `(n,)`.
        """
        codes = self.encode(images)
        means, factors = latent.fit_class_gaussians(
            codes, labels, self.num_classes, self.shrinkage, self.widening
        )
        self.means.assign(means)
        self.factors.assign(factors)
        self.radius.assign(
            latent.typical_radius(codes, labels, means, factors, self.truncation)
        )
        networks.copy_weights(self.decoder, self.generator)
        self.latent_sample = None

    @property
    def is_fitted(self):
        """Whether there are class Gaussians to draw from."""
        return (
            self.latent_sample is not None
            or float(ops.convert_to_numpy(self.radius)) > 0
        )

    def generate(self, labels, seed=None, batch_size=256):
        """Draw one image for each label.

        Args:
            labels: Labels `(n,)` or one-hot, as in training.
            seed: Integer, or None for a fresh one.
            batch_size: Images drawn at a time.

        Returns:
            float32 NumPy images `(n, height, width, channels)` in `value_range`.

        Raises:
            ValueError: For a label that is not among the classes.
            RuntimeError: Before `fit`.
        """
        indices, _ = read_labels(labels, name="labels", **self.label_options)
        return self.generate_classes(indices, check_seed(seed), batch_size)

    def generate_classes(self, indices, seed, batch_size=256):
        """Draw one image for each class index `(n,)`."""
        self._check_fitted()
        images = np.empty((len(indices), *self.network_shape), "float32")
        left, generator = np.arange(len(indices)), random_generator(seed)
        tries = self.tries if self.label_weight else 1
        for place in range(tries):
            images[left] = drawn = self._draw(indices[left], generator, batch_size)
            if place + 1 < tries:
                left = left[self._classify(drawn, batch_size) != indices[left]]
            if not len(left):
                break
        return self.to_user(images)

    def acceptance_rates(self, samples=200, seed=None):
        """Share of images, drawn once, that the classifier of the code takes for right.

        A class of a low rate lies among the others: what `generate` makes of it is
        the less certain, the lower it is.

        Args:
            samples: Images of each class to draw.
            seed: Integer, or None for a fresh one.

        Returns:
            dict of label to a float in [0, 1].
        """
        self._check_fitted()
        samples = whole_number("samples", samples, 1)
        indices = np.repeat(np.arange(self.num_classes), samples)
        drawn = self._draw(indices, random_generator(check_seed(seed)), 256)
        hits = self._classify(drawn, 256) == indices
        names = self.class_names or range(self.num_classes)
        rates = hits.reshape(self.num_classes, samples).mean(axis=1)
        return dict(zip(names, rates.tolist(), strict=True))

    def _check_fitted(self):
        if not self.is_fitted:
            raise RuntimeError(
                "A BAGAN can draw images after `fit` alone. Received: is_fitted=False"
            )
        if self.latent_sample is not None:
            # In phase 1 the Gaussians are fitted only when somebody asks for images.
            self.fit_latent(*self.latent_sample)

    def _draw(self, indices, generator, batch_size):
        """Draw one image for each class index, as the networks see it."""
        codes = latent.sample_class_gaussians(
            ops.convert_to_numpy(self.means),
            ops.convert_to_numpy(self.factors),
            indices,
            float(ops.convert_to_numpy(self.radius)),
            generator,
        )
        return networks.predict(self.generator, codes, batch_size)

    def _classify(self, images, batch_size):
        """Class indices of images as the networks see them, by their codes."""
        codes = networks.predict(self.encoder, images, batch_size)
        return networks.predict(self.label_head, codes, batch_size).argmax(axis=1)
