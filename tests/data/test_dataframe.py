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
        ({"file": ""}, r"`file` must hold the path of an image.*file\[3\]=''"),
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


def test_a_data_frame_with_numbers_for_titles_and_paths_that_are_whole(table):
    pandas = pytest.importorskip("pandas")
    folder, rows = table
    frame = pandas.DataFrame([[folder / row["file"], row["kind"]] for row in rows])
    assert frame.columns.tolist() == [0, 1]
    for x_col, y_col in [(0, 1), ("0", np.int64(1))]:
        dataset = from_dataframe(frame, **OPTIONS | {"x_col": x_col, "y_col": y_col})
        assert dataset.class_counts == {"cat": 6, "newt": 6}
    frame[0] = frame[0].astype(object)
    for missing in (None, np.nan, pandas.NA, 3):
        frame.at[2, 0] = missing
        with pytest.raises(ValueError, match=r"`0` must hold the path.*0\[2\]="):
            from_dataframe(frame, **OPTIONS | {"x_col": 0, "y_col": 1})
    with pytest.raises(ValueError, match=r"one of the columns \[0, 1\].*y_col=\['a'\]"):
        from_dataframe(frame, **OPTIONS | {"x_col": 0, "y_col": ["a"]})


@pytest.mark.parametrize(
    ("name", "ours"), [("class_mode", "label_mode"), ("target_size", "image_size")]
)
def test_names_of_keras_are_told_of(table, name, ours):
    folder, _ = table
    text = f"`{name}` of `flow_from_dataframe` is called `{ours}`.*d: {name}='a'"
    with pytest.raises(TypeError, match=text):
        from_dataframe(folder / "table.csv", folder, **OPTIONS, **{name: "a"})


def test_paths_without_a_file_are_named_at_once(table):
    folder, _ = table
    for number in range(4):
        (folder / f"{number}.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"4 of 8 without.*0\.png.*2\.png'\]$"):
        from_dataframe(folder / "table.csv", folder, **OPTIONS)
    with pytest.warns(UserWarning, match="4 of 8 files cannot be read"):
        kept = from_dataframe(folder / "table.csv", folder, on_error="skip", **OPTIONS)
    assert kept.real_counts == {"cat": 2, "newt": 2}


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_file_of_a_table_is_named(table, content):
    folder, _ = table
    broken = folder / "3.png"
    broken.write_bytes(content)
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


def test_classes_that_are_numbers_are_named_as_in_the_table(table):
    folder, rows = table
    kinds = [1] * 6 + [2] * 2
    rows = [{**row, "kind": kind} for row, kind in zip(rows, kinds, strict=True)]
    write(folder / "table.csv", rows)
    path = folder / "table.csv"
    filled = from_dataframe(path, folder, sampling_strategy={2: 5}, **OPTIONS)
    assert filled.class_counts == {1: 6, 2: 5}
    with pytest.raises(ValueError, match=r"one of the classes \[1, 2\]"):
        from_dataframe(path, folder, sampling_strategy={0: 9}, **OPTIONS)
