"""Settings with other values under some of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ganmedic.settings.building import checked, plain
from ganmedic.settings.faults import Faults, SettingsError, dotted
from ganmedic.settings.sections import Settings
from ganmedic.settings.tables import PartKind, Section, keys_of

#: What a new value takes the place of.
_DISPLACED = {"ema.decay": ("half_life", "ramp"), "ema.half_life": ("decay",)}


def for_data(path: str, **overrides: Any) -> Settings:
    """The defaults for a data set.

    Args:
        path: folder or file of the data; a relative one is relative to the working folder.
        **overrides: as the changes of `changed`: `for_data("faces", **{"training.steps": 500})`, or a section as a whole:
            `for_data("faces", training={"steps": 500})`.

    Returns:
        The checked settings; their paths are absolute.

    Raises:
        SettingsError: a key or value cannot be.

    Example:
        >>> for_data("faces", loss={"name": "hinge"}).loss.name
        'hinge'
    """
    return _changed({"data": {"path": path}}, overrides)


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some values changed, checked as a file is.

    A new name of a loss, clip, optimizer or augmentation takes that one's default arguments, unless they are among the changes;
    an optimizer's learning rates stay. `ema.decay` takes the place of `ema.half_life`, and the other way round.

    Args:
        settings: what to begin with; it stays as it is.
        changes: values by dotted key, such as `optimizers.generator.beta_1` or `penalties.0.weight`. None takes a key back to its
            default. Of a section, and of an optimizer, a table of some of its keys; of other keys that hold a table, all of it.

    Returns:
        New settings; their paths are absolute, relative ones are relative to the working folder.

    Raises:
        SettingsError: a key or value cannot be; every fault is told.

    Example:
        >>> settings = for_data("faces")
        >>> changed(settings, {"loss.name": "hinge", "optimizers.generator.learning_rate": 1e-4}).loss.name
        'hinge'
    """
    return _changed(plain(settings), changes)


def _changed(tables: dict[str, Any], changes: Mapping[str, Any]) -> Settings:
    faults = Faults()
    single = [pair for key, value in changes.items() for pair in _single(str(key).split("."), value)]
    # Names first: they decide what the other keys mean.
    for names, value in sorted(single, key=lambda pair: pair[0][-1] != "name"):
        _put(tables, names, value, faults)
    if faults.found:
        raise SettingsError(faults.found)
    given = [".".join(names) for names, value in single if value is not None]
    for key, displaced in _DISPLACED.items():
        for name in displaced:
            if key in given and f"ema.{name}" not in given and isinstance(tables.get("ema"), dict):
                tables["ema"].pop(name, None)
    return checked(tables, Path())


def _single(names: list[str], value: Any) -> Iterator[tuple[list[str], Any]]:
    """A change of a section as changes of its keys."""
    kind = _kind(names)
    merges = isinstance(kind, Section) or (isinstance(kind, PartKind) and kind.default is not None)
    if merges and isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _single([*names, str(name)], entry)
    else:
        yield names, value


def _kind(names: list[str]) -> Any:
    """What the key at some names holds, as far as sections go."""
    kind: Any = Section(Settings)
    for name in names:
        entry = keys_of(kind.made).get(name) if isinstance(kind, Section) else None
        if entry is None:
            return None
        kind = entry.kind
    return kind


def _put(tables: dict[str, Any], names: list[str], value: Any, faults: Faults) -> None:
    table: Any = tables
    for depth, name in enumerate(names):
        if isinstance(table, list) and _inner(table, name) is None:
            faults.add(tuple(names), f": there is no entry {name}; the list has {len(table)}. Give the whole list.")
            return
        if not isinstance(table, dict | list):
            faults.add(tuple(names), f": there is no such key; {dotted(tuple(names[:depth]))} has no keys of its own.")
            return
        if depth < len(names) - 1:
            if isinstance(table, dict):
                table.setdefault(name, {})
            table = _inner(table, name)
    name, kind = names[-1], _kind(names[:-1])
    if isinstance(table, list):
        table[int(name)] = plain(value)
        return
    if value is None:
        table.pop(name, None)
        return
    if name == "name" and table.get("name") != value and (isinstance(kind, PartKind) or names[0] == "penalties"):
        kept = keys_of(kind.made) if isinstance(kind, PartKind) else ()
        for other in [each for each in table if each not in kept]:
            del table[other]
    table[name] = plain(value)


def _inner(table: Any, name: str) -> Any:
    if isinstance(table, list):
        return table[int(name)] if name.isdecimal() and int(name) < len(table) else None
    return table.get(name)
