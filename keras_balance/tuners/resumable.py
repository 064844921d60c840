"""A search that is killed at any moment, and goes on."""

import functools
import pathlib
import shutil

import keras_tuner

from keras_balance.tuners.checks import check_tuner
from keras_balance.utils.files import write_json


def resumable(tuner):
    """Have a search go on where it was killed, whenever that was.

    A tuner of keras-tuner that is made again with the same folder and
    `overwrite=False` goes on with the trials that are left. Two things stand in the
    way in keras-tuner 1.4.8, and this mends them: `GridSearch` forgets its place in
    the grid, and the state is written in place, so that a search killed at that
    moment leaves a file that nobody can read.

    Args:
        tuner: A tuner of keras-tuner, before `search`. Of a distributed search, the
            chief keeps the state.

    Returns:
        The same tuner.

    Raises:
        TypeError: When `tuner` is none of keras-tuner's.

    Example:
        >>> objective = keras_tuner.Objective("val_f1_macro", "max")
        >>> tuner = keras_tuner.GridSearch(hypermodel, objective, directory="search")
        >>> kb.tuners.resumable(tuner).search(x, y, validation_data=validation)
    """
    oracle = check_tuner(tuner).oracle
    folder = pathlib.Path(tuner.project_dir)
    # A worker of a distributed search has a client of the chief's oracle alone.
    has_state = isinstance(oracle, keras_tuner.Oracle)
    if has_state:
        _keep_whole(oracle, folder)
    if isinstance(oracle, keras_tuner.oracles.GridSearchOracle):
        oracle.populate_space = functools.partial(_next_of_grid, oracle)

    def save():
        if has_state:
            oracle.save()
        write_json(folder / f"{tuner.tuner_id}.json", tuner.get_state())

    tuner.save = save
    return tuner


def _keep_whole(oracle, folder):
    """Write the state of a search atomically; mend what was cut short.

    The two private names are all that keras-tuner has for it.
    """
    # The trial's file is written first: a search that was killed between the two
    # may not know that it began, or that it ended and need not be scored again.
    for trial_id, trial in list(oracle.trials.items()):
        if trial_id not in oracle.start_order:
            # Its number is given anew, but in other digits where `max_trials` has more.
            del oracle.trials[trial_id]
            shutil.rmtree(folder / f"trial_{trial_id}")
        elif trial_id not in oracle.end_order:
            oracle.trials[trial_id] = type(trial)(trial.hyperparameters, trial_id)
    oracle._retry_queue = [
        trial_id for trial_id in oracle._retry_queue if trial_id not in oracle.end_order
    ]
    oracle.save = lambda: write_json(folder / "oracle.json", oracle.get_state())
    oracle._save_trial = functools.partial(_save_trial, folder)


def _save_trial(folder, trial):
    write_json(folder / f"trial_{trial.trial_id}" / "trial.json", trial.get_state())


def _next_of_grid(oracle, trial_id):
    """Answer as `Oracle.populate_space`: the first setting that was not tried."""
    tried = [trial.hyperparameters.values for trial in oracle.trials.values()]
    for values in _grid(oracle.get_space()):
        if values not in tried:
            return {"status": "RUNNING", "values": values}
    # A trial may still bring a hyperparameter to light.
    return {"status": "IDLE" if oracle.ongoing_trials else "STOPPED", "values": None}


def _grid(space, values=None, place=0):
    """All settings of a space, the defaults first, the last parameter the fastest."""
    values = {} if values is None else values
    if place == len(space.space):
        yield values
        return
    parameter = space.space[place]
    space.values = values
    if not space.is_active(parameter):
        yield from _grid(space, values, place + 1)
        return
    first = parameter.default
    for value in [first, *(value for value in parameter.values if value != first)]:
        yield from _grid(space, values | {parameter.name: value}, place + 1)
