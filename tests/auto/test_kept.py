import numpy as np
import pytest

from keras_balance.auto.kept import Kept


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
