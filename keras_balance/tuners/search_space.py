"""What can be searched: its limits, its defaults, and how a user narrows it."""

import collections.abc
import dataclasses
import numbers

from keras_balance.data.synthesis import registry

# Fillings that make no new image: the first makes none at all.
NO_SYNTHESIS = (registry.NOTHING, registry.REPEAT)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One hyperparameter.

    Attributes:
        default: The package's recommendation, which the first trial takes.
        domain: What is searched: a list of values, a range `(low, high)` or
            `(low, high, step)`, a single value that is fixed, or None for the
            default, without a hyperparameter.
        limits: `(lowest, highest)` of any value; for words all that there are.
        part: Name of the filling that the entry is an argument of: it matters to
            that one, and to all that are made of it. None for no such.
        unused_by: Names of fillings that the entry does not matter to.
    """

    default: object
    domain: object
    limits: tuple
    part: str | None = None
    unused_by: tuple = ()

    def matters_to(self, name):
        """Whether the entry makes a difference to a filling."""
        if self.part is not None:
            return self.part in registry.needed_by(name)
        return name not in self.unused_by


_STANDARD = {
    "balance": Entry(1.0, (0.25, 1.0, 0.25), (0.01, 1.0), unused_by=NO_SYNTHESIS[:1]),
    "synthetic_share": Entry(
        1.0, (0.25, 1.0, 0.25), (0.0, 1.0), unused_by=NO_SYNTHESIS
    ),
    "rotation_factor": Entry(0.05, (0.0, 0.15, 0.025), (0.0, 1.0), "manual"),
    "zoom_factor": Entry(0.1, (0.0, 0.3, 0.05), (0.0, 0.99), "manual"),
    "noise_factor": Entry(0.05, (0.0, 0.15, 0.025), (0.0, 1.0), "manual"),
    "translation_factor": Entry(0.0, (0.0, 0.1, 0.025), (0.0, 1.0), "manual"),
    "elastic_factor": Entry(0.0, (0.0, 0.06, 0.02), (0.0, 1.0), "manual"),
    "latent_dim": Entry(32, [16, 32, 64], (1, 4096), "bagan"),
    "bagan_steps": Entry(2000, [1000, 2000, 4000], (1, 10**7), "bagan"),
    "batch_size": Entry(32, [16, 32, 64, 128], (1, 10**6)),
}


def standard():
    """Entries by name, the registered fillings first among them."""
    searched = registry.names("search")
    every = tuple(registry.names_to_choose_from())
    return {"synthesizer": Entry("manual", searched, every), **_STANDARD}


def of_recipes(names):
    """Entries by name where whole recipes are searched: the first is the default."""
    names = list(names)
    recipe = Entry(names[0], names, tuple(names))
    return {"recipe": recipe, "batch_size": _STANDARD["batch_size"]}


def read_search_space(search_space, recipes=None):
    """Entries by name: the standard ones, narrowed as the user says.

    Args:
        search_space: What the user says: a dict, or None.
        recipes: Names of recipes that are searched instead, or None.

    Raises:
        TypeError: For values of a wrong type.
        ValueError: For an unknown name, a value out of its limits, an empty list
            and a range that is none.
    """
    wanted = {} if search_space is None else search_space
    if not isinstance(wanted, collections.abc.Mapping):
        raise TypeError(
            "`search_space` must be a dict {name: value, list, range or None}. "
            f"Received: search_space={search_space!r}"
        )
    entries = standard() if recipes is None else of_recipes(recipes)
    for name in wanted:
        if name not in entries:
            raise ValueError(
                f"`search_space` must hold names among {list(entries)}. "
                f"Received: search_space with {name!r}"
            )
    return {
        name: _narrow(name, entry, wanted[name]) if name in wanted else entry
        for name, entry in entries.items()
    }


def declare(hp, entries):
    """Register every entry with a keras-tuner `HyperParameters`, conditions too.

    An entry that no possible synthesizer looks at is left out, so that a tuner does
    not try settings that differ in nothing.
    """
    possible = _possible_synthesizers(entries)
    for name, entry in entries.items():
        users = [word for word in possible if entry.matters_to(word)]
        if entry.domain is None or not users:
            continue
        condition = {}
        if len(users) < len(possible):
            condition = {"parent_name": "synthesizer", "parent_values": users}
        _register(hp, name, entry, condition)


def values_of(hp, entries):
    """Look up every entry: its value in the trial, else its default."""
    return {
        name: hp.get(name) if name in hp else _fixed_value(entry)
        for name, entry in entries.items()
    }


def _fixed_value(entry):
    is_fixed = entry.domain is not None and not isinstance(entry.domain, (list, tuple))
    return entry.domain if is_fixed else entry.default


def _possible_synthesizers(entries):
    if "synthesizer" not in entries:
        return NO_SYNTHESIS[:1]
    entry = entries["synthesizer"]
    return entry.domain if isinstance(entry.domain, list) else [_fixed_value(entry)]


def _register(hp, name, entry, condition):
    domain, default = entry.domain, entry.default
    if isinstance(domain, list):
        hp.Choice(name, domain, default=default, **condition)
    elif not isinstance(domain, tuple):
        hp.Fixed(name, domain, **condition)
    else:
        add = hp.Int if isinstance(default, int) else hp.Float
        low, high, *step = domain
        step = {"step": step[0]} if step else {}
        add(name, low, high, default=default, **step, **condition)


def _narrow(name, entry, wanted):
    """`entry` with the user's domain, and the nearest default within it."""
    if wanted is None:
        return dataclasses.replace(entry, domain=None)
    if isinstance(wanted, list):
        if not wanted:
            raise ValueError(
                f"The list of `{name}` must hold a value. Received: {name}=[]"
            )
        values = [_check(name, entry, value) for value in wanted]
        default = entry.default if entry.default in values else values[0]
        return dataclasses.replace(entry, domain=values, default=default)
    if isinstance(wanted, tuple):
        return _narrow_range(name, entry, wanted)
    value = _check(name, entry, wanted)
    return dataclasses.replace(entry, domain=value, default=value)


