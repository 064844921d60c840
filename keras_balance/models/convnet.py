"""The paper's classifier."""

import numbers

import keras

from keras_balance.utils.images import check_value_range
from keras_balance.utils.numbers import whole_number


def convnet(
    input_shape=(28, 28, 1), num_classes=10, value_range=(0, 255), learning_rate=1.0
):
    """Build and compile the small ConvNet that the paper trains in every arm.

    Two 3x3 convolutions (32 and 64 filters), max pooling and a hidden layer of
    128 units, with dropout; Adadelta, as in Keras' `mnist_cnn` example.

    Args:
        input_shape: Shape of one image, 8x8 or larger, in the order of
            `keras.config.image_data_format()`.
        num_classes: Number of classes, 2 or more.
        value_range: The `(low, high)` of the pixels that come in; they are
            rescaled to [0, 1] inside the model.
        learning_rate: Learning rate of Adadelta.

    Returns:
        A `keras.Sequential` from images to class probabilities, compiled for
        sparse labels; `compile` it again for anything else.

    Raises:
        ValueError: When the images are smaller than 8x8 or there is one class.
        TypeError: When `num_classes` is no integer.

    Example:
        >>> model = kb.models.convnet((28, 28, 1), num_classes=10)
        >>> model.fit(kb.BalancedDataset(x, y), epochs=12)

    Reference:
        "Improved Reliability using Data Augmentation", section 4, figure 2.
    """
    if not _is_shape(input_shape) or min(_sides(input_shape)) < 8:
        raise ValueError(
            "`input_shape` must be one image's shape, 8x8 or larger. "
            f"Received: input_shape={input_shape!r}"
        )
    num_classes = whole_number("num_classes", num_classes, 2)
    low, high = check_value_range(value_range)
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / (high - low), offset=-low / (high - low)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(num_classes, activation="softmax"),
        ],
        name="convnet",
    )
    model.compile(
        optimizer=keras.optimizers.Adadelta(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _is_shape(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and all(isinstance(side, numbers.Integral) and side > 0 for side in value)
    )


def _sides(input_shape):
    if keras.config.image_data_format() == "channels_first":
        return input_shape[1:]
    return input_shape[:2]
