"""imbalanced-learn's door: over-sampling of images within its pipelines."""

import numpy as np

from keras_balance.data.balanced_dataset import BalancedDataset
from keras_balance.data.labelled_images import LabelledImages
from keras_balance.utils.seeds import check_seed, random_generator

_BATCH_SIZE = 1024


class ImageOverSampler:
    """Over-samples images `(n, height, width, channels)` all at once.

    The sampler of imbalanced-learn for images: it stands in an
    `imblearn.pipeline.Pipeline`, where samplers act in `fit` alone.

    Args:
        sampling_strategy: As in `BalancedDataset`.
        synthesizer: As in `BalancedDataset`. Clones of the sampler share it.
        random_state: Integer, a `numpy.random.RandomState` that one is drawn from, or
            None for a fresh seed.
        shuffle: Whether the images are shuffled, since a split by position, such as
            Keras' `validation_split`, would else hold synthetic images alone, made of
            the real ones in the other part. Without it, the synthetic ones follow the
            real ones.

    Attributes:
        sampling_strategy_: After `fit_resample`, dict of the synthetic images made
            of each class.

    Example:
        >>> sampler = ImageOverSampler(synthesizer="manual", random_state=0)
        >>> x_balanced, y_balanced = sampler.fit_resample(x, y)
    """

    def __init__(
        self,
        sampling_strategy="auto",
        synthesizer=None,
        random_state=None,
        shuffle=True,
    ):
        self.sampling_strategy = sampling_strategy
        self.synthesizer = synthesizer
        self.random_state = random_state
        self.shuffle = shuffle

    def fit_resample(self, X, y):
        """Balance images and labels.

        Args:
            X: Images `(n, height, width, channels)` of any number type.
            y: Labels, sparse, `(n, 1)` or one-hot.

        Returns:
            `(X, y)`: the real images as they were and the synthetic ones among them,
            repeated ones too made in float32, in the dtype of `X` (rounded where that
            is an integer type), and labels in the encoding of `y`.

        Raises:
            ValueError, TypeError: As `BalancedDataset`.
        """
        real = LabelledImages.read(X, y).alone()
        is_whole = real.source.dtype.kind in "iu"
        dataset = BalancedDataset(
            real,
            batch_size=_BATCH_SIZE,
            synthesizer=self.synthesizer,
            sampling_strategy=self.sampling_strategy,
            shuffle=False,
            seed=_seed(self.random_state),
            dtype=real.source.dtype.name if is_whole else "float32",
        )
        images, labels = [np.asarray(real.x)], [real.labels]
        # Unshuffled, the synthetic images follow the real ones.
        for index in range(len(real) // _BATCH_SIZE, len(dataset)):
            start = max(0, len(real) - index * _BATCH_SIZE)
            batch = [part[start:] for part in dataset[index]]
            made = batch[0] >= 0.5 if images[0].dtype == bool else batch[0]
            images.append(made.astype(images[0].dtype, copy=False))
            labels.append(batch[1])
        self.sampling_strategy_ = _shortfall(real, dataset.class_counts)
        images, labels = np.concatenate(images), np.concatenate(labels)
        if not self.shuffle:
            return images, labels
        order = random_generator(dataset.seed).permutation(len(images))
        return images[order], labels[order]

    def get_params(self, deep=True):
        """Arguments of the sampler, for scikit-learn."""
        return {
            "sampling_strategy": self.sampling_strategy,
            "synthesizer": self.synthesizer,
            "random_state": self.random_state,
            "shuffle": self.shuffle,
        }

    def set_params(self, **params):
        """Change arguments of the sampler, for scikit-learn."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(
                    f"There must be an argument of that name. Received: {name}={value}"
                )
            setattr(self, name, value)
        return self

    def __sklearn_clone__(self):
        # A fitted generator is shared: scikit-learn would copy it, or lose its fit.
        return type(self)(**self.get_params())


def _shortfall(real, class_counts):
    shortfall = np.array(list(class_counts.values())) - real.counts
    wanted = np.flatnonzero(shortfall)
    keys = real.encoding.keys
    return {keys[index]: int(shortfall[index]) for index in wanted}


def _seed(random_state):
    if isinstance(random_state, np.random.RandomState):
        return random_state.randint(np.iinfo("int32").max)
    return check_seed(random_state, "random_state")
