"""Images that generators learn from and are judged by, and who judges.

240 images of each class and 12 of the rare one; of the tiles 240 whole ones, 12 with a
crack, and the others as they are. Digits and clothes are judged by pixels: by a support
vector machine, trained on at most 1,000 real images a class. Pixels tell little of
photographs: those, and tiles, are judged by the paper's ConvNet, trained on all real
images behind crops and flips, and by what its last hidden layer sees.
"""

import collections.abc
import dataclasses
import zipfile

import keras
import numpy as np
from PIL import Image, ImageOps
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import keras_balance as kb
from study import cifar, features, pretrained
from study.experiment import load
from study.fillings import PER_CLASS
from study.gallery import CLOTHES, DIGITS

KEPT, MOST, SEED, SIDE = 12, 1000, 0, 64
EPOCHS = 6  # of the ConvNet, all classes as often as the largest


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set, cut for generators, and its judge.

    Attributes:
        few: `(x, y)` that generators are trained on.
        real: `(x, y)` that the judge has learned from, and generated ones are held
            against.
        held_out: `(x, y)`, real ones that nothing was trained on.
        titles: Names of the classes.
        shown: The rare class, and another, to show.
        classify: Function from images to shares of the classes.
        features: Keras model from images to what they are compared by, None for pixels.
    """

    few: tuple
    real: tuple
    held_out: tuple
    titles: list
    shown: tuple
    classify: collections.abc.Callable
    features: keras.Model | None = None

    @property
    def rare(self):
        return self.shown[0]


def digits(path):
    """EMNIST's digits: few 8s."""
    return by_pixels(load("emnist", path), DIGITS, (8, 3))


def clothes(path):
    """Fashion-MNIST: few boots."""
    return by_pixels(load("fashion_mnist", path), CLOTHES, (9, 8))


def photographs(path):
    """CIFAR-10: few ships."""
    real, held_out = cifar.load_data(path)
    counts = dict.fromkeys(range(10), PER_CLASS) | {8: KEPT}
    return by_network(real, held_out, counts, list(cifar.CLASSES), (8, 1))


def tiles(path):
    """Magnetic tiles, cut to a square: few cracks. A fifth of them is held out."""
    files, y = features.index(path, "magnetic_tiles/")
    with zipfile.ZipFile(path) as archive:
        pictures = [Image.open(archive.open(name)).convert("L") for name in files]
        x = np.stack([np.asarray(ImageOps.fit(one, (SIDE, SIDE))) for one in pictures])
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    train, test = next(folds.split(x, y))
    real, held_out = ((x[rows, ..., None], y[rows]) for rows in (train, test))
    names = pretrained.TILES
    rare, whole = names.index("crack"), names.index("free")
    counts = {rare: KEPT, whole: PER_CLASS}
    return by_network(real, held_out, counts, names, (rare, names.index("blowhole")))


SETS = {
    "digits": ("emnist", digits),
    "clothes": ("fashion_mnist", clothes),
    "photographs": ("cifar10", photographs),
    "tiles": ("tiles", tiles),
}


def by_pixels(data, titles, shown):
    """Images that a support vector machine judges by their pixels."""
    (x, y), held_out = data
    counts = dict.fromkeys(range(len(titles)), PER_CLASS) | {shown[0]: KEPT}
    few = kb.datasets.make_imbalance(x, y, counts, seed=SEED)
    most = {c: min(MOST, number) for c, number in enumerate(np.bincount(y))}
    real = kb.datasets.make_imbalance(x, y, most, seed=SEED)
    return Images(few, real, held_out, titles, shown, by_svm(*real))


def by_svm(x, y):
    """Function to shares of the classes; of one class it is certain."""
    svm = make_pipeline(PCA(50, random_state=0), SVC(C=10.0))
    svm.fit(x.reshape(len(x), -1).astype("float32"), y)
    return lambda images: np.eye(len(np.unique(y)))[
        svm.predict(images.reshape(len(images), -1))
    ]


def by_network(real, held_out, counts, titles, shown):
    """Images that a ConvNet judges by its last hidden layer."""
    few = kb.datasets.make_imbalance(*real, counts, seed=SEED)
    keras.utils.set_random_seed(SEED)
    network = kb.models.convnet(real[0].shape[1:], len(titles))
    crop = kb.layers.PhotoAugmentation(colour_factor=0, erase_factor=0, seed=SEED)
    trainee = keras.Sequential([crop, network])
    trainee.compile(network.optimizer, network.loss)
    feed = kb.BalancedDataset(*real, batch_size=128, seed=SEED)
    trainee.fit(feed, epochs=EPOCHS, shuffle=False, verbose=2)
    features = keras.Model(network.inputs, network.layers[-3].output)
    classify = lambda images: network.predict(images, verbose=0)  # noqa: E731
    return Images(few, real, held_out, titles, shown, classify, features)
