"""What the tests of the search share."""

import functools
import gc
import pathlib
import runpy
import types

import keras
import numpy as np
import pytest

import keras_balance as kb
from small_models import EAGERLY

SCRIPT = pathlib.Path(__file__).parent / "small_search.py"


@pytest.fixture(autouse=True)
def _small_networks(small_networks):
    """A search trains what it is given."""


@pytest.fixture(autouse=True)
def _trials_without_a_clean_up(monkeypatch):
    """Spare the second or more that keras-tuner takes to clean up before a trial."""
    clear = functools.partial(keras.utils.clear_session, free_memory=False)
    monkeypatch.setattr(keras.backend, "clear_session", clear)
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def small():
    """The names of `small_search.py`; `small.script` is its path."""
    return types.SimpleNamespace(**runpy.run_path(SCRIPT), script=SCRIPT)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """Folder of BAGANs for all tests that do not look at it."""
    return tmp_path_factory.mktemp("bagans")


@pytest.fixture
def hypermodel(small, shared_cache, monkeypatch):
    """Make a `BalancedHyperModel` of the small classifier; any BAGAN runs so too."""
    eager = functools.partialmethod(kb.models.BAGAN.compile, run_eagerly=EAGERLY)
    monkeypatch.setattr(kb.models.BAGAN, "compile", eager)

    def make(build=small.build, **options):
        space = small.SPACE | options.pop("search_space", {})
        options.setdefault("cache_dir", shared_cache)
        return kb.tuners.BalancedHyperModel(build, space, **options)

    return make


@pytest.fixture
def fits(monkeypatch):
    """List that gets an item for every training of a BAGAN, which takes no time."""
    fits = []

    def fit(self, images, **options):
        fits.append(self)
        self.compile()
        self.count_epoch("gan")

    def generate(self, labels, seed=None):
        return np.zeros((len(labels), *self.image_shape), "float32")

    monkeypatch.setattr(kb.models.BAGAN, "fit", fit)
    monkeypatch.setattr(kb.models.BAGAN, "generate", generate)
    return fits
