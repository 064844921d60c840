"""Pictures of what a generator makes as it learns."""

import pathlib

import keras
import numpy as np

from keras_balance.utils import image_plots, plots
from keras_balance.utils.class_names import check_class_names, sequence_of_names
from keras_balance.utils.files import folder
from keras_balance.utils.numbers import whole_number
from keras_balance.utils.seeds import check_seed

_STRIP_PANELS = 5
_STRIP_COLUMNS = 5


class GeneratedImages(keras.callbacks.Callback):
    """Grids of generated images, one class a row, as training goes on.

    Writes `epoch_0010.png`, ... into a folder, `final.png` after training, and
    `strip.png`: up to five of them, the first and the last included, side by side
    as in Figure 4 of the paper. Every picture has the same seed, so that the same
    samples are followed through the training. Each file is written atomically.

    The model must have `num_classes`, `value_range` and `generate(labels,
    seed=None)`, which gives images `(n, height, width, channels)`, as a `BAGAN` has.

    Args:
        directory: Folder for the pictures, made when missing.
        every: A picture after each `every` epochs; or a sequence of the epochs,
            counted from 1, to draw a picture after. By default about five, spread
            over the training.
        per_class: Images of each class.
        class_names: Optional names, one a class, for the rows. Defaults to the
            model's `class_names`, or else to the class indices.
        seed: Integer seed of the samples.

    Raises:
        TypeError: When `every`, `per_class` or `seed` are no integers, `directory` is
            no path, or `class_names` no sequence.
        ValueError: When one is below 1 (`seed`: 0); from `fit`, when `class_names` is
            not one name a class, and for a model that makes no images.
        OSError: From `fit`, for a `directory` that cannot be made.

    Example:
        >>> pictures = kb.callbacks.GeneratedImages("pictures", every=[10, 50, 100])
        >>> kb.models.BAGAN((28, 28, 1), 10).fit(x, y, callbacks=[pictures])

    Reference:
        Figure 4 of the paper, "BAGAN Generated Images Through 150 Epochs".
    """

    def __init__(self, directory, every=None, per_class=10, class_names=None, seed=0):
        super().__init__()
        if directory is None:
            raise TypeError(
                "`directory` must be the path of a folder. Received: directory=None"
            )
        self.directory = folder("directory", directory)
        self.every = _check_every(every)
        self.per_class = whole_number("per_class", per_class, 1)
        self.class_names = sequence_of_names(class_names)
        self.seed = check_seed(seed)
        self._strip = {}

    def on_train_begin(self, logs=None):
        """Begin a new strip, and check that there will be pictures."""
        self._strip = {}
        if self.model is not None:
            needed = ("num_classes", "value_range", "generate")
            missing = [name for name in needed if not hasattr(self.model, name)]
            if missing:
                raise ValueError(
                    "The model must make images of classes, as a `BAGAN` does. "
                    f"Received: {type(self.model).__name__} without {missing}"
                )
            self._names()
        pathlib.Path(self.directory).mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        """Draw a picture when it is time."""
        # Counted from 1, as Keras' progress bar does.
        epoch += 1
        if self._is_time(epoch):
            self._draw(f"epoch {epoch}", f"epoch_{epoch:04d}.png")

    def on_train_end(self, logs=None):
        """Draw what training left, which may be the choice of an earlier epoch."""
        self._draw("after training", "final.png")

    def _is_time(self, epoch):
        if isinstance(self.every, tuple):
            return epoch in self.every
        every = self.every or max(1, self.params["epochs"] // _STRIP_PANELS)
        return epoch % every == 0

    def _draw(self, title, file_name):
        model, directory = self.model, pathlib.Path(self.directory)
        names, images = self._generate()
        figure = image_plots.image_grid(images, names, model.value_range, title)
        plots.save_figure(figure, directory / file_name)
        self._strip[title] = images[:, :_STRIP_COLUMNS]
        figure = image_plots.image_strip(_spread(self._strip), names, model.value_range)
        plots.save_figure(figure, directory / "strip.png")

    def _generate(self):
        """Names of the classes and images `(classes, per_class, h, w, c)`."""
        model, names = self.model, self._names()
        classes = getattr(model, "class_names", None)
        # Labels as in training: a BAGAN with class names takes those.
        labels = np.arange(model.num_classes) if classes is None else classes
        labels = np.repeat(np.asarray(labels), self.per_class)
        images = np.asarray(model.generate(labels, seed=self.seed))
        if getattr(model, "data_format", None) == "channels_first":
            images = np.moveaxis(images, 1, -1)
        return names, images.reshape(len(names), self.per_class, *images.shape[1:])

    def _names(self):
        classes = getattr(self.model, "class_names", None)
        names = classes if self.class_names is None else self.class_names
        return check_class_names(names, self.model.num_classes)


def _spread(strip):
    """At most as many panels as a strip has, evenly spread, both ends kept."""
    titles = list(strip)
    places = np.linspace(0, len(titles) - 1, min(len(titles), _STRIP_PANELS))
    chosen = [titles[place] for place in np.rint(places).astype(int)]
    return {title: strip[title] for title in chosen}


def _check_every(every):
    if every is None:
        return None
    if isinstance(every, (list, tuple, range, set, frozenset, np.ndarray)):
        if not len(every):
            raise ValueError(
                f"`every` must name an epoch at least. Received: every={every!r}"
            )
        return tuple(whole_number("every", epoch, 1) for epoch in every)
    return whole_number("every", every, 1)
