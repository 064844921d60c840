"""Shared set-up: the backend under test, and pictures without a screen."""

import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")

# With both installed, torch must be imported before TensorFlow.
if importlib.util.find_spec("torch"):
    import torch  # noqa: F401

import keras
import pytest


@pytest.fixture(autouse=True)
def _fresh_keras():
    """Every test starts from the same names, seed and data format."""
    keras.utils.set_random_seed(0)
    yield
    # To collect garbage takes half a second a test.
    keras.utils.clear_session(free_memory=False)
    keras.config.set_image_data_format("channels_last")
