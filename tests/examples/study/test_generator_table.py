"""The best recipe with a generator beside the best without."""

import itertools

import pytest

from study.generator_table import generator_table


def cells(arm, *scores):
    return [
        {"data": "digits", "draw": draw, "arm": arm, "f1_macro": score}
        for draw, score in enumerate(scores)
    ]


def line(*given):
    (found,) = generator_table([], [*itertools.chain(*given)]).splitlines()[2:]
    return [text.strip() for text in found.strip("|").split("|")]


def test_of_either_kind_the_best_mean_is_told_and_the_paired_difference():
    found = line(
        cells("balanced", 0.99, 0.99),
        cells("plain", 0.5, 0.6),
        cells("repeat", 0.7, 0.8),
        cells("VAE", 0.6, 0.6),
        cells("DAGAN, elastic, loss", 0.72, 0.78),
    )
    assert found[:3] == ["digits, 2 draws", "DAGAN, elastic, loss", "75.0"]
    assert found[3:] == ["repeat", "75.0", "+0.0 [-2.0, +2.0]"]


def test_an_arm_that_some_draws_lack_is_not_compared():
    found = line(cells("plain", 0.5, 0.6), cells("DAGAN", 0.6, 0.7), cells("VAE", 0.9))
    assert found[1] == "DAGAN"


@pytest.mark.parametrize(
    ("scores", "told"), [((0.6, 0.7), "-10.0"), ((0.7,) * 2, "+0.0")]
)
def test_one_draw_has_no_interval(scores, told):
    made, plain = scores
    assert line(cells("plain", plain), cells("DAGAN", made))[-1] == told


def test_a_row_without_a_generator_has_no_line():
    assert len(generator_table([], cells("plain", 0.5, 0.6)).splitlines()) == 2
