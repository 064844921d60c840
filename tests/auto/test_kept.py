import numpy as np
import pytest

from keras_balance.auto.kept import Kept
from keras_balance.utils.files import write_sealed


def never():
    raise AssertionError("made a second time")


def test_a_result_is_made_once():
    kept = Kept(None, {})
    assert kept.get("a", lambda: 3) == 3
    assert kept.get("a", never) == 3
    assert kept.path("model") is None


def test_results_outlive_the_process(tmp_path):
    made = {"scores": np.arange(3.0), "seconds": 0.5}
    Kept(tmp_path, {"seed": 1}).get("brief, 0", lambda: made)
    again = Kept(tmp_path, {"seed": 1})
    assert again.has("brief, 0")
    assert not again.has("full, 0")
    found = again.get("brief, 0", never)
    np.testing.assert_array_equal(found["scores"], made["scores"])


def test_a_folder_of_another_search_is_refused(tmp_path):
    Kept(tmp_path, {"seed": 1, "shares": (1, 2)})
    Kept(tmp_path, {"seed": 1, "shares": (1, 2)})
    with pytest.raises(ValueError, match=r"seed=1\. Received: seed=2"):
        Kept(tmp_path, {"seed": 2, "shares": (1, 2)})


def test_a_broken_file_is_an_error_and_not_a_result(tmp_path):
    kept = Kept(tmp_path, {})
    kept.get("a", lambda: 3)
    (tmp_path / "a.trial").write_bytes(b"keras_balance 1 broken")
    with pytest.raises(ValueError, match=r"must start with|truncated"):
        Kept(tmp_path, {}).get("a", never)


def test_names_that_differ_in_signs_alone_have_files_of_their_own(tmp_path):
    kept = Kept(tmp_path, {})
    assert kept.get("a+", lambda: 3) == 3
    assert kept.get("a-", lambda: 4) == 4
    again = Kept(tmp_path, {})
    assert (again.get("a+", never), again.get("a-", never)) == (3, 4)


def test_what_killed_writers_left_is_removed(tmp_path):
    mark = "-keras_balance-abcd1234"
    for name in (f".setting{mark}.json", f".a{mark}.trial", f".b{mark}.trial"):
        (tmp_path / name).write_bytes(b"half")
    Kept(tmp_path, {}).get("a", lambda: 3)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"setting.json", "a.trial", f".b{mark}.trial"}


@pytest.mark.parametrize("content", [b'{"da', b"[1]", b"\xff\xfe\x00"])
def test_a_foreign_setting_is_named(tmp_path, content):
    (tmp_path / "setting.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"setting\.json must hold the setting"):
        Kept(tmp_path, {})


@pytest.mark.parametrize("content", [b"hello", b"", b"PK\x03\x04"])
def test_a_foreign_result_is_named(tmp_path, content):
    write_sealed(tmp_path / "a.trial", content)
    with pytest.raises(ValueError, match=r"a\.trial is no result.*Received"):
        Kept(tmp_path, {}).get("a", never)
