"""How much augmentation, how much synthesis, for my data? A search that tells.

    python examples/tune.py
    python examples/tune.py --trials 20 --tuner bayesian --seed 1

Scikit-learn's digits with class 8 cut to a dozen images. keras-tuner searches the
synthesizer, its strengths and the batch size for the best macro F1 on validation data,
beginning with the package's defaults. Prints the best setting, trains it again on the
same data, prints its scores of every class on the test set beside those of the
defaults, and draws the trials. A search that is interrupted goes on where it was,
with the same options.
"""

import argparse
import json
import logging
import pathlib
import sys

import keras
import keras_tuner
import numpy as np

import keras_balance as kb

RARE, KEEP = 8, 12
EPOCHS = 10
TUNERS = {
    "random": keras_tuner.RandomSearch,
    "bayesian": keras_tuner.BayesianOptimization,
}
# Small data need few settings; a BAGAN of 8x8 pixels needs few steps.
SEARCH_SPACE = {
    "synthesizer": ["repeat", "manual", "bagan+manual"],
    "balance": [0.5, 1.0],
    "latent_dim": 32,
    "bagan_steps": 400,
    "batch_size": [16, 32],
}

# Many small models are many traces, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel("ERROR")


def main():
    options = parse_arguments()
    output = pathlib.Path(options.output)
    train, validation, test = load(options.seed)
    hypermodel = kb.tuners.BalancedHyperModel(
        lambda hp: build(options.seed), SEARCH_SPACE, seed=options.seed
    )
    tuner = make_tuner(hypermodel, options)
    tuner.search(
        *train,
        validation_data=validation,
        epochs=EPOCHS,
        callbacks=[Progress()],
        verbose=0,
    )
    print(f"\n{table(tuner)}\n")
    results = {}
    for name, hp in settings(tuner).items():
        model = hypermodel.build(hp)
        hypermodel.fit(hp, model, *train, epochs=EPOCHS, verbose=0)
        report = kb.metrics.class_report(test[1], model.predict(test[0], verbose=0))
        print(f"On the test set, {name}: {hp.values}\n\n{report.report}")
        results[name] = {"setting": hp.values, "test": report.report_dict}
    results["validation"] = scores(tuner)
    kb.tuners.save_trials_picture(tuner, output / "trials.png")
    text = json.dumps({"options": vars(options), **results}, indent=2)
    (output / "results.json").write_text(f"{text}\n", encoding="utf-8")
    print(f"The trials and their picture are in {output.resolve()}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of data, models and search (default 0)")
    add("--trials", type=int, default=10, help="settings to try (default 10)")
    add("--tuner", choices=list(TUNERS), default="random")
    add("--output", default="results/tune", help="folder of the search")
    options = parser.parse_args()
    if options.trials < 1:
        parser.error(f"--trials must be 1 or more. Received: --trials {options.trials}")
    if options.seed < 0:
        parser.error(f"--seed must not be negative. Received: --seed {options.seed}")
    return options


def load(seed):
    """Training data with a rare class, validation data and test data.

    The validation data keep all their images of the rare class: a search can only see
    what they show.
    """
    (x, y), (x_test, y_test) = kb.datasets.digits.load_data()
    x, x_test = x[..., None], x_test[..., None]
    order = np.random.default_rng(seed).permutation(len(y))
    held_out, kept = order[: len(y) // 3], order[len(y) // 3 :]
    train = kb.datasets.make_imbalance(x[kept], y[kept], {RARE: KEEP}, seed=seed)
    return train, (x[held_out], y[held_out]), (x_test, y_test)


def build(seed):
    """Build the classifier, the same at the start of every trial."""
    keras.utils.set_random_seed(seed)
    return kb.models.convnet((8, 8, 1), num_classes=10)


def make_tuner(hypermodel, options):
    """Make a tuner that begins with the defaults, and goes on where it was killed."""
    tuner = TUNERS[options.tuner](
        hypermodel,
        keras_tuner.Objective("val_f1_macro", "max"),
        max_trials=options.trials,
        # keras-tuner takes 0 for no seed.
        seed=options.seed + 1,
        directory=options.output,
        project_name=f"{options.tuner}-{options.seed}",
    )
    return kb.tuners.resumable(kb.tuners.default_first(tuner))


def in_order(tuner):
    """Trials that are completed, in the order they were made."""
    trials = [tuner.oracle.trials[trial_id] for trial_id in tuner.oracle.start_order]
    return [trial for trial in trials if trial.score is not None]


def settings(tuner):
    """Hyperparameters of the first trial, which is the default, and of the best."""
    best = tuner.get_best_hyperparameters()[0]
    default = in_order(tuner)[0].hyperparameters
    if best.values == default.values:
        return {"the default, which is the best found": best}
    return {"the default": default, "the best found": best}


def scores(tuner):
    """Validation scores of all trials, in their order."""
    return [trial.score for trial in in_order(tuner)]


def table(tuner):
    """One line a trial, the best first."""
    lines = ["val macro F1  setting"]
    for trial in sorted(in_order(tuner), key=lambda one: -one.score):
        values = trial.hyperparameters.values.items()
        shown = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in values
        )
        mark = " (default)" if trial is in_order(tuner)[0] else ""
        lines.append(f"{trial.score:12.4f}  {shown}{mark}")
    return "\n".join(lines)


class Progress(keras.callbacks.Callback):
    """One line that is overwritten as the trials go on."""

    def on_train_begin(self, logs=None):
        print("\na trial:", end="")

    def on_epoch_end(self, epoch, logs=None):
        epochs = self.params["epochs"]
        f1 = (logs or {}).get("val_f1_macro", float("nan"))
        print(f"\ra trial: epoch {epoch + 1}/{epochs}, macro F1 {f1:.4f}", end="")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
