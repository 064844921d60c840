"""The one thing taken from Keras that it does not export, and what it must do."""

import keras
import numpy as np
import tensorflow as tf

from keras_balance.layers.base import BaseImagePreprocessingLayer, ImageLayer


class Halve(ImageLayer):
    """Says which operations it was given, and halves images."""

    def get_random_transformation(self, data, training=True, seed=None):
        self.seen = self.backend.name
        return {"by": 2.0}

    def transform_images(self, images, transformation, training=True):
        return images / transformation["by"]


def test_the_base_is_that_of_every_keras_image_layer():
    """When Keras moves or splits its base class, this is where it shows."""
    assert BaseImagePreprocessingLayer.__name__ == "BaseImagePreprocessingLayer"
    for layer in ("RandomZoom", "RandomTranslation", "RandomBrightness", "RandomFlip"):
        assert issubclass(getattr(keras.layers, layer), BaseImagePreprocessingLayer)
    assert issubclass(BaseImagePreprocessingLayer, keras.Layer)


def test_the_base_gives_what_the_layers_use():
    layer = BaseImagePreprocessingLayer()
    layer.seed, layer.generator = 1, keras.random.SeedGenerator(1)
    assert layer.backend.name == keras.backend.backend()
    for group in ("numpy", "random", "image"):
        assert hasattr(layer.backend, group)
    assert layer._get_seed_generator(layer.backend.name) is layer.generator
    assert layer._is_batched(np.zeros((1, 2, 2, 1)))
    assert not layer._is_batched(np.zeros((2, 2, 1)))


def test_the_backend_is_tensorflow_inside_tf_data_and_only_there():
    layer = Halve()
    images = np.full((1, 2, 2, 1), 4.0, "float32")
    (halved,) = tf.data.Dataset.from_tensors(images).map(layer)
    assert layer.seen == "tensorflow"
    np.testing.assert_array_equal(halved, images / 2)
    layer(images)
    assert layer.seen == keras.backend.backend()


def test_dicts_are_taken_apart():
    mask = np.ones((1, 2, 2, 1), "int32")
    data = {
        "images": np.full((1, 2, 2, 1), 4.0, "float32"),
        "labels": np.array([3]),
        "segmentation_masks": mask,
    }
    outputs = Halve()(data)
    assert set(outputs) == set(data)
    assert keras.ops.is_tensor(outputs["labels"])
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(outputs["images"]), data["images"] / 2
    )
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(outputs["segmentation_masks"]), mask
    )


def test_labels_may_be_words_inside_tf_data():
    data = {"images": np.zeros((2, 2, 2, 1), "float32"), "labels": ["a", "b"]}
    (outputs,) = tf.data.Dataset.from_tensors(data).map(Halve())
    assert outputs["labels"].numpy().tolist() == [b"a", b"b"]


def test_layers_of_the_same_seed_draw_the_same_as_none_differ():
    seeds = [Halve(seed=seed).generator.next() for seed in (5, np.int64(5), None, None)]
    values = [keras.ops.convert_to_numpy(seed).tolist() for seed in seeds]
    assert values[0] == values[1]
    assert values[2] != values[3]
    assert Halve(seed=None).get_config()["seed"] is None
