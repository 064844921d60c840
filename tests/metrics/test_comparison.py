import copy

import numpy as np
import pytest
from matplotlib.image import imread
from scipy.stats import bootstrap

import keras_balance as kb

pytestmark = pytest.mark.once


def report_of(seed, shift, names=None):
    """A report of a classifier that is better the greater `shift`."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 200)
    scores = rng.random((200, 3))
    scores[np.arange(200), labels] += shift + 0.1 * rng.normal()
    return kb.metrics.class_report(labels, scores, names).report_dict


@pytest.fixture(scope="module")
def made():
    shifts = {"A balanced": 0.6, "B imbalanced": 0.2, "C BAGAN": 0.4}
    return {
        arm: [report_of(seed, shift) for seed in range(5)]
        for arm, shift in shifts.items()
    }


@pytest.fixture
def reports(made):
    return copy.deepcopy(made)


def test_a_cell_is_mean_and_bootstrap_interval(reports):
    comparison = kb.metrics.compare_reports(reports)
    values = np.array([run["macro avg"]["f1-score"] for run in reports["C BAGAN"]])
    ends = bootstrap(
        (values,), np.mean, method="percentile", random_state=np.random.default_rng(0)
    ).confidence_interval
    mean, low, high = comparison.interval("C BAGAN", "macro F1")
    assert (mean, low, high) == pytest.approx((values.mean(), ends.low, ends.high))
    assert f"{mean:.4f} [{low:.4f}, {high:.4f}]" in comparison.text()


def test_the_table_has_the_papers_scores(reports):
    comparison = kb.metrics.compare_reports(reports)
    assert comparison.arms == list(reports)
    assert comparison.scores == [
        "accuracy",
        "balanced accuracy",
        "macro F1",
        *(f"{c} {score}" for c in range(3) for score in ("precision", "recall", "F1")),
    ]
    run = reports["A balanced"][0]
    assert comparison.values["A balanced"]["1 recall"][0] == run["1"]["recall"]
    assert comparison.values["A balanced"]["accuracy"][0] == run["accuracy"]


def test_text_and_markdown_both_ways(reports):
    comparison = kb.metrics.compare_reports(reports, classes=[0])
    lines = comparison.text().splitlines()
    assert lines[0].split("  ")[-1].strip() == "C BAGAN"
    assert [line.split("  ")[0] for line in lines[2:]] == comparison.scores
    assert len({len(line) for line in lines}) == 1
    rows = comparison.markdown(arms_down=True).splitlines()
    assert rows[0].startswith("|  | accuracy | balanced accuracy | macro F1 |")
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {arm}" for arm in reports]


def test_the_same_reports_give_the_same_table(reports):
    first = kb.metrics.compare_reports(reports).text()
    assert kb.metrics.compare_reports(reports).text() == first


def test_differences_are_paired_by_seed(reports):
    # The arm is better by exactly 0.01 with every seed, though seeds differ widely.
    better = [dict(run, accuracy=run["accuracy"] + 0.01) for run in reports["C BAGAN"]]
    comparison = kb.metrics.compare_reports({"C": reports["C BAGAN"], "D": better})
    differences = comparison.against("C")
    assert differences.arms == ["D"]
    assert differences.interval("D", "accuracy") == pytest.approx((0.01, 0.01, 0.01))
    assert "+0.0100 [+0.0100, +0.0100]" in differences.text()


def test_one_seed_has_no_interval(reports):
    comparison = kb.metrics.compare_reports({"B": reports["B imbalanced"][0]})
    assert np.isnan(comparison.interval("B", "accuracy")[1:]).all()
    assert "[" not in comparison.text()


def test_a_class_that_was_missing_stays_nan():
    labels, scores = np.zeros(4, int), np.eye(2)[[0, 1, 0, 0]]
    report = kb.metrics.class_report(labels, scores).report_dict
    comparison = kb.metrics.compare_reports({"A": [report, report]})
    assert np.isnan(comparison.interval("A", "1 recall")).all()
    assert "nan" in comparison.text()


def test_the_picture_has_a_panel_a_score_and_a_dot_an_arm(reports, tmp_path):
    comparison = kb.metrics.compare_reports(reports, classes=["0"])
    panels = comparison.picture().axes
    titles = [panel.get_title() for panel in panels]
    assert titles == ["accuracy", "balanced accuracy", "macro F1", "0 F1"]
    for panel, title in zip(panels, titles, strict=True):
        expected = [comparison.interval(arm, title).mean for arm in comparison.arms]
        assert panel.containers[0][0].get_xdata().tolist() == expected
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert names == comparison.arms
    comparison.save_picture(tmp_path / "new" / "dots.png", ["0 recall"])
    assert imread(tmp_path / "new" / "dots.png").shape[0] > 100


@pytest.mark.parametrize(
    ("change", "arguments", "text"),
    [
        (lambda reports: {}, {}, "at least one arm"),
        (lambda reports: reports | {"E": []}, {}, "'E': 0"),
        (lambda reports: {"E": [{}]} | reports, {}, "a dict {}"),
        (lambda reports: reports | {"E": [3]}, {}, "a int 3"),
        (lambda reports: reports, {"classes": ["7"]}, "precision_7"),
        (lambda reports: reports, {"confidence_level": 95}, "confidence_level=95"),
    ],
)
def test_bad_input(reports, change, arguments, text):
    with pytest.raises(ValueError, match=text):
        kb.metrics.compare_reports(change(reports), **arguments)


def test_what_a_comparison_does_not_have_is_refused(reports):
    with pytest.raises(TypeError, match="of type list"):
        kb.metrics.compare_reports([reports["C BAGAN"]])
    comparison = kb.metrics.compare_reports(reports)
    for call, text in (
        (lambda: comparison.interval("D", "macro F1"), "arm='D'"),
        (lambda: comparison.interval("C BAGAN", "f1"), "score='f1'"),
        (lambda: comparison.picture(["f1"]), "scores='f1'"),
        (lambda: comparison.picture([]), r"scores=\[\]"),
        (lambda: comparison.picture(marked=["D"]), "marked='D'"),
        (lambda: comparison.against("D"), "baseline='D'"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    alone = kb.metrics.compare_reports({"A": reports["C BAGAN"]})
    with pytest.raises(ValueError, match="another arm"):
        alone.against("A")


def test_classes_may_be_called_as_the_parts_of_a_file():
    names = ["report", "confusion_matrix", "history"]
    comparison = kb.metrics.compare_reports({"A": report_of(0, 0.5, names)})
    assert "confusion_matrix recall" in comparison.scores


def test_unpaired_seeds_are_refused(reports):
    reports["C BAGAN"] = reports["C BAGAN"][:3]
    comparison = kb.metrics.compare_reports(reports)
    with pytest.raises(ValueError, match="'C BAGAN': 3"):
        comparison.against("B imbalanced")
    with pytest.raises(ValueError, match="baseline='E'"):
        comparison.against("E")


def noisy_report(seed, target_prior=None):
    rng = np.random.default_rng(seed)
    labels, scores = np.repeat([0, 1, 2], [90, 30, 0]), rng.random((120, 3))
    scores[np.arange(120), labels] += 0.3
    scores[0] = np.nan  # a lost prediction is no column of the matrix
    return kb.metrics.class_report(labels, scores, target_prior=target_prior)


@pytest.mark.parametrize("prior", ["uniform", "natural", [8, 1, 1]])
def test_a_comparison_for_other_shares_of_the_classes(prior):
    plain, weighted = (
        kb.metrics.compare_reports({"arm": [noisy_report(s, p) for s in range(3)]}, **o)
        for p, o in [(None, {"target_prior": prior}), (prior, {})]
    )
    for score in plain.scores:
        found, expected = plain.values["arm"][score], weighted.values["arm"][score]
        np.testing.assert_allclose(found, expected, err_msg=score)


def test_a_report_file_will_do_and_a_bare_dict_will_not():
    report = noisy_report(0)
    content = {
        "report": report.report_dict,
        "confusion_matrix": report.confusion_matrix.tolist(),
    }
    arms = {"file": content, "memory": report}
    comparison = kb.metrics.compare_reports(arms, [0], target_prior="uniform")
    assert comparison.values["file"] == comparison.values["memory"]
    with pytest.raises(ValueError, match=r"confusion matrix.*target_prior='uniform'"):
        kb.metrics.compare_reports({"a": report.report_dict}, target_prior="uniform")


def test_one_draw_has_no_interval_to_tell_of(reports):
    several = kb.metrics.compare_reports(reports)
    one = kb.metrics.compare_reports({arm: runs[:1] for arm, runs in reports.items()})
    for comparison, label in [
        (several, "mean, 95 % interval over seeds"),
        (several.against("A balanced"), "mean difference, 95 % interval over seeds"),
        (one, "score"),
        (one.against("A balanced"), "difference"),
    ]:
        assert comparison.picture().get_supxlabel() == label
