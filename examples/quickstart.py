"""A rare class in four lines: balance the batches, report every class.

    python examples/quickstart.py

Scikit-learn's digits with class 8 cut to a dozen images, a Keras model, and the same
model fed by a `BalancedDataset` that fills the shortfall with augmented images.
"""

import keras

import keras_balance as kb

RARE = 8

(x_train, y_train), (x_test, y_test) = kb.datasets.digits.load_data()
x_train, x_test = x_train[..., None], x_test[..., None]
x_train, y_train = kb.datasets.make_imbalance(x_train, y_train, {RARE: 12}, seed=0)

for synthesizer in (None, "manual"):
    keras.utils.set_random_seed(0)
    model = kb.models.convnet((8, 8, 1), num_classes=10)
    train = kb.BalancedDataset(
        x_train,
        y_train,
        # Without a synthesizer, the data as it is: the plain training to compare with.
        sampling_strategy={} if synthesizer is None else "auto",
        synthesizer=synthesizer,
        seed=0,
    )
    report = kb.callbacks.PerClassReport(x_test, y_test)
    model.fit(train, epochs=10, callbacks=[report], verbose=0)
    name = "as it is" if synthesizer is None else f"balanced, {synthesizer}"
    recall = report.report_dict[str(RARE)]["recall"]
    macro = report.report_dict["macro avg"]["f1-score"]
    print(f"{name}: recall of class {RARE} {recall:.3f}, macro F1 {macro:.3f}")
