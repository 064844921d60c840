"""The arms of the study."""

import numpy as np

import keras_balance as kb
from study import arms


def test_every_filling_is_an_arm():
    missing = set(kb.data.registry.names_to_choose_from()) - set(arms.ARMS)
    assert missing == set()


def test_a_registered_filling_is_an_arm():
    kb.data.registry.register("own", lambda images, seed: None, rank=1)
    try:
        made = arms.filled(known=arms.ARMS)
        assert list(made) == ["own"]
    finally:
        kb.data.registry.unregister("own")

    class Task:
        def feed(self, synthesizer):
            return np.array([synthesizer])

    assert made["own"](Task(), []).feed == np.array(["own"])
