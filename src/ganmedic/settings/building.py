"""From plain tables to `Settings`, with every fault in them, and back."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ganmedic.settings import combinations
from ganmedic.settings.faults import Faults, SettingsError
from ganmedic.settings.sections import Settings
from ganmedic.settings.tables import Arguments, Part, PartKind, PartList, Section, keys_of


def built(tables: Mapping[str, Any], folder: Path) -> tuple[Settings, Faults]:
    """The configuration in plain tables; of no use where there are faults.

    Args:
        tables: as tomllib gives them; None stands for a key that is left out.
        folder: what relative paths are relative to.
    """
    faults = Faults(_homes())
    settings: Settings = Section(Settings).read(tables, (), faults)
    combinations.check(settings, faults)
    return (settings if faults.found else _absolute(settings, folder)), faults


def checked(tables: Mapping[str, Any], folder: Path) -> Settings:
    """The same, for what a program gave.

    Raises:
        SettingsError: there are faults.
    """
    settings, faults = built(tables, folder)
    if faults.found:
        raise SettingsError(faults.found)
    return settings


def plain(value: Any) -> Any:
    """Settings, or a part of them, as plain tables; what is unset is left out."""
    if isinstance(value, Part):
        common = {
            name: plain(getattr(value, name)) for name in keys_of(type(value)) if getattr(value, name) is not None
        }
        return {"name": value.name, **common, **plain(value.arguments)}
    if dataclasses.is_dataclass(value):
        entries = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return plain(entries)
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value


def _absolute(settings: Settings, folder: Path) -> Settings:
    def path(name: str) -> str:
        return os.path.abspath(folder / os.path.expanduser(name))

    def builder(name: str | None) -> str | None:
        if name is None:
            return None
        file, _, function = name.rpartition(":")
        return f"{path(file)}:{function}"

    run, networks = settings.run, settings.networks
    return dataclasses.replace(
        settings,
        run=dataclasses.replace(run, folder=None if run.folder is None else path(run.folder)),
        data=dataclasses.replace(settings.data, path=path(settings.data.path)),
        networks=dataclasses.replace(
            networks, generator=builder(networks.generator), discriminator=builder(networks.discriminator)
        ),
    )


@cache
def _homes() -> dict[str, list[str]]:
    """The tables that have a key of a name."""
    homes: dict[str, list[str]] = {}
    for table, names in _tables(Section(Settings), ""):
        for name in names:
            homes.setdefault(name, []).append(f"[{table}]")
    return homes


def _tables(kind: Any, header: str) -> Iterator[tuple[str, list[str]]]:
    """The tables of a configuration and the names of their keys. What every part has by the same name says nothing."""
    if isinstance(kind, Section):
        keys = keys_of(kind.made)
        if header:
            yield header, list(keys)
        for name, entry in keys.items():
            yield from _tables(entry.kind, f"{header}.{name}" if header else name)
    elif isinstance(kind, PartList):
        yield from ((f"[{table}]", names) for table, names in _tables(kind.part, header))
    elif isinstance(kind, PartKind):
        arguments = {name: None for each in kind.members.values() for name in each.arguments}
        yield header, [*keys_of(kind.made), *arguments]
    elif isinstance(kind, Arguments):
        yield header, list(kind.description.arguments)