def _narrow_range(name, entry, wanted):
    rule = (
        f"A range of `{name}` must be (low, high) or (low, high, step) of numbers with "
        f"low < high and step > 0. Received: {name}={wanted!r}"
    )
    if isinstance(entry.default, str) or len(wanted) not in (2, 3):
        raise ValueError(rule)
    low, high = (_check(name, entry, limit) for limit in wanted[:2])
    step = [_number(name, entry, number) for number in wanted[2:]]
    if low >= high or any(number <= 0 for number in step):
        raise ValueError(rule)
    default = min(max(entry.default, low), high)
    return dataclasses.replace(entry, domain=(low, high, *step), default=default)


def _check(name, entry, value):
    if isinstance(entry.default, str):
        if value not in entry.limits:
            others = ", or register others by `kb.data.registry.register`"
            raise ValueError(
                f"`{name}` must be among {list(entry.limits)}"
                f"{others * (name == 'synthesizer')}. Received: {name}={value!r}"
            )
        return value
    value = _number(name, entry, value)
    low, high = entry.limits
    if not low <= value <= high:
        raise ValueError(
            f"`{name}` must be from {low} to {high}. Received: {name}={value!r}"
        )
    return value


def _number(name, entry, value):
    """`value` in the type of the entry: keras-tuner mixes no ints with floats."""
    is_whole = isinstance(entry.default, int)
    kind = numbers.Integral if is_whole else numbers.Real
    if isinstance(value, bool) or not isinstance(value, kind):
        what = "an integer" if is_whole else "a number"
        raise TypeError(f"`{name}` must be {what}. Received: {name}={value!r}")
    return type(entry.default)(value)
