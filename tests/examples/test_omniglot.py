import io
import json
import pathlib
import runpy
import zipfile

import numpy as np
import pytest
from PIL import Image

SCRIPT = pathlib.Path(__file__).parents[2] / "examples" / "omniglot.py"

pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Generated images of class"),
]


def write_zip(path, alphabet):
    """Two characters by twenty people, as Omniglot's zips hold them."""
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for character in (1, 2):
            for drawer in range(1, 21):
                pixels = np.full((105, 105), 255, "uint8")
                pixels[:, 20 * character + generator.integers(10)] = 0
                stream = io.BytesIO()
                Image.fromarray(pixels).save(stream, "png")
                name = f"{alphabet}/character{character:02}/{character}_{drawer:02}.png"
                archive.writestr(name, stream.getvalue())


def test_all_arms_are_trained_and_told(tmp_path, capsys):
    for number in (1, 2):
        name = f"images_background_small{number}.zip"
        write_zip(tmp_path / name, f"Alphabet{number}")
    main = runpy.run_path(SCRIPT)["main"]
    few = ["--dagan-steps", "1", "--gan-steps", "1", "--steps", "2", "--shots", "5"]
    main(["--path", str(tmp_path), "--output", str(tmp_path / "out"), *few])
    lines = (tmp_path / "out" / "omniglot.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["arm"] for row in rows] == ["plain", "DAGAN", "layer", "DAGAN, layer"]
    assert (tmp_path / "out" / "dagan.png").is_file()
    assert "| DAGAN, layer |" in capsys.readouterr().out
    (backup,) = (tmp_path / "out").glob("*.backup")
    before, grid = backup.stat().st_mtime_ns, (tmp_path / "out" / "dagan.png")
    picture = grid.read_bytes()
    main(["--path", str(tmp_path), "--output", str(tmp_path / "out"), *few])
    assert backup.stat().st_mtime_ns == before  # trained once
    assert grid.read_bytes() == picture
