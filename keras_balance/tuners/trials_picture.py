"""A picture of a search: the score of each trial, against what was searched."""

import numpy as np
from matplotlib import colormaps

from keras_balance.data.synthesis import registry
from keras_balance.utils import plots


def save_trials_picture(tuner, path):
    """Write a picture of the trials of a search atomically.

    The first panel shows the trials in the order they were made, with the best score
    so far; the others show the scores against each number that was searched. The
    colour is the synthesizer, a trial that failed has no score and is not shown.

    Args:
        tuner: A tuner of keras-tuner after (or during) `search`.
        path: The picture's file, its folder made when missing.

    Raises:
        ValueError: When no trial is completed.

    Example:
        >>> tuner.search(x, y, epochs=10, validation_data=(x_val, y_val))
        >>> kb.tuners.save_trials_picture(tuner, "trials.png")
    """
    trials = [tuner.oracle.trials[trial_id] for trial_id in tuner.oracle.start_order]
    trials = [trial for trial in trials if trial.score is not None]
    if not trials:
        raise ValueError(
            "`tuner` must have a trial that is completed. "
            f"Received: tuner with {len(tuner.oracle.trials)} trials"
        )
    plots.save_figure(_figure(trials, tuner.oracle.objective), path)


def _figure(trials, objective):
    names = _searched_numbers(trials)
    figure, panels = plots.panel_grid(1 + len(names), 3.4, 3.2, margin=1.6)
    order = range(1, len(trials) + 1)
    _draw_trials(panels[0], order, trials, "trial")
    best = np.maximum if objective.direction == "max" else np.minimum
    so_far = best.accumulate([trial.score for trial in trials])
    panels[0].step(order, so_far, where="post", color="black", label="best so far")
    panels[0].xaxis.get_major_locator().set_params(integer=True)
    for panel, name in zip(panels[1:], names, strict=True):
        active = [trial for trial in trials if name in trial.hyperparameters.values]
        positions = [trial.hyperparameters.values[name] for trial in active]
        _draw_trials(panel, positions, active, name)
    for panel in panels:
        if panel.get_subplotspec().is_first_col():
            panel.set_ylabel(objective.name)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def _draw_trials(panel, positions, trials, xlabel):
    groups = {}
    for position, trial in zip(positions, trials, strict=True):
        group = _synthesizer(trial)
        groups.setdefault(group, []).append((position, trial.score))
    for name, points in groups.items():
        panel.plot(*zip(*points, strict=True), "o", color=_color(name), label=name)
    panel.set(xlabel=xlabel)
    panel.grid(alpha=0.3)


def _synthesizer(trial):
    return trial.hyperparameters.values.get("synthesizer", "trials")


def _color(name):
    """Give every filling its colour, the same in all pictures of a registry."""
    names = ["trials", *registry.names_to_choose_from()]
    place = names.index(name) if name in names else len(names)
    return colormaps["tab10" if place < 10 else "tab20b"](place % 10)


def _searched_numbers(trials):
    """Names of the numbers that took more than one value."""
    taken = {}
    for trial in trials:
        for name, value in trial.hyperparameters.values.items():
            if isinstance(value, (int, float)) and not name.startswith("tuner/"):
                taken.setdefault(name, set()).add(value)
    return [name for name, values in taken.items() if len(values) > 1]
