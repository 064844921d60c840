"""The layer by which DAGAN makes images: it moves pixels, and draws none."""

import keras
from keras import ops

from keras_balance.layers import warp


@keras.saving.register_keras_serializable(package="keras_balance")
class MovePixels(keras.layers.Layer):
    """Images whose pixels come from elsewhere, as shifts on a coarser grid say.

    What lies between the grid's points is interpolated, so that neighbours move alike.
    Beyond the edge an image goes on as it ends there.

    Call arguments:
        inputs: Images `(n, height, width, channels)`, and shifts `(n, rows, columns,
            2)`, down and right, in parts of height and width.

    Returns:
        Images of the same shape, differentiable in images and shifts.
    """

    def call(self, inputs):
        """Move the pixels."""
        images, shifts = inputs
        height, width = images.shape[1:3]
        shifts = ops.image.resize(
            shifts, (height, width), "bilinear", data_format="channels_last"
        )
        rows = ops.reshape(ops.arange(height, dtype="float32"), (1, -1, 1))
        columns = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, -1))
        return warp.resample(
            ops,
            images,
            rows + height * shifts[..., 0],
            columns + width * shifts[..., 1],
            interpolation="bilinear",
            fill_mode="nearest",
            fill_value=0.0,
        )

    def compute_output_shape(self, input_shape):
        """Return the shape of the images."""
        return input_shape[0]
