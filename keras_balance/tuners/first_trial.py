"""The default setting as the first trial of any tuner."""

import keras_tuner

from keras_balance.tuners.checks import check_tuner


def default_first(tuner):
    """Have a tuner try the default setting first.

    Only `GridSearch` begins with the defaults by itself; `RandomSearch`,
    `BayesianOptimization` and `Hyperband` begin with a random setting. With the
    default among the trials, the best one found is never below it on the validation
    data. (`Hyperband` gives it the few epochs that it gives all first trials.)

    Args:
        tuner: A tuner of keras-tuner, before `search`. A search that is taken up
            again, or a worker of a distributed one, stays as it is.

    Returns:
        The same tuner.

    Raises:
        TypeError: When `tuner` is none of keras-tuner's.

    Example:
        >>> objective = keras_tuner.Objective("val_f1_macro", "max")
        >>> tuner = keras_tuner.RandomSearch(hypermodel, objective, max_trials=20)
        >>> default_first(tuner).search(x, y, epochs=10, validation_data=validation)
    """
    oracle = check_tuner(tuner).oracle
    # A worker only has a client of the chief's oracle, which chooses for all.
    if isinstance(oracle, keras_tuner.Oracle):
        oracle.populate_space = _defaults_before(oracle, oracle.populate_space)
    return tuner


def _defaults_before(oracle, populate_space):
    def populate(trial_id):
        answer = populate_space(trial_id)
        if oracle.trials or not answer.get("values"):
            return answer
        space = oracle.get_space()
        names = {parameter.name for parameter in space.space}
        # Hyperband adds values that are not of the space: its epochs.
        extra = {
            name: value for name, value in answer["values"].items() if name not in names
        }
        return {**answer, "values": extra | default_values(space)}

    return populate


def default_values(space):
    """Give the defaults of a keras-tuner `HyperParameters`, the active ones."""
    defaults = keras_tuner.HyperParameters()
    for parameter in space.space:
        defaults.merge([parameter])
    return dict(defaults.values)
