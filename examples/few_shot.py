"""A dozen images of a class and a network that comes with weights.

    python examples/few_shot.py
    python examples/few_shot.py --path magnetic_tiles --backbone backbone.keras

Without arguments: scikit-learn's digits. A small network learns 0 to 4 from all their
images, and is frozen; on its features, 5 to 9 are told apart, with a dozen images of 8.
With `--path`, a folder of photographs with a folder a class, such as the magnetic
tiles: a fifth of each class is kept for the test. `--backbone` is a saved Keras model
from RGB images to vectors; without it, EfficientNetV2B0 is downloaded.

Three heads on the same features: plain, oversampled (rare images repeated), and
`FewShotClassifier`. Prints the report of each class and draws the confusion matrices.
"""

import argparse
import pathlib

import keras
import numpy as np
from matplotlib import figure
from sklearn.model_selection import train_test_split

import keras_balance as kb

RARE, RARE_IMAGES = 8, 12


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", help="folder of photographs, a folder a class")
    parser.add_argument("--backbone", help="saved Keras model from images to vectors")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("results"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    if options.path:
        backbone, names, train, test = photographs(options)
    else:
        backbone, names, train, test = digits(options.seed)
    reports = {
        name: kb.metrics.class_report(test[1], probabilities, names)
        for name, probabilities in compare(backbone, names, train, test, options)
    }
    for name, report in reports.items():
        print(f"\n{name}\n{report.report}")
    draw(reports, options.out / "few_shot.png")


def compare(backbone, names, train, test, options):
    """Yield the name of each head and its probabilities for the test images."""
    ours = kb.models.FewShotClassifier(backbone, len(names), seed=options.seed)
    ours.fit(*train, verbose=0)
    rows, test_rows = ours.features(train[0]), ours.features(test[0])
    # A `BalancedDataset` holds images: of one pixel, with a channel a feature.
    pixels = rows[:, None, None]
    for name, strategy in [("plain", {}), ("oversampled", "auto")]:
        feed = kb.BalancedDataset(
            pixels, train[1], sampling_strategy=strategy, seed=options.seed
        )
        head = keras.Sequential(
            [
                keras.Input(pixels.shape[1:]),
                keras.layers.Flatten(),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(len(names), activation="softmax"),
            ]
        )
        head.compile("adam", "sparse_categorical_crossentropy")
        head.fit(feed, epochs=15, verbose=0)
        yield name, head.predict(test_rows[:, None, None], verbose=0)
    # Trained for equal shares; the test images come as the training images do.
    counts = np.bincount(train[1])
    scores = ours.predict(test_rows, verbose=0)
    if options.path:
        scores = scores * np.sqrt(counts / counts.sum())
    yield "FewShotClassifier", scores / scores.sum(axis=1, keepdims=True)
    options.out.mkdir(parents=True, exist_ok=True)
    ours.save(options.out / "few_shot.keras")


def digits(seed):
    """A backbone that knows 0 to 4, and 5 to 9 with a dozen images of 8."""
    (x, y), (x_test, y_test) = kb.datasets.digits.load_data()
    x, x_test = x[..., None], x_test[..., None]
    network = kb.models.convnet((8, 8, 1), num_classes=5)
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(x[y < 5], y[y < 5], epochs=15, verbose=0)
    features = [layer for layer in network.layers if layer.name.startswith("dense")]
    backbone = keras.Model(network.inputs, features[0].output)
    few = kb.datasets.make_imbalance(
        x[y >= 5], y[y >= 5], {RARE: RARE_IMAGES}, seed=seed
    )
    names = [str(digit) for digit in range(5, 10)]
    test = x_test[y_test >= 5], y_test[y_test >= 5] - 5
    return backbone, names, (few[0], few[1] - 5), test


def photographs(options):
    """A pretrained backbone, and a folder of photographs in two parts."""
    if options.backbone:
        backbone = keras.saving.load_model(options.backbone)
    else:
        backbone = keras.applications.EfficientNetV2B0(
            include_top=False, pooling="avg", input_shape=(224, 224, 3)
        )
    folder = kb.data.balanced_image_dataset_from_directory(
        options.path, image_size=backbone.input_shape[1:3], shuffle=False
    )
    x, y = folder.x[:], np.asarray(folder.y)
    x, x_test, y, y_test = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=options.seed
    )
    return backbone, folder.class_names, (x, y), (x_test, y_test)


def draw(reports, path):
    """Draw the confusion matrices side by side."""
    picture = figure.Figure(figsize=(4 * len(reports), 4), layout="constrained")
    axes = picture.subplots(1, len(reports))
    for axis, (name, report) in zip(axes, reports.items(), strict=True):
        matrix = report.confusion_matrix
        axis.imshow(matrix / matrix.sum(axis=1, keepdims=True), cmap="Blues")
        for (true, predicted), count in np.ndenumerate(matrix):
            axis.text(predicted, true, int(count), ha="center", va="center")
        places = range(len(report.class_names))
        axis.set_xticks(places, report.class_names, rotation=45)
        axis.set_yticks(places, report.class_names)
        axis.set(title=name, xlabel="predicted", ylabel="true")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)


if __name__ == "__main__":
    main()
