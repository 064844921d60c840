"""A rare class in a few lines, with and without balance: the README's first code.

    python examples/quickstart.py

Scikit-learn's digits with class 8 cut to a dozen images, the paper's ConvNet fed by the
data as they are, and by a `BalancedDataset` that fills the shortfall with images that
are moved and bent.
"""

import keras

import keras_balance as kb

(x, y), (x_test, y_test) = kb.datasets.digits.load_data()
x, x_test = x[..., None], x_test[..., None]
x, y = kb.datasets.make_imbalance(x, y, {8: 12}, seed=0)
feeds = {
    "as it is": kb.BalancedDataset(x, y, sampling_strategy={}, seed=0),
    "balanced": kb.BalancedDataset(x, y, synthesizer="elastic", seed=0),
}
for name, train in feeds.items():
    keras.utils.set_random_seed(0)
    model = kb.models.convnet((8, 8, 1), num_classes=10)
    report = kb.callbacks.PerClassReport(x_test, y_test)
    model.fit(train, epochs=10, callbacks=[report], verbose=0)
    recall = report.report_dict["8"]["recall"]
    macro = report.report_dict["macro avg"]["f1-score"]
    print(f"{name}: recall of the 8 {recall:.2f}, macro F1 {macro:.2f}")
