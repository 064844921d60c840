"""The search in a small form, and its errors."""

import json
import pathlib
import runpy
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "examples" / "tune.py"

# keras-tuner calls what `threading` has long deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(currentThread|getName):DeprecationWarning"
)


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(*arguments):
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        output = ["--output", str(tmp_path / "tune")]
        monkeypatch.setattr(sys, "argv", ["tune.py", *arguments, *output])
        names = runpy.run_path(str(SCRIPT))
        # A main function looks its constants up in the names it was defined with.
        changed = {"EPOCHS": 1, "SEARCH_SPACE": {"synthesizer": ["nothing", "repeat"]}}
        names["main"].__globals__.update(changed)
        names["main"]()
        return tmp_path / "tune"

    return run


@pytest.mark.slow
def test_prints_the_best_setting_and_draws_the_trials(run, capsys):
    folder = run("--trials", "2", "--seed", "0")
    printed = capsys.readouterr().out
    for text in ("(default)", "On the test set, ", "macro avg", "epoch 1/1"):
        assert text in printed
    results = json.loads((folder / "results.json").read_text())
    assert len(results["validation"]) == 2
    assert (folder / "trials.png").stat().st_size > 0
    # The same search once more is done already.
    run("--trials", "2", "--seed", "0")
    assert (
        json.loads((folder / "results.json").read_text())["validation"]
        == (results["validation"])
    )
    assert "a trial: epoch" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tuner", "magic"], "magic"),
        (["--trials", "0"], "--trials 0"),
        (["--seed", "-1"], "--seed -1"),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_it(run, capsys, arguments, text):
    with pytest.raises(SystemExit):
        run(*arguments)
    printed = capsys.readouterr().err
    assert text in printed
    assert "Traceback" not in printed
