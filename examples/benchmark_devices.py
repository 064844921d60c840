"""What balanced feeding costs where a training is spread over two devices.

    python examples/benchmark_devices.py
    KERAS_BACKEND=jax python examples/benchmark_devices.py

The paper's ConvNet under `tf.distribute.MirroredStrategy`, or `DataParallel` of
`keras.distribution` on JAX: seconds an epoch of a `BalancedDataset`, beside arrays that
were balanced beforehand, in turns. Where there are not two GPUs, the processor plays
two devices: they share its cores, so that what feeding adds is seen, and no speed-up.
"""

import argparse
import contextlib
import os

# Before a backend starts: the processor shall count as two devices.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

import keras
from benchmark_feed import compare, imbalanced, ways_to_feed

WAYS = (
    "arrays balanced beforehand",
    "PyDataset, ready batches",
    "BalancedDataset, repeat",
    "BalancedDataset, manual",
    "BalancedDataset, MixUp",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-class", type=int, default=480)
    parser.add_argument("--minority", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    devices, scope = spread()
    print(f"{keras.backend.backend()}, {', '.join(map(str, devices))}")
    ways = ways_to_feed(*imbalanced(options.per_class, options.minority))
    with scope:
        compare({name: ways[name] for name in WAYS}, options.rounds)


def spread():
    """Spread what is built over the devices: their names, and a context to build in."""
    if keras.backend.backend() == "tensorflow":
        strategy = mirrored()
        return strategy.extended.worker_devices, strategy.scope()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    return keras.distribution.list_devices(), contextlib.nullcontext()


def mirrored():
    """TensorFlow's strategy for the GPUs, or for the processor as two devices."""
    import tensorflow as tf

    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    (processor,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, two)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


if __name__ == "__main__":
    main()
