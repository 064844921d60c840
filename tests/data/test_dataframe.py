"""Tables of paths and classes."""

import csv
import re

import numpy as np
import pytest
from PIL import Image

from keras_balance.data import balanced_image_dataset_from_dataframe as from_dataframe
from keras_balance.data import unreadable_images

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


def test_validation_pictures_of_a_table_may_lack_a_class(table):
    folder, _ = table
    options = {**OPTIONS, "validation_split": 0.3, "label_mode": "int"}
    path, few = folder / "table.csv", "6 of 'cat'|[012] of 'newt'"
    lacking = 0
    for seed in range(8):
        with pytest.warns(UserWarning, match=few):
            training, validation = from_dataframe(
                path, folder, subset="both", **options | {"seed": seed}
            )
        assert list(training.class_counts) == ["cat", "newt"]
        assert list(validation.class_counts) == ["cat", "newt"]
        lacking += validation.class_counts["newt"] == 0
    assert lacking
    with pytest.warns(UserWarning, match="1 of 'newt'"):
        _, validation = from_dataframe(
            path, folder, subset="both", stratify=True, **options
        )
    assert validation.class_counts == {"cat": 2, "newt": 1}


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_broken_or_missing_file_of_a_table_is_named(table, content):
    folder, _ = table
    broken = folder / "3.png"
    broken.unlink() if content is None else broken.write_bytes(content)
    dataset = from_dataframe(folder / "table.csv", folder, **OPTIONS)
    with pytest.raises(OSError, match=re.escape(str(broken))):
        dataset[0]
    ((found, _),) = unreadable_images(dataset.file_paths)
    assert found == str(broken)
    with pytest.warns(UserWarning, match="1 of 8 files cannot be read"):
        kept = from_dataframe(folder / "table.csv", folder, on_error="skip", **OPTIONS)
    assert kept.real_counts == {"cat": 5, "newt": 2}
    assert kept[0][0].shape == (10, 4, 4, 3)


def test_numbers_in_a_csv_file_are_sorted_as_numbers(table):
    folder, rows = table
    kinds = [2, 10, 2, 10, 2, 10, 2, 10]
    rows = [{**row, "kind": kind} for row, kind in zip(rows, kinds, strict=True)]
    write(folder / "table.csv", rows)
    dataset = from_dataframe(folder / "table.csv", folder, label_mode="int", **OPTIONS)
    assert dataset.class_counts == {2: 4, 10: 4}
