import numpy as np
import pytest

from keras_balance.utils import outputs

PROBABILITIES = np.array([[0.75], [0.5], [0.25], [np.nan]], "float32")


def test_one_output_is_two_classes():
    assert outputs.num_classes_of((None, 1)) == 2
    assert outputs.num_classes_of((None, 3)) == 3
    assert outputs.num_classes_of((None, None)) is None
    found = outputs.class_probabilities(PROBABILITIES)
    np.testing.assert_array_equal(found[:3], [[0.25, 0.75], [0.5, 0.5], [0.75, 0.25]])
    assert found.dtype == "float32"


def test_several_outputs_stay_as_they_are():
    several = np.eye(3)
    assert outputs.class_probabilities(several) is several
    assert outputs.class_probabilities([[0, 1]]).dtype == "float64"


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(None, [1, 0, 0, -1]), (0.2, [1, 1, 1, -1]), (0.8, [0, 0, 0, -1])],
)
def test_both_forms_of_two_classes_decide_alike(threshold, expected):
    for form in (PROBABILITIES, outputs.class_probabilities(PROBABILITIES)):
        found = outputs.predicted_classes(form, threshold)
        assert found.tolist() == expected


def test_the_greatest_of_several_wins():
    assert outputs.predicted_classes([[1, 2, 2], [3, 0, 3]]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("threshold", "num_classes", "error", "text"),
    [
        ("0.5", 2, TypeError, "threshold='0.5'"),
        (True, 2, TypeError, "threshold=True"),
        (np.nan, 2, ValueError, "threshold=nan"),
        (0.5, 3, ValueError, "threshold=0.5 and 3 classes"),
    ],
)
def test_bad_thresholds(threshold, num_classes, error, text):
    with pytest.raises(error, match=text):
        outputs.check_threshold(threshold, num_classes)


def test_logits_need_a_threshold():
    logits = np.array([[0.5], [-2.0]])
    outputs.check_single_output(logits, 0.0)
    outputs.check_single_output(PROBABILITIES, None)
    with pytest.raises(ValueError, match=r"threshold=0.*y_pred with -2"):
        outputs.check_single_output(logits, None)
