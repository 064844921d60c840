"""The picture of a search."""

import types

import keras_tuner
import pytest

import keras_balance as kb
from keras_balance.tuners import trials_picture

pytestmark = pytest.mark.once


def trial(number, score, **values):
    hyperparameters = types.SimpleNamespace(values=values)
    return types.SimpleNamespace(
        trial_id=f"{number}", score=score, hyperparameters=hyperparameters
    )


def tuner_with(*trials, direction="max"):
    oracle = types.SimpleNamespace(
        trials={one.trial_id: one for one in trials},
        start_order=[one.trial_id for one in trials],
        objective=keras_tuner.Objective("val_f1_macro", direction),
    )
    return types.SimpleNamespace(oracle=oracle)


TRIALS = [
    trial(0, 0.8, synthesizer="manual", noise_factor=0.05, batch_size=32),
    trial(1, None, synthesizer="bagan", batch_size=64),
    trial(2, 0.7, synthesizer="nothing", batch_size=64, **{"tuner/epochs": 2}),
    trial(3, 0.9, synthesizer="manual", noise_factor=0.1, batch_size=32),
]


@pytest.mark.parametrize(
    ("direction", "so_far"), [("max", [0.8, 0.8, 0.9]), ("min", [0.8, 0.7, 0.7])]
)
def test_a_panel_for_the_trials_and_each_number_searched(direction, so_far):
    done = [one for one in TRIALS if one.score is not None]
    objective = keras_tuner.Objective("val_f1_macro", direction)
    panels = trials_picture._figure(done, objective).axes
    labels = [panel.get_xlabel() for panel in panels]
    assert labels == ["trial", "noise_factor", "batch_size"]
    lines = {line.get_label(): line for line in panels[0].lines}
    assert set(lines) == {"manual", "nothing", "best so far"}
    assert list(lines["best so far"].get_ydata()) == so_far
    assert list(lines["manual"].get_ydata()) == [0.8, 0.9]
    # What a trial did not use has no place in the panel.
    assert [len(line.get_xdata()) for line in panels[1].lines] == [2]


def test_trials_come_in_the_order_they_were_begun(tmp_path, monkeypatch):
    drawn = []
    figure = trials_picture._figure
    monkeypatch.setattr(
        trials_picture,
        "_figure",
        lambda trials, objective: drawn.append(trials) or figure(trials, objective),
    )
    # As keras-tuner names them where the number of trials was raised.
    begun = [trial(name, 0.5, batch_size=32) for name in ("00", "01", "02", "010")]
    kb.tuners.save_trials_picture(tuner_with(*begun), tmp_path / "trials.png")
    assert drawn == [begun]


def test_written_whole(tmp_path):
    path = tmp_path / "new" / "trials.png"
    kb.tuners.save_trials_picture(tuner_with(*TRIALS), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(path.parent.iterdir()) == [path]


def test_without_a_score_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match="tuner with 1 trials"):
        kb.tuners.save_trials_picture(tuner_with(TRIALS[1]), tmp_path / "trials.png")
