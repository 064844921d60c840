"""The code of README and guides runs, from a page's first block to its last."""

import functools
import pathlib
import re

import keras
import numpy as np
import pytest
from PIL import Image

import keras_balance as kb

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {
    page.relative_to(ROOT).as_posix(): page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "```python" in page.read_text(encoding="utf-8")
}
# Pages that train judges, a large backbone, a network of several layers, or trials,
# or that start servers.
LONG = {
    "docs/guides/auto.md",
    "docs/guides/handwriting.md",
    "docs/guides/photographs.md",
    "docs/guides/pretrained.md",
    "docs/guides/search.md",
    "docs/guides/several_machines.md",
}
# Its feeds go to other loops than Keras', too, on every backend.
EVERYWHERE = {"docs/guides/large_data.md"}
# What takes long, and what runs in its place.
SHORTER = {
    r"epochs=\d+": "epochs=1",
    'weights="imagenet"': "weights=None",
    r"max_trials=\d+": "max_trials=2",
    r"\(64, 64(?=[,)])": "(32, 32",
}

# keras-tuner calls what `threading` has long deprecated.
pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:There are fewer than 5 images for validation"),
    pytest.mark.filterwarnings("ignore:Generated images of class"),  # after one epoch
    pytest.mark.filterwarnings("ignore:Passing a list:UserWarning"),
]


def scripts(name):
    """Give the README's blocks one by one, a guide's as one script."""
    text = PAGES[name].read_text(encoding="utf-8")
    if name != "README.md":
        return [code(text)]
    parts = re.split(r"(?=^```python)", text, flags=re.MULTILINE)
    return [code(part) for part in parts]


def code(text):
    """Blocks of a text as one script, at their places in it."""
    lines = text.splitlines()
    inside = False
    for number, line in enumerate(lines):
        fence = line.startswith("```")
        lines[number] = line if inside and not fence else ""
        if fence:
            inside = line == "```python"
    script = "\n".join(lines)
    for pattern, other in SHORTER.items():
        script = re.sub(pattern, other, script)
    return script


def write_photographs(folder):
    """Folders of small photographs, one class with few."""
    rng = np.random.default_rng(0)
    for part, counts in (("train", (4, 12, 12)), ("test", (2, 2, 2))):
        for name, count in zip(("crack", "dent", "good"), counts, strict=True):
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (20, 24, 3), dtype="uint8")
                Image.fromarray(pixels).save(place / f"{number}.png")


def readers_model():
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def _small_world(tmp_path, monkeypatch, small_networks):
    """A reader's folder; fewer digits, shorter trainings."""
    monkeypatch.chdir(tmp_path)
    write_photographs(tmp_path / "photographs")
    (x, y), test = kb.datasets.digits.load_data()
    few = (x[::6], y[::6]), test
    monkeypatch.setattr(kb.datasets.digits, "load_data", lambda: few)
    once = {"epochs": 1, "autoencoder_epochs": 1, "verbose": 0}
    for cls in (kb.models.BAGAN, kb.models.DAGAN):
        monkeypatch.setattr(cls, "fit", functools.partialmethod(cls.fit, **once))
    fewer = {
        kb.AutoBalance: {"recipes": ["plain", "photo"]},
        kb.tuners.AutoAugmentation: {"folds": 2},
        kb.tuners.AutoSynthesizer: {"folds": 2},
    }
    for cls, options in fewer.items():
        make = functools.partialmethod(cls.__init__, **options)
        monkeypatch.setattr(cls, "__init__", make)


def marks_of(name):
    slow = [pytest.mark.slow] if name in LONG else []
    return [*slow, pytest.mark.backend] if name in EVERYWHERE else slow


@pytest.mark.usefixtures("_small_world")
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=marks_of(one)) for one in PAGES]
)
def test_the_code_of_a_page_runs(name):
    for script in scripts(name):
        names = {"model": readers_model(), "__name__": name}
        exec(compile(script, name, "exec"), names)
