"""Drop ManualAugmentation into a model that was trained without it.

    python examples/augment_existing_model.py

A small ConvNet learns scikit-learn's digits, and stumbles over the same digits turned
and zoomed. The layer is put in front of it, and it learns on from where it was. The
weights are shared: what is saved or served is the model as it was before, which never
heard of augmentation.
"""

import keras

import keras_balance as kb

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = kb.datasets.digits.load_data()
x_train, x_test = x_train[..., None], x_test[..., None]

model = kb.models.convnet((8, 8, 1), num_classes=10)
model.fit(x_train, y_train, epochs=8, verbose=0)

# The test images as another hand could have written them.
moves = kb.layers.ManualAugmentation(
    rotation_factor=0.08, zoom_factor=0.15, noise_factor=0.05, seed=1
)
x_moved = keras.ops.convert_to_numpy(moves(x_test))


def show(name):
    plain, moved = (
        model.evaluate(x, y_test, verbose=0, return_dict=True)["accuracy"]
        for x in (x_test, x_moved)
    )
    print(f"{name:27} accuracy {plain:.3f}, on moved digits {moved:.3f}")


show("trained without the layer")

augmented = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        kb.layers.ManualAugmentation(rotation_factor=0.08, zoom_factor=0.15, seed=0),
        model,
    ]
)
augmented.compile(keras.optimizers.Adadelta(1.0), "sparse_categorical_crossentropy")
augmented.fit(x_train, y_train, epochs=8, verbose=0)

show("eight epochs with the layer")
