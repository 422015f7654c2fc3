"""The tables of parts are those of the classes: names, arguments, defaults, bounds and traits."""

from __future__ import annotations

import inspect
import math
from typing import Any

import keras
import pytest

from ganmedic import augmentation, balance, clipping, losses, penalties
from ganmedic.settings import Part, changed, for_data, parts
from ganmedic.settings.faults import Faults
from ganmedic.settings.tables import REQUIRED

pytestmark = pytest.mark.tensorflow

CATALOGUES = {
    "loss": (parts.LOSSES, losses._CATALOGUE),
    "penalty": (parts.PENALTIES, penalties._CATALOGUE),
    "clip": (parts.CLIPS, clipping._CATALOGUE),
    "balance": (parts.BALANCE, balance._CATALOGUE),
    "augmentation": (parts.AUGMENTATIONS, augmentation.AUGMENTATIONS),
}
#: Not among the tables because they are keys of their own, and not among the classes because there is nothing to make.
ELSEWHERE = {"balance": {"n_critic", "packing"}}
NOTHING = {"augmentation": {"none"}}
MEMBERS = [
    pytest.param(kind, name, id=f"{kind}-{name}")
    for kind, (table, _) in CATALOGUES.items()
    for name in table
    if name not in NOTHING.get(kind, ())
]
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def signature_of(kind: str, name: str) -> dict[str, inspect.Parameter]:
    made = CATALOGUES[kind][1].members[name]
    return {each: entry for each, entry in inspect.signature(made.__init__).parameters.items() if each != "self"}


@pytest.mark.parametrize("kind", CATALOGUES)
def test_the_names_are_the_same(kind):
    table, catalogue = CATALOGUES[kind]
    assert set(table) - NOTHING.get(kind, set()) == set(catalogue.names()) - ELSEWHERE.get(kind, set())


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_arguments_and_defaults_are_the_same(kind, name):
    described = CATALOGUES[kind][0][name]
    real = signature_of(kind, name)
    assert [*described.arguments, *described.left_out] == sorted(
        real, key=[*described.arguments, *described.left_out].index
    )
    for each, key in described.arguments.items():
        default = real[each].default
        assert (key.default is REQUIRED) == (default is inspect.Parameter.empty), each
        if key.default is not REQUIRED:
            assert key.default == default, each
            assert isinstance(key.default, bool) == isinstance(default, bool), each


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_a_part_is_made_of_its_defaults(kind, name):
    get = CATALOGUES[kind][1].get
    described = CATALOGUES[kind][0][name]
    given = {"penalty": {"name": "r1"}} if name == "lazy" else {}
    faults = Faults()
    part = Part(name, described.read(given, (), faults))
    assert not faults.found
    made = part.build(get)
    assert isinstance(made, CATALOGUES[kind][1].members[name])
    if name == "lazy":
        assert isinstance(made.penalty, penalties.R1)
    else:
        assert {each: getattr(made, each) for each in described.arguments} == dict(part.arguments)


VALUES: list[Any] = [
    -math.inf, -2.0, -1.0, -0.5, -1, 0, 0.0, 1e-9, 0.3, 0.5, 0.51, 0.95, 1, 1.0, 1.5, 2, 99.0, 100.0, 101.0, 3000, math.inf, math.nan,
    True, False, "keep", "zero", "b", "bgcno", "cb", "bb", "f", "", "color", "flip, cutout", "color,color", "colour", [1.0], {},
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_bounds_are_those_of_the_class(kind, name):
    described = CATALOGUES[kind][0][name]
    get = CATALOGUES[kind][1].get
    for each in described.arguments:
        for value in VALUES:
            if each == "penalty" or (each == "weight" and value == "auto"):
                continue
            inner = penalties.get("r1")
            faults = Faults()
            table = {"penalty": {"name": "r1"}, each: value} if name == "lazy" else {each: value}
            described.read(table, (), faults)
            options = {"penalty": inner, each: value} if name == "lazy" else {each: value}
            try:
                get(name, **options)
                sound = True
            except (TypeError, ValueError):
                sound = False
            if each == "seed":  # A class that draws nothing does not look at its seed.
                assert sound or faults.found, (each, value)
            else:
                assert sound == (not faults.found), (each, value, faults.found)


@pytest.mark.parametrize("trait", ["needs_real", "pairs", "compares", "cross_entropy"])
def test_traits_of_losses_are_those_of_the_classes(trait):
    members = losses._CATALOGUE.members
    assert {name for name, each in parts.LOSSES.items() if trait in each.traits} == {
        name for name, each in members.items() if getattr(each, trait)
    }


@pytest.mark.parametrize("trait", ["per_sample", "remembers_scores"])
def test_traits_of_penalties_are_those_of_the_classes(trait):
    members = penalties._CATALOGUE.members
    assert {name for name, each in parts.PENALTIES.items() if trait in each.traits} == {
        name for name, each in members.items() if getattr(each, trait)
    }


def test_every_penalty_in_lazy_is_one_that_it_takes():
    allowed = parts.PENALTIES["lazy"].arguments["penalty"].kind.members
    for name in penalties.names():
        if name == "lazy":
            assert name not in allowed
            continue
        try:
            penalties.get("lazy", penalty=penalties.get(name))
        except TypeError:
            assert name not in allowed
        else:
            assert name in allowed


@pytest.mark.parametrize("name", parts.OPTIMIZERS)
def test_optimizers_are_those_of_keras(name):
    settings = for_data("faces")
    optimizer = changed(settings, {"optimizers.generator.name": name}).optimizers.generator
    made = OPTIMIZERS[name](learning_rate=optimizer.learning_rate, **optimizer.arguments)
    config = made.get_config()
    assert set(parts.OPTIMIZERS) == set(OPTIMIZERS)
    assert {each: config[each] for each in optimizer.arguments} == dict(optimizer.arguments)
    assert config["learning_rate"] == pytest.approx(2e-4)
