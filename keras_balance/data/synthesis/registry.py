"""The fillings by name: the one list of what can fill the shortfall of a class.

`BalancedDataset`, the automatic choices, the search, the pictures and the study read
it. The package's own fillings stand in the subpackages that they are made of, as lists
of `Filling`; they are gathered when the registry is first used, whatever was imported
before.
"""

import dataclasses
import importlib

from keras_balance.utils.numbers import real_number

NOTHING = "nothing"
REPEAT = "repeat"

# Who looks at a filling unasked; whoever names it gets it everywhere.
ROLES = ("auto", "front", "search")

# Modules with a list `FILLINGS`, by name, since two of them lie in subpackages above.
_MODULES = (
    "keras_balance.data.synthesis.fillings",
    "keras_balance.models.fillings",
    "keras_balance.auto.fillings",
)
_registered = {}


@dataclasses.dataclass(frozen=True)
class Filling:
    """One way to fill the shortfall of a class.

    Attributes:
        name: What users call it.
        fit: Function `(images, seed, *parts)` of `LabelledImages`, an integer, and
            what was fitted for each name in `needs`. It returns what `BalancedDataset`
            takes as `synthesizer`; or, where it `chooses`, an object with
            `choose(images, targets, seed)` that does.
        rank: Its place from the simplest on.
        needs: Names of the fillings that it is made of, fitted once for all that
            need them.
        roles: `"auto"` makes it a candidate of `AutoSynthesizer`, `"front"` one of
            `AutoAugmentation` (it then is a Keras layer), `"search"` one of
            `BalancedHyperModel`.
        chooses: Whether `fit` gives an object that decides by the data.
    """

    name: str
    fit: object
    rank: float
    needs: tuple = ()
    roles: tuple = ("auto", "search")
    chooses: bool = False


def register(name, fit, rank, needs=(), roles=("auto", "search")):
    """Register a filling, for all that fills classes, by its name.

    Args:
        name: What it is called in `synthesizer=`, `candidates=` and `search_space=`.
        fit: Function `(images, seed, *parts)` that returns what `BalancedDataset`
            takes as `synthesizer`: a Keras layer, an object with
            `generate(labels, seed=None)`, a dict of these. It gets the
            `kb.data.LabelledImages` to fit to, an integer, and one argument for each
            name in `needs`.
        rank: Number; automatic choices compare from the least rank on and take the
            first within one standard error. "repeat" has 10, "manual" 40, "elastic"
            50, "bagan" 80.
        needs: Names of other fillings; what they were fitted to is passed on.
        roles: Whose candidate it is without being asked for: any of `"auto"`
            (`AutoSynthesizer`), `"front"` (`AutoAugmentation`; a Keras layer alone)
            and `"search"` (`BalancedHyperModel`).

    Raises:
        ValueError: For a name that is there already, needs that are not, and unknown
            roles.
        TypeError: When `name` is no string, `fit` no function, or `rank` no number.

    Example:
        >>> def fit(images, seed):
        ...     return keras.layers.RandomFlip("horizontal", seed=seed)
        >>> kb.data.registry.register("mirror", fit, rank=20, roles=("auto", "front"))
        >>> dataset = kb.BalancedDataset(x, y, synthesizer="mirror")
    """
    if not isinstance(name, str):
        raise TypeError(f"`name` must be a string. Received: name={name!r}")
    if not callable(fit):
        raise TypeError(
            f"`fit` must be a function `(images, seed, *parts)`. Received: fit={fit!r}"
        )
    rank = real_number("rank", rank)
    needs, roles = tuple(needs), tuple(roles)
    known = names()
    if name in known:
        raise ValueError(
            f"`name` must be new, not one of {known}. Received: name={name!r}"
        )
    for argument, given, allowed in [
        ("needs", needs, known),
        ("roles", roles, list(ROLES)),
    ]:
        if not set(given) <= set(allowed):
            raise ValueError(
                f"`{argument}` must be among {allowed}. Received: {argument}={given}"
            )
    _registered[name] = Filling(name, fit, rank, needs, roles)


def unregister(name):
    """Take a filling out that `register` put in.

    Raises:
        ValueError: For another name.

    Example:
        >>> kb.data.registry.register("as it is", lambda images, seed: None, rank=11)
        >>> kb.data.registry.unregister("as it is")
    """
    if name not in _registered:
        raise ValueError(
            "`name` must be one that `register` put in, out of "
            f"{list(_registered)}. Received: name={name!r}"
        )
    del _registered[name]


def names(role=None):
    """Names of the fillings, from the simplest on; those of one role, or all.

    Example:
        >>> "smote" in kb.data.registry.names()
        True
    """
    return [f.name for f in _ranked() if role is None or role in f.roles]


def names_to_choose_from():
    """Names of the fillings that do not choose among others themselves.

    Example:
        >>> "auto" in kb.data.registry.names_to_choose_from()
        False
    """
    return [f.name for f in _ranked() if not f.chooses]


def find(name, argument="synthesizer"):
    """Find the `Filling` of a name.

    Raises:
        ValueError: When there is none.

    Example:
        >>> kb.data.registry.find("repeat").rank
        10
    """
    found = _all().get(name)
    if found is None:
        raise ValueError(
            f"`{argument}` must be one of {names()} where it is a string. "
            f"Received: {argument}={name!r}"
        )
    return found


def needed_by(name):
    """Names of all fillings that one is made of, itself included.

    Example:
        >>> sorted(kb.data.registry.needed_by("bagan+manual"))
        ['bagan', 'bagan+manual', 'manual']
    """
    parts = find(name).needs
    return {name}.union(*(needed_by(part) for part in parts))


def fit(name, images, seed, fitted=None):
    """Fit a filling, and before it what it needs.

    Args:
        name: Name of the filling.
        images: `LabelledImages`.
        seed: Integer.
        fitted: Optional dict of names to what was fitted to `images` before; what is
            fitted here is added.

    Returns:
        What `BalancedDataset` takes as `synthesizer`.

    Example:
        >>> images = kb.data.LabelledImages(x, y)
        >>> layer = kb.data.registry.fit("elastic", images, seed=0)
        >>> dataset = kb.BalancedDataset(images, synthesizer=layer)
    """
    fitted = {} if fitted is None else fitted
    if name not in fitted:
        filling = find(name)
        parts = [fit(part, images, seed, fitted) for part in filling.needs]
        fitted[name] = filling.fit(images, seed, *parts)
    return fitted[name]


def _ranked():
    return sorted(_all().values(), key=lambda filling: filling.rank)


def _all():
    own = [
        filling
        for module in _MODULES
        for filling in importlib.import_module(module).FILLINGS
    ]
    return {filling.name: filling for filling in own} | _registered
