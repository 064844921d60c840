"""Set-up of the layers' tests: hundreds that take milliseconds each."""

import keras
import pytest


@pytest.fixture(autouse=True)
def _fresh_keras():
    """As for all tests, but for the half second of collecting garbage."""
    keras.utils.set_random_seed(0)
    yield
    keras.utils.clear_session(free_memory=False)
    keras.config.set_image_data_format("channels_last")
