"""The networks of the study, giving logits."""

import keras
from keras import ops

import keras_balance as kb

# Mean and variance of CIFAR-10's colours, as everyone subtracts them.
MEAN, VARIANCE = (125.3, 123.0, 113.9), (63.0**2, 62.1**2, 66.7**2)


def resnet32(width=16, num_classes=10, dtype="float32", blocks=5):
    """He et al. 2016, section 4.2: three stages of five blocks, free shortcuts."""
    inputs = keras.Input((32, 32, 3))
    normalised = keras.layers.Normalization(
        mean=MEAN, variance=VARIANCE, dtype="float32"
    )(inputs)
    x = _norm(_conv(normalised, width, 1, dtype), dtype)
    x = ops.relu(x)
    for stage in range(3):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            x = _block(x, width * 2**stage, stride, dtype)
    x = ops.mean(x, axis=(1, 2))
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits)


def convnet(num_classes=10):
    """The paper's ConvNet, its last layer without softmax."""
    model = kb.models.convnet((32, 32, 3), num_classes)
    model.layers[-1].activation = keras.activations.linear
    return model


def _block(x, width, stride, dtype):
    y = ops.relu(_norm(_conv(x, width, stride, dtype), dtype))
    y = _norm(_conv(y, width, 1, dtype), dtype)
    if stride > 1:
        x = x[:, ::stride, ::stride]
        missing = width - x.shape[-1]
        x = ops.pad(x, [(0, 0), (0, 0), (0, 0), (missing // 2, missing // 2)])
    return ops.relu(x + y)


def _conv(x, width, stride, dtype):
    return keras.layers.Conv2D(
        width,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=dtype,
    )(x)


def _norm(x, dtype):
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)(x)


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' own; on torch in one operation, which takes half off a step on a CPU."""

    def call(self, inputs, training=None):
        if keras.backend.backend() != "torch" or isinstance(inputs, keras.KerasTensor):
            return super().call(inputs, training=training)
        from torch.nn.functional import batch_norm

        outputs = batch_norm(
            ops.moveaxis(inputs, -1, 1),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=training,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return ops.moveaxis(outputs, 1, -1)
