"""A folder of photographs is never held in memory whole."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "benchmark_memory.py"
# As many as those of a factory's magnetic tiles.
COUNTS = {"free": 952, "blowhole": 115, "uneven": 103, "break": 85, "crack": 57}
COUNTS["fray"] = 32


def write_photographs(folder, side):
    generator = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (folder / name).mkdir()
        for number in range(count):
            pixels = generator.integers(0, 256, (side, side, 3), dtype="uint8")
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def megabytes_beyond(folder, *arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "1344 photographs" in done.stdout
    return [int(size) for size in re.findall(r"(-?\d+) MB beyond", done.stdout)]


@pytest.mark.slow
def test_a_choice_and_a_search_take_less_than_500_megabytes(tmp_path):
    write_photographs(tmp_path, 160)
    beyond = megabytes_beyond(tmp_path, "--image-size", 160, "--seconds", 20)
    assert len(beyond) == 2
    assert max(beyond) < 500
