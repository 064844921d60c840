"""Tables of paths and classes."""

import csv

import numpy as np
import pytest
from PIL import Image

from keras_balance.data import balanced_image_dataset_from_dataframe as from_dataframe

CLASSES = ["cat"] * 6 + ["newt"] * 2
OPTIONS = {"image_size": (4, 4), "seed": 0, "x_col": "file", "y_col": "kind"}


@pytest.fixture
def table(tmp_path):
    """A CSV file beside pictures, each of its own brightness."""
    rows = []
    for number, kind in enumerate(CLASSES):
        Image.new("L", (4, 4), 10 * number).save(tmp_path / f"{number}.png")
        rows.append({"file": f"{number}.png", "kind": kind, "age": number})
    write(tmp_path / "table.csv", rows)
    return tmp_path, rows


def write(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "kind", "age"])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("label_mode", ["categorical", "int", "binary"])
def test_a_csv_file(table, label_mode):
    folder, _ = table
    dataset = from_dataframe(
        folder / "table.csv", folder, label_mode=label_mode, **OPTIONS
    )
    assert dataset.class_names == ["cat", "newt"]
    assert dataset.class_counts == {"cat": 6, "newt": 6}
    images, labels = dataset[0]
    is_newt = images[:, 0, 0, 0] >= 60
    labels = labels.argmax(axis=1) if label_mode == "categorical" else labels.ravel()
    np.testing.assert_array_equal(labels, is_newt)


def test_a_data_frame_gives_the_same(table):
    pandas = pytest.importorskip("pandas")
    folder, rows = table
    frame = pandas.DataFrame(rows)
    ours = from_dataframe(frame, folder, **OPTIONS)
    wanted = from_dataframe(str(folder / "table.csv"), folder, **OPTIONS)
    for one, other in zip(ours[0], wanted[0], strict=True):
        np.testing.assert_array_equal(one, other)
    ages = from_dataframe(frame, folder, **OPTIONS | {"y_col": "age"}, label_mode="int")
    assert ages.class_names == list(range(8))


def test_bad_tables(table):
    folder, rows = table
    for change, text in [
        ({"kind": ""}, r"`kind` must hold a label.*kind\[3\]"),
        ({"file": ""}, r"`file` must hold a label.*file\[3\]"),
    ]:
        broken = [dict(row) for row in rows]
        broken[3] |= change
        write(folder / "broken.csv", broken)
        with pytest.raises(ValueError, match=text):
            from_dataframe(folder / "broken.csv", folder, **OPTIONS)
    with pytest.raises(ValueError, match="`x_col` must be one of the columns"):
        from_dataframe(folder / "table.csv", folder)
    with pytest.raises(TypeError, match="`dataframe` must be"):
        from_dataframe(rows, folder)
