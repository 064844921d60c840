"""The code of the README runs, from its first block to its last, as a reader has it."""

import pathlib
import re

import numpy as np
import pytest

import keras_balance as kb
from keras_balance.models.generators.bagan import bagan as bagan_module

README = pathlib.Path(__file__).parents[1] / "README.md"
# What takes long, or leaves something behind, and what to run in its place.
REPLACED = {
    "epochs=12": "epochs=1",
    "max_trials=20": "max_trials=2",
    "search_space={": "cache_dir='bagans', search_space={'bagan_steps': 2,",
}


def split(counts, seed):
    """Draw images of 28 x 28 pixels whose classes differ in brightness."""
    y = np.repeat(np.arange(10), counts)
    noise = np.random.default_rng(seed).integers(0, 40, (len(y), 28, 28, 1))
    return (20 * y[:, None, None, None] + noise).astype("uint8"), y


def code(readme):
    """Code of the README as one script."""
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    script = "\n".join(blocks)
    for text, other in REPLACED.items():
        assert text in script
        script = script.replace(text, other)
    return script


@pytest.mark.once
@pytest.mark.filterwarnings(
    "ignore:Generated images of class",  # after two steps
    r"ignore:(currentThread|getName)\(\):DeprecationWarning",  # in keras-tuner
)
def test_the_code_of_the_readme_runs(monkeypatch, tmp_path, capsys):
    for steps in ("_AUTOENCODER_STEPS", "_GAN_STEPS"):
        monkeypatch.setattr(bagan_module, steps, 1)
    monkeypatch.chdir(tmp_path)  # keras-tuner keeps its trials here
    names = {"model": kb.models.convnet((28, 28, 1), num_classes=10)}
    for seed, part in enumerate(("train", "val", "test")):
        x, y = split([3] + [12] * 9 if part == "train" else [2] * 10, seed)
        names |= {f"x_{part}": x, f"y_{part}": y}
    exec(code(README.read_text(encoding="utf-8")), names)
    assert names["report"].report in capsys.readouterr().out
    assert isinstance(names["train"], kb.BalancedDataset)
