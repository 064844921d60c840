"""The default setting first."""

import keras_tuner
import pytest

import keras_balance as kb

# keras-tuner calls what `threading` has long deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:(currentThread|getName):DeprecationWarning"
)


class Numbers(keras_tuner.HyperModel):
    """No model at all: the score is the hyperparameter itself."""

    def declare_hyperparameters(self, hp):
        hp.Choice("kind", ["a", "b"], default="b")
        hp.Float("strength", 0, 1, default=0.25, parent_name="kind", parent_values="b")
        hp.Int("size", 1, 64, default=7, parent_name="kind", parent_values="a")


class Tuner(keras_tuner.Tuner):
    def run_trial(self, trial):
        return 1.0


def oracles():
    kinds = keras_tuner.oracles
    options = {"objective": keras_tuner.Objective("score", "max"), "seed": 3}
    return [
        kinds.RandomSearchOracle(max_trials=3, **options),
        kinds.GridSearchOracle(max_trials=3, **options),
        kinds.BayesianOptimizationOracle(max_trials=3, **options),
        kinds.HyperbandOracle(max_epochs=2, **options),
    ]


@pytest.mark.parametrize("oracle", oracles(), ids=lambda one: type(one).__name__)
def test_every_oracle_begins_with_the_defaults(oracle, tmp_path, monkeypatch):
    hypermodel = Numbers()
    monkeypatch.setattr(hypermodel, "build", lambda hp: None)
    tuner = Tuner(oracle, hypermodel, directory=str(tmp_path))
    assert kb.tuners.default_first(tuner) is tuner
    first, second = oracle.create_trial("one"), oracle.create_trial("two")
    values = first.hyperparameters.values
    assert {"kind": "b", "strength": 0.25}.items() <= values.items()
    assert "size" not in values
    if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
        assert values["tuner/epochs"] == 2
    # The others are the oracle's own, and not the same once more.
    assert second.hyperparameters.values != values


def test_a_search_that_goes_on_is_left_alone(tmp_path, monkeypatch):
    hypermodel = Numbers()
    monkeypatch.setattr(hypermodel, "build", lambda hp: None)
    tuner = Tuner(oracles()[0], hypermodel, directory=str(tmp_path))
    drawn = tuner.oracle.create_trial("one").hyperparameters.values
    kb.tuners.default_first(tuner)
    assert tuner.oracle.create_trial("one").hyperparameters.values == drawn
    assert tuner.oracle.create_trial("two").hyperparameters.values != {
        "kind": "b",
        "strength": 0.25,
    }


def test_what_is_no_tuner():
    with pytest.raises(TypeError, match="tuner=None"):
        kb.tuners.default_first(None)
