import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from sklearn import metrics as sk

import keras_balance as kb
from keras_balance.metrics.class_report import flat_scores

pytestmark = pytest.mark.once

FEW = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])


@st.composite
def predicted_data(draw):
    num_classes = draw(st.integers(2, 5))
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    # Few distinct scores make ties; labels from a part of the classes.
    scores = rng.integers(0, 4, (size, num_classes)) / 4
    labels = rng.integers(0, draw(st.integers(1, num_classes)), size)
    weights = rng.uniform(0.1, 5, size) if draw(st.booleans()) else None
    return labels, scores, weights


def cut(report):
    """Cut the supports of a text report off, which may be sums of weights."""
    return [line.split()[:-1] for line in report.splitlines()]


@given(predicted_data())
@settings(max_examples=50, deadline=None)
def test_every_score_is_scikit_learns(data):
    labels, scores, weights = data
    num_classes = scores.shape[1]
    report = kb.metrics.class_report(labels, scores, sample_weight=weights)
    guesses = scores.argmax(axis=1)
    options = {"labels": range(num_classes), "zero_division": 0}
    weight = {"sample_weight": weights}
    each = sk.precision_recall_fscore_support(labels, guesses, **options, **weight)
    result = report.scores
    for c in range(num_classes):
        found = [result[f"{key}_{c}"] for key in ("precision", "recall", "f1")]
        if each[3][c]:
            np.testing.assert_allclose(found, [part[c] for part in each[:3]])
            assert result[f"pr_auc_{c}"] == pytest.approx(
                sk.average_precision_score(labels == c, scores[:, c], **weight)
            )
        else:
            assert np.isnan([*found, result[f"pr_auc_{c}"]]).all()
    macro = sk.precision_recall_fscore_support(
        labels, guesses, average="macro", **options, **weight
    )
    for key, value in zip(("precision", "recall", "f1"), macro, strict=False):
        assert result[f"{key}_macro"] == pytest.approx(value)
    present = np.unique(labels)
    recalls = each[1][present]
    assert result["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert result["g_mean"] == pytest.approx(recalls.prod() ** (1 / len(present)))
    assert result["accuracy"] == pytest.approx(
        sk.accuracy_score(labels, guesses, **weight)
    )
    names = [str(c) for c in range(num_classes)]
    text = sk.classification_report(
        labels, guesses, target_names=names, **options, **weight
    )
    assert cut(report.report) == cut(text)
    np.testing.assert_allclose(
        report.confusion_matrix,
        sk.confusion_matrix(labels, guesses, labels=range(num_classes + 1), **weight)[
            :num_classes, :num_classes
        ],
    )


def test_balanced_accuracy_and_g_mean_are_those_of_the_libraries():
    imblearn = pytest.importorskip("imblearn.metrics")
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 4, 80), rng.random((80, 4))
    scores[np.arange(80), labels] += 0.3
    result = kb.metrics.class_report(labels, scores).scores
    guesses = scores.argmax(axis=1)
    assert result["balanced_accuracy"] == pytest.approx(
        sk.balanced_accuracy_score(labels, guesses)
    )
    assert result["g_mean"] == pytest.approx(
        imblearn.geometric_mean_score(labels, guesses, average="multiclass")
    )


@pytest.mark.parametrize("threshold", [None, 0.25])
def test_one_sigmoid_output_is_the_second_of_two_classes(threshold):
    labels, probabilities = [0, 1, 1, 0, 1], np.array([0.1, 0.9, 0.3, 0.6, 0.4])
    columns = np.stack([1 - probabilities, probabilities], axis=1)
    one, two = (
        kb.metrics.class_report(labels, outputs, ["no", "yes"], threshold=threshold)
        for outputs in (probabilities[:, None], columns)
    )
    assert one.scores == two.scores
    guesses = probabilities > (threshold or 0.5)
    assert one.scores["recall_yes"] == sk.recall_score(labels, guesses)
    assert one.scores["pr_auc_yes"] == sk.average_precision_score(labels, probabilities)


def test_one_sigmoid_output_ranks_the_first_class_however_near_to_zero():
    report = kb.metrics.class_report([1, 0, 0, 1], [[1e-20], [1e-25], [1e-30], [0.9]])
    assert report.scores["pr_auc_0"] == 1
    assert report.scores["pr_auc_1"] == 1


def test_a_threshold_parts_two_classes():
    with pytest.raises(ValueError, match=r"threshold=0.5 and 3 classes"):
        kb.metrics.class_report([0, 1, 2, 2], FEW, threshold=0.5)


def noisy(counts, seed=0):
    """Labels in given numbers, and outputs that are often right."""
    labels = np.repeat(np.arange(len(counts)), counts)
    outputs = np.random.default_rng(seed).random((len(labels), len(counts)))
    outputs[np.arange(len(labels)), labels] += 0.4
    return labels, outputs


