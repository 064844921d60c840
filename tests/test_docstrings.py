"""The examples in the docstrings run, and give what they show.

An example finds small data under the names that its readers would have given theirs:
28 x 28 pixels in ten classes, a model for them, and reports of others. What an example
shows no output of may give any.
"""

import ast
import copy
import doctest
import functools
import importlib
import inspect
import pkgutil
import re
import types

import keras
import keras_tuner
import numpy as np
import pytest
from matplotlib import figure

import keras_balance as kb
from keras_balance.models.few_shot import few_shot_classifier
from small_data import grey_images
from small_models import dense_networks

pytestmark = [pytest.mark.usefixtures("eager"), pytest.mark.once]

# Examples that do not run here, each with the reason.
SKIPPED = {
    "auto.auto_augmentation.AutoAugmentation": "minutes: it trains judges",
    "auto.auto_balance.AutoBalance": "minutes: it trains a dozen models",
    "auto.auto_synthesizer.AutoSynthesizer": "minutes: it trains judges",
    "callbacks.generated_images.GeneratedImages": "minutes: it trains a BAGAN",
    "data.directory.balanced_image_dataset_from_directory": "a folder of the reader's",
    "data.dataframe.balanced_image_dataset_from_dataframe": "files of the reader's",
    "data.directory.unreadable_images": "a folder of the reader's",
    "datasets.archive.Archive": "a file of the reader's",
    "datasets.emnist.load_data": "a file of the reader's",
    "datasets.emnist.class_names": "a file of the reader's",
    "datasets.mnist.load_data": "a file of the reader's",
    "datasets.omniglot.class_names": "a file of the reader's",
    "datasets.omniglot.load_data": "a file of the reader's",
    "models.generators.bagan.bagan.BAGAN": "minutes: it trains a BAGAN",
    "models.generators.bagan.published.published_bagan": "minutes: it trains a BAGAN",
    "models.generators.cvae_gan.cvae_gan.CVAEGAN": "minutes: it trains a CVAE-GAN",
    "models.generators.dagan.dagan.DAGAN": "minutes: it trains a DAGAN",
    "models.generators.dagan.dagan.DAGAN.starting_from": "minutes: of a trained DAGAN",
    "models.generators.vae.VAE": "minutes: it trains a VAE",
    "tuners.balanced_hyper_model.BalancedHyperModel": "minutes: it is a search",
    "tuners.first_trial.default_first": "minutes: it is a search",
    "tuners.resumable.resumable": "minutes: it is a search",
    "tuners.trials_picture.save_trials_picture": "minutes: of a search",
}


def modules():
    names = (
        info.name
        for info in pkgutil.walk_packages(kb.__path__, f"{kb.__name__}.")
        if ".gradients." not in info.name  # each for one backend
    )
    return [importlib.import_module(name) for name in names]


def examples():
    """Every docstring with an example, by its name within the package."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in modules():
        for test in finder.find(module, globs={}):
            if test.examples:
                yield test.name.removeprefix("keras_balance."), module, test


EXAMPLES = {name: (module, test) for name, module, test in examples()}


class Checker(doctest.OutputChecker):
    """Takes an example that shows no output at its word."""

    def check_output(self, want, got, optionflags):
        return not want or super().check_output(want, got, optionflags)


def data(counts, seed):
    """Images of 28 x 28 pixels whose classes differ in brightness."""
    return grey_images(counts, (28, 28, 1), dark=20, step=20, spread=10, seed=seed)


def small_model():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


@functools.cache
def reports_of_others():
    """Reports of two runs of each of two arms."""
    names = ("plain_0", "plain_1", "bagan_0", "bagan_1")
    y = np.repeat(np.arange(10), 2)
    guesses = np.random.default_rng(0).dirichlet([1] * 10, (len(names), len(y)))
    return {
        name: kb.metrics.class_report(y, some).report_dict
        for name, some in zip(names, guesses, strict=True)
    }


@pytest.fixture(scope="module")
def bagan():
    """A BAGAN that has seen its data once."""
    shape = (28, 28, 1)
    bagan = kb.models.BAGAN(shape, 10, **dense_networks(shape), seed=0)
    bagan.compile(run_eagerly=True)
    bagan.fit(*data([2] * 10, seed=0), autoencoder_epochs=1, epochs=1, verbose=0)
    return bagan


def readers_names(module):
    """What a reader of an example has."""
    x, y = data([3] + [12] * 9, seed=0)
    x_val, y_val = data([2] * 10, seed=1)
    names = {"kb": kb, "keras": keras, "keras_tuner": keras_tuner, "np": np}
    names |= {"x": x, "y": y, "x_train": x, "y_train": y, "x_val": x_val}
    names |= {"y_val": y_val, "x_test": x_val, "y_test": y_val, "model": small_model()}
    names |= {"train": kb.BalancedDataset(x, y, seed=0), "figure": figure.Figure()}
    names |= copy.deepcopy(reports_of_others())
    # Examples of functions that are not public name their neighbours as they are.
    public = {key: value for key, value in vars(module).items() if key[0] != "_"}
    return {**public, **names}


@pytest.mark.filterwarnings("ignore:Generated images of class")  # after one epoch
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name, bagan, tmp_path, monkeypatch):
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(few_shot_classifier, "_STEPS", 3)
    monkeypatch.setattr(few_shot_classifier, "_LEAST_EPOCHS", 1)
    # What an example registers is gone after it.
    registered = dict(kb.data.registry._registered)
    monkeypatch.setattr(kb.data.registry, "_registered", registered)
    module, test = EXAMPLES[name]
    for example in test.examples:
        example.source = re.sub(r"epochs=\d+", "epochs=1", example.source)
    test.globs = readers_names(module) | {"bagan": bagan}
    shown = []
    runner = doctest.DocTestRunner(
        Checker(), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    runner.run(test, out=shown.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(shown)


def test_another_output_is_noticed():
    assert Checker().check_output("0.5\n", "0.5\n", 0)
    assert not Checker().check_output("0.5\n", "0.25\n", 0)


def test_what_is_skipped_is_there():
    assert set(SKIPPED) <= set(EXAMPLES)


def shown_by(index):
    """What the index of the package, or of a room, imports to show it."""
    nodes = ast.parse(inspect.getsource(index)).body
    taken = [node.names for node in nodes if isinstance(node, ast.ImportFrom)]
    return [getattr(index, alias.asname) for names in taken for alias in names]


def public_functions(module):
    return [
        thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing)
        and thing.__module__ == module.__name__
        and not name.startswith("_")
    ]


def public_things():
    """Classes and functions that rooms show, and those of modules that they show."""
    for room in shown_by(kb):
        for thing in shown_by(room) if isinstance(room, types.ModuleType) else [room]:
            is_module = isinstance(thing, types.ModuleType)
            yield from public_functions(thing) if is_module else [thing]


def test_all_that_is_public_has_an_example():
    things = [thing for thing in public_things() if callable(thing)]
    assert kb.BalancedDataset in things
    assert kb.data.registry.register in things
    lacking = [one.__qualname__ for one in things if ">>>" not in (one.__doc__ or "")]
    assert lacking == []
