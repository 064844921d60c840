"""Shared set-up: processes, the backend under test, and pictures without a screen."""

import atexit
import functools
import gc
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")
# Small networks are no quicker on more threads, and there are other processes.
# JAX compiles the same small networks in test after test, and in every process.
if os.environ.get("KERAS_BACKEND") == "jax" and (
    "JAX_COMPILATION_CACHE_DIR" not in os.environ
):
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp()
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], True)
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nor do they run often enough for kernels to be made for each of their shapes.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import pytest

# Rooms whose tests do not depend on the backend, but for those marked `backend`.
ONCE = {"datasets", "docs", "examples", "tuners", "utils"}


def pytest_xdist_auto_num_workers(config):
    """Two processes for all tests; for some of them, none: to start takes seconds."""
    of_all = config.args_source is not pytest.Config.ArgsSource.ARGS
    return min(2, os.cpu_count()) if of_all else 0


def pytest_collectstart():
    """Import the framework, but where the tests are only handed out."""
    # With both installed, torch must be imported before TensorFlow.
    if importlib.util.find_spec("torch"):
        import torch  # noqa: F401
    import keras

    if keras.backend.backend() == "tensorflow":
        _run_graphs_plainly()


@functools.cache
def _run_graphs_plainly():
    """A test runs its graphs a few times: to optimise them takes longer than it saves.

    And an iterator's end waits for the thread that tunes it, by chance for seconds.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    iterate = tf.data.Dataset.__iter__
    tf.data.Dataset.__iter__ = lambda self: iterate(self.with_options(options))


def pytest_collection_finish():
    """What is imported stays: to look through it for garbage takes a sixth of a run."""
    gc.freeze()


def pytest_collection_modifyitems(config, items):
    """Run on TensorFlow alone what does not depend on the backend."""
    import keras

    if keras.backend.backend() == "tensorflow":
        return
    once = [item for item in items if _runs_once(item)]
    config.hook.pytest_deselected(items=once)
    items[:] = [item for item in items if item not in set(once)]


def _runs_once(item):
    room = item.path.relative_to(pathlib.Path(__file__).parent).parts[0]
    if room in ONCE:
        return item.get_closest_marker("backend") is None
    return item.get_closest_marker("once") is not None


@pytest.fixture(autouse=True)
def _fresh_keras():
    """Every test starts from the same names, seed, data format and environment."""
    import keras

    keras.utils.set_random_seed(0)
    with mock.patch.dict(os.environ):  # a script may set what other processes inherit
        yield
    # To collect garbage takes half a second a test.
    keras.utils.clear_session(free_memory=False)
    keras.config.set_image_data_format("channels_last")


@pytest.fixture(scope="module")
def eager():
    """Models run eagerly where a few steps take less than to compile them.

    For tests of what happens around the steps. What `compile` is told stays.
    """
    import keras

    from small_models import EAGERLY

    # Where it is defined: a model that has its own is saved and loaded otherwise.
    owner = next(cls for cls in keras.Model.__mro__ if "compile" in vars(cls))
    compile_as_told = owner.compile

    @functools.wraps(compile_as_told)
    def compile_eagerly(self, *args, **options):
        compiled = options.get("jit_compile") is True
        options.setdefault("run_eagerly", EAGERLY and not compiled)
        return compile_as_told(self, *args, **options)

    with mock.patch.object(owner, "compile", compile_eagerly):
        yield


@pytest.fixture
def small_networks(monkeypatch):
    """Generators have networks of one layer, for tests of what surrounds them."""
    import small_models as small
    from keras_balance.models.generators import cvae_gan, dagan, networks

    for module, name, build in [
        (networks, "build_encoder", small.dense_encoder),
        (networks, "build_conditional_encoder", small.dense_conditional_encoder),
        (networks, "build_decoder", small.dense_decoder),
        (cvae_gan.networks, "build_judge", small.dense_judge),
        (dagan.networks, "build_generator", small.dense_varier),
        (dagan.networks, "build_reader", small.dense_reader),
        (dagan.networks, "build_critic", small.dense_critic),
    ]:
        monkeypatch.setattr(module, name, build)


@pytest.fixture
def blank_pictures(monkeypatch):
    """Figures are drawn, and saved as nothing: for tests that do not look at them."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: None)


_TWO_LOGICAL_CPUS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
"""


@pytest.fixture
def run_on_two_devices():
    """Run a script in a new process: devices are set up before Keras is imported."""

    import keras

    def run(script):
        backend = keras.backend.backend()
        flags = os.environ.get("XLA_FLAGS", "")
        first = _TWO_LOGICAL_CPUS if backend == "tensorflow" else ""
        finished = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", f"{first}{script}\nprint('done')"],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "KERAS_BACKEND": backend,
                "XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count=2",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert finished.stdout.endswith("done\n"), finished.stderr[-2000:]

    return run