def test_a_test_set_is_read_as_if_its_classes_were_otherwise_frequent():
    balanced, outputs = noisy([60, 60, 60])
    # Each image of class 0 five times is what the shares 5 : 1 : 1 stand for.
    rows = np.repeat(np.arange(180), np.where(balanced == 0, 5, 1))
    world = kb.metrics.class_report(balanced[rows], outputs[rows])
    read = kb.metrics.class_report(balanced, outputs, target_prior=[5, 1, 1])
    assert read.scores == pytest.approx(world.scores)
    by_name = kb.metrics.class_report(
        balanced, outputs, list("abc"), target_prior={"c": 1, "a": 5, "b": 1}
    )
    assert by_name.report_dict["a"] == read.report_dict["0"]
    assert read.report_dict["0"]["support"] == pytest.approx(180 * 5 / 7)
    assert [line.split()[-1] for line in read.report.splitlines()[2:5]] == [
        "128.6",
        "25.71",
        "25.71",
    ]
    # And the other way round.
    back = kb.metrics.class_report(
        balanced[rows], outputs[rows], target_prior="uniform"
    )
    assert back.scores == pytest.approx(
        kb.metrics.class_report(balanced, outputs).scores
    )
    assert world.scores != pytest.approx(back.scores)


def test_the_prior_multiplies_the_weights():
    labels, outputs = noisy([50, 10])
    weights = np.random.default_rng(1).uniform(0.5, 2, 60)
    report = kb.metrics.class_report(labels, outputs, None, weights, None, "uniform")
    by_hand = weights / np.bincount(labels, weights)[labels]
    expected = kb.metrics.class_report(labels, outputs, sample_weight=by_hand)
    assert report.scores == pytest.approx(expected.scores)
    natural = kb.metrics.class_report(labels, outputs, target_prior="natural")
    plain = kb.metrics.class_report(labels, outputs)
    assert natural.scores == pytest.approx(plain.scores)


def test_a_missing_class_leaves_its_share_to_the_others():
    labels, outputs = noisy([30, 10, 0])
    report = kb.metrics.class_report(labels, outputs, target_prior=[1, 1, 8])
    assert np.isnan(report.scores["recall_2"])
    assert report.report_dict["0"]["support"] == pytest.approx(20)


@pytest.mark.parametrize("prior", [[1, 1], [1, 0, 1], "equal", [1, np.nan, 1]])
def test_bad_priors(prior):
    labels, outputs = noisy([3, 3, 3])
    with pytest.raises(ValueError, match="target_prior"):
        kb.metrics.class_report(labels, outputs, target_prior=prior)


def test_keys_do_not_depend_on_the_labels():
    every = kb.metrics.class_report([0, 1, 2, 2], FEW).scores
    some = kb.metrics.class_report([1, 1, 1, 1], FEW).scores
    assert list(every) == list(some)
    assert {key for key, value in some.items() if np.isnan(value)} == {
        f"{score}_{c}"
        for score in ("precision", "recall", "f1", "pr_auc")
        for c in (0, 2)
    }


def test_a_lost_prediction_is_a_miss():
    scores = FEW.copy()
    scores[0] = np.nan
    report = kb.metrics.class_report([0, 1, 1, 2], scores)
    assert report.scores["recall_0"] == 0
    assert report.scores["accuracy"] == 0.75
    assert report.confusion_matrix.sum() == 3
    assert np.isfinite(list(report.scores.values())).all()


def test_logits_may_be_infinite():
    scores = np.log(np.maximum(FEW, 0.0), where=FEW > 0, out=np.full((4, 3), -np.inf))
    expected = kb.metrics.class_report([0, 1, 1, 2], FEW).scores
    assert (
        kb.metrics.class_report([0, 1, 1, 2], scores).scores["f1_macro"]
        == (expected["f1_macro"])
    )


@pytest.mark.parametrize(
    ("labels", "class_names", "names"),
    [
        ([0, 1, 1, 2], None, ["0", "1", "2"]),
        ([0.0, 1.0, 1.0, 2.0], None, ["0", "1", "2"]),
        ([[0], [1], [1], [2]], ["a", "b", "c"], ["a", "b", "c"]),
        (np.eye(3)[[0, 1, 1, 2]], None, ["0", "1", "2"]),
        ([2, 7, 7, 40], None, ["2", "7", "40"]),
        ([2, 7, 7, 40], ["two", "seven", "forty"], ["two", "seven", "forty"]),
        ([-3, -1, -1, 5], None, ["-3", "-1", "5"]),
        (["cat", "dog", "dog", "fox"], None, ["cat", "dog", "fox"]),
        ([b"cat", b"dog", b"dog", b"fox"], None, ["cat", "dog", "fox"]),
        (["fox", "cat", "cat", "dog"], ["fox", "cat", "dog"], ["fox", "cat", "dog"]),
    ],
)
def test_labels_of_any_form(labels, class_names, names):
    report = kb.metrics.class_report(labels, FEW, class_names)
    assert report.class_names == names
    assert report.report_dict[names[1]] == pytest.approx(
        {
            "precision": 1,
            "recall": 1,
            "f1-score": 1,
            "support": 2,
            "pr_auc": 1,
        }
    )


