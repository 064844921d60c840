"""What the tests of the search share."""

import gc
import pathlib
import runpy
import types

import keras
import pytest

import keras_balance as kb

SCRIPT = pathlib.Path(__file__).parent / "small_search.py"


@pytest.fixture(scope="module", autouse=True)
def _quick_garbage_collection():
    """keras-tuner collects garbage before each trial; leave out what is there now."""
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
def hypermodel(small, shared_cache):
    """Make a `BalancedHyperModel` of the small classifier."""

    def make(build=small.build, **options):
        space = small.SPACE | options.pop("search_space", {})
        options.setdefault("cache_dir", shared_cache)
        return kb.tuners.BalancedHyperModel(build, space, **options)

    return make


@pytest.fixture
def fits(monkeypatch):
    """List that gets an item for every training of a BAGAN, which is a quick one."""
    fits = []

    def fit(self, x, y, **options):
        fits.append(self)
        self.compile()
        self.factors.assign(keras.ops.eye(self.latent_dim) + 0 * self.factors)
        self.radius.assign(1.0)

    monkeypatch.setattr(kb.models.BAGAN, "fit", fit)
    return fits
