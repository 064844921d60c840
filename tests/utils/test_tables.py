from keras_balance.utils.tables import as_count, markdown_table, text_table

HEADER = ["", "accuracy", "F1"]
ROWS = [["plain", "0.9", "0.85"], ["a | b", "0.95", "0.9"]]


def test_images_are_counted_in_full():
    counts = (3, 12345.0, 1234567, 0.25, 1.0, 1234.5)
    assert [*map(as_count, counts)] == ["3", "12345", "1234567", "0.25", "1", "1234"]


def test_text_is_in_columns():
    assert text_table(HEADER, ROWS) == (
        "       accuracy    F1\n"
        "---------------------\n"
        "plain       0.9  0.85\n"
        "a | b      0.95   0.9\n"
    )


def test_markdown_escapes_its_own_sign():
    assert markdown_table(HEADER, ROWS) == (
        "|  | accuracy | F1 |\n"
        "| --- | ---: | ---: |\n"
        "| plain | 0.9 | 0.85 |\n"
        "| a \\| b | 0.95 | 0.9 |\n"
    )