@pytest.mark.parametrize(
    ("labels", "names"), [([2, 3], [1, 2, 3]), ([0, 1], [1, 0]), ([7, 40], None)]
)
def test_of_images_whose_classes_are_numbers_none_is_an_index(labels, names):
    images = np.zeros((20, 2, 2, 1), "uint8")
    y = np.repeat(labels, 10)
    held_out = kb.data.LabelledImages(images, y, class_names=names)
    right = np.eye(held_out.num_classes)[held_out.indices]
    assert kb.metrics.class_report(held_out, right).report_dict["accuracy"] == 1
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    model.predict_on_batch = lambda images: right
    report = kb.callbacks.PerClassReport(held_out, batch_size=20)
    report.set_model(model)
    report.on_epoch_end(0)
    assert report.report_dict["accuracy"] == 1


def test_names_bring_a_class_that_the_labels_lack():
    report = kb.metrics.class_report([7, 7, 7, 40], FEW, class_names=[2, 7, 40])
    assert report.class_names == ["2", "7", "40"]
    assert np.isnan(report.scores["recall_2"])
    assert report.scores["recall_40"] == 1


def test_bytes_are_read_as_text():
    labels = np.array([b"c", b"a", b"b", b"b"], dtype=object)
    report = kb.metrics.class_report(labels, FEW, class_names=["c", "a", "b"])
    assert report.scores["recall_c"] == 1
    assert report.scores["recall_b"] == 0.5


@pytest.mark.parametrize("names", [[1, 2, 3], range(1, 4), {1: 5, 2: 5, 3: 5}.keys()])
def test_names_that_are_numbers_are_those_of_the_labels_where_all_could_be_indices(
    names,
):
    labels = [1, 2, 2, 1]
    scores = np.eye(3)[[0, 1, 1, 0]]
    report = kb.metrics.class_report(labels, scores, class_names=names)
    assert report.scores["accuracy"] == 1
    assert report.report_dict["1"]["support"] == 2


@pytest.mark.parametrize(
    ("labels", "scores", "class_names", "text"),
    [
        ([0, 1, 2], FEW, None, r"len\(y_true\)=3, len\(y_pred\)=4"),
        ([0, 1, 2, 3], FEW, None, r"num_classes=3\).*labels \[0, 1, 2, 3\]"),
        (["a", "b", "a", "b"], FEW, None, r"3 distinct labels.*\['a', 'b'\]"),
        ([0.5, 1, 2, 2], FEW, None, "whole numbers"),
        (np.ones((4, 3)), FEW, None, "multi-label"),
        (np.eye(4), FEW, None, "num_classes=3 columns"),
        (["a", "b", float("nan"), "a"], FEW, None, r"y_true\[2\]=nan"),
        (np.ma.array([0, 1, 2, 2], mask=[0, 1, 0, 0]), FEW, None, r"\[1\]=masked"),
        ([0, 1, 2, 2], FEW[:, 0], None, r"y_pred of shape \(4,\)"),
        ([0, 1, 1, 1], FEW[:, :1] * 2, None, "threshold=0.*y_pred with 1.8"),
        ([0, 1, 2, 2], FEW, ["a", "b"], "3 distinct names"),
        ([0, 1, 2, 2], FEW, ["a", "b", "accuracy"], "name averages"),
        (["b", "c", "A", "c"], FEW, ["a", "b", "c"], "label 'A'"),
        ([0, 1, 2, 2], FEW, [1, 2, 3], "label 0 and class_names"),
        (["1", "2", "1", "2"], FEW, [1, 2, 3], "label '1'"),
    ],
)
def test_bad_input(labels, scores, class_names, text):
    with pytest.raises(ValueError, match=text):
        kb.metrics.class_report(labels, scores, class_names)


def test_a_report_survives_json():
    report = kb.metrics.class_report([1, 1, 1, 1], FEW)
    content = json.loads(json.dumps(report.report_dict).replace("NaN", "null"))
    read = flat_scores(content)
    assert read == pytest.approx(report.scores, nan_ok=True)


def test_input_is_unchanged():
    scores = FEW.copy()
    scores[0] = np.nan
    before = scores.copy()
    kb.metrics.class_report([0, 1, 1, 2], scores)
    np.testing.assert_array_equal(scores, before)


def test_a_confusion_matrix_is_drawn_into_a_file(tmp_path):
    path = tmp_path / "new" / "matrix.png"
    kb.metrics.save_confusion_matrix(path, [[3, 1], [0, 2]], [7, 40], title="arm")
    assert imread(path).std() > 0.1
    for matrix, names in ([[1, 2, 3], [1, 2, 3]], "ab"), ([[3, 1], [0, 2]], ["a"]):
        with pytest.raises(ValueError, match=r"Received: (matrix|class_names)"):
            kb.metrics.save_confusion_matrix(path, matrix, names)
