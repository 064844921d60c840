"""How a search is narrowed."""

import keras_tuner
import pytest

from keras_balance.tuners.search_space import (
    declare,
    read_search_space,
    standard,
    values_of,
)

pytestmark = pytest.mark.once

STRENGTHS = {name for name in standard() if name.endswith("_factor")}


def declared(search_space=None):
    hp, entries = keras_tuner.HyperParameters(), read_search_space(search_space)
    declare(hp, entries)
    return hp, entries


def test_every_default_is_within_its_own_space():
    hp, _ = declared()
    assert {parameter.name for parameter in hp.space} == set(standard())
    for parameter in hp.space:
        values = list(parameter.values)
        assert any(parameter.default == pytest.approx(value) for value in values) or (
            parameter.default in values
        )


def test_a_list_a_range_a_value_and_nothing():
    hp, entries = declared(
        {
            "synthesizer": ["repeat", "manual"],
            "noise_factor": (0.0, 0.1),
            "zoom_factor": (0.0, 0.4, 0.2),
            "rotation_factor": 0.02,
            "batch_size": [64, 128],
            "balance": None,
        }
    )
    space = {parameter.name: parameter for parameter in hp.space}
    assert space["synthesizer"].values == ["repeat", "manual"]
    assert space["synthesizer"].default == "manual"
    assert (space["noise_factor"].min_value, space["noise_factor"].max_value) == (
        0,
        0.1,
    )
    assert list(space["zoom_factor"].values) == pytest.approx([0, 0.2, 0.4])
    assert space["rotation_factor"].values == (0.02,)
    # The default is not among them: the first one is the new default.
    assert space["batch_size"].default == 64
    assert "balance" not in space
    assert values_of(hp, entries)["balance"] == 1.0
    assert values_of(hp, entries)["rotation_factor"] == 0.02


def test_a_default_beyond_a_range_moves_to_its_end():
    hp, _ = declared({"noise_factor": (0.1, 0.2), "latent_dim": (2, 8)})
    space = {parameter.name: parameter for parameter in hp.space}
    assert space["noise_factor"].default == 0.1
    assert space["latent_dim"].default == 8


@pytest.mark.parametrize(
    ("synthesizers", "absent"),
    [
        ("nothing", set(standard()) - {"synthesizer", "batch_size"}),
        (["repeat", "manual"], {"latent_dim", "bagan_steps"}),
        (None, {"synthesizer", "latent_dim", "bagan_steps"}),  # "manual" alone
        (["bagan"], STRENGTHS),
    ],
)
def test_what_no_synthesizer_uses_is_not_searched(synthesizers, absent):
    hp, _ = declared({"synthesizer": synthesizers})
    assert set(standard()) - {parameter.name for parameter in hp.space} == absent


def test_strengths_are_active_with_their_synthesizer_only():
    hp, _ = declared()
    active = {}
    for name in hp.space[0].values:
        hp.values = {"synthesizer": name}
        hp.ensure_active_values()
        active[name] = set(hp.values)
    everywhere = {"synthesizer", "batch_size"}
    assert active["nothing"] == everywhere
    assert active["repeat"] == everywhere | {"balance"}
    synthesis = active["repeat"] | {"synthetic_share"}
    assert active["manual"] == synthesis | STRENGTHS
    assert active["bagan"] == synthesis | {"latent_dim", "bagan_steps"}
    assert active["bagan+manual"] == active["bagan"] | active["manual"]


@pytest.mark.parametrize(
    ("search_space", "error", "text"),
    [
        (["manual"], TypeError, "search_space=\\['manual'\\]"),
        ({"rotation": 0.1}, ValueError, "'rotation'"),
        ({"synthesizer": "magic"}, ValueError, "'magic'"),
        ({"synthesizer": ["manual", 3]}, ValueError, "3"),
        (
            {"synthesizer": ["manual", abs]},
            ValueError,
            "kb.data.registry.register.*abs",
        ),
        ({"synthesizer": ("manual", "repeat")}, ValueError, "range"),
        ({"batch_size": []}, ValueError, "\\[\\]"),
        ({"batch_size": 0}, ValueError, "0"),
        ({"batch_size": 16.5}, TypeError, "16.5"),
        ({"batch_size": True}, TypeError, "True"),
        ({"noise_factor": (0.2, 0.1)}, ValueError, "0.2, 0.1"),
        ({"noise_factor": (0.1,)}, ValueError, "0.1"),
        ({"noise_factor": (0.0, 0.1, -1)}, ValueError, "-1"),
        ({"noise_factor": (0.0, float("nan"))}, ValueError, "nan"),
        ({"zoom_factor": "much"}, TypeError, "much"),
        ({"balance": 1.5}, ValueError, "1.5"),
    ],
)
def test_a_wrong_space_is_an_error(search_space, error, text):
    with pytest.raises(error, match=text):
        read_search_space(search_space)
