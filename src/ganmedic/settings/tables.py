"""Kinds that hold others: sections, and the parts of the library with a name and arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ganmedic import checking
from ganmedic.settings.faults import Faults, KeyPath, near, shown
from ganmedic.settings.kinds import Kind

#: Marks a key that has to be given.
REQUIRED: Any = object()
_KEY = "ganmedic.settings.key"


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Attributes:
        kind: what it may hold.
        default: its value where it is left out; `REQUIRED` where it may not be.
        about: what it is, in one line.
        unset: what holds while it has no value; empty where it always has one.
        example: a value to show where it has none.
    """

    kind: Kind
    default: Any
    about: str
    unset: str = ""
    example: Any = None

    def read(self, table: Mapping[str, Any], name: str, path: KeyPath, faults: Faults) -> Any:
        """The value in a table, or the default; None is as if it were left out."""
        value = table.get(name)
        if value is None and isinstance(self.kind, Section):
            value = {}  # Its own keys know their defaults, and which of them have to be given.
        if value is not None:
            return self.kind.read(value, (*path, name), faults)
        if self.default is REQUIRED:
            faults.add((*path, name), f" is missing; {self.kind.expected} is expected. It is the {self.about}.")
            return None
        return dict(self.default) if isinstance(self.default, dict) else self.default


def key(kind: Kind, default: Any, about: str, *, unset: str = "", example: Any = None) -> Any:
    """A field of a section; arguments as for `Key`."""
    entry = Key(kind, default, about, unset, example)
    if default is REQUIRED:
        return dataclasses.field(metadata={_KEY: entry})
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={_KEY: entry})
    # A value is taken as it is: parts and sections are frozen.
    return dataclasses.field(default_factory=lambda: default, metadata={_KEY: entry})


def keys_of(section: type) -> dict[str, Key]:
    """The keys of a section, in order; those of a part without its arguments."""
    return {field.name: field.metadata[_KEY] for field in dataclasses.fields(section) if _KEY in field.metadata}


@dataclass(frozen=True)
class Section(Kind):
    """A table with keys of its own, which becomes a frozen dataclass."""

    made: type

    @property
    def expected(self) -> str:
        """A table."""
        return "a table"

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if not isinstance(value, Mapping):
            header = ".".join(map(str, path))
            faults.refuse(path, value, self.expected, f"Write [{header}] in a line of its own, and its keys below.")
            return None
        keys = keys_of(self.made)
        for name in value:
            if name not in keys:
                faults.unknown((*path, str(name)), keys)
        return self.made(**{name: each.read(value, name, path, faults) for name, each in keys.items()})


@dataclass(frozen=True)
class Part:
    """A part of the library: its name, and all its arguments.

    Attributes:
        name: as the part's `get` knows it.
        arguments: every argument that a file can hold, defaults included.

    Example:
        >>> Part("gradient_penalty", {"weight": 10.0}).arguments["weight"]
        10.0
    """

    name: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def build(self, get: Callable[..., Any]) -> Any:
        """Makes it, with what is nested in it: `part.build(ganmedic.penalties.get)`."""
        return get(
            self.name,
            **{name: each.build(get) if isinstance(each, Part) else each for name, each in self.arguments.items()},
        )

    def weighed(self, weight: float) -> Part:
        """The same with a number where the weight is `auto`, in what is nested in it, too."""
        arguments = {
            name: each.weighed(weight) if isinstance(each, Part) else each for name, each in self.arguments.items()
        }
        if arguments.get("weight") == "auto":
            arguments["weight"] = weight
        return dataclasses.replace(self, arguments=arguments)


@dataclass(frozen=True)
class Description:
    """What is known of a part without importing it.

    Attributes:
        about: what it is, in one line.
        arguments: those that TOML can hold.
        left_out: arguments that it cannot hold: functions and networks.
        traits: attributes of its class that are true and that combinations depend on.
        relations: what is wrong between arguments that are sound by themselves: the argument, and what follows it.
    """

    about: str
    arguments: Mapping[str, Key] = dataclasses.field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    traits: frozenset[str] = frozenset()
    relations: Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]] = lambda arguments: iter(())

    def read(self, table: Mapping[str, Any], path: KeyPath, faults: Faults) -> dict[str, Any]:
        """The arguments in a table, with the defaults of the others; keys that are not arguments are not read."""
        before = len(faults.found)
        values = {name: each.read(table, name, path, faults) for name, each in self.arguments.items()}
        if len(faults.found) == before:
            for name, text in self.relations(values):
                faults.add((*path, name), text)
        return values


@dataclass(frozen=True)
class PartKind(Kind):
    """A table with the name of a part, and its arguments as further keys.

    Attributes:
        what: what it is called in messages, such as `loss`.
        members: the parts by name.
        default: the name where none is given; None where one has to be.
        made: the dataclass; fields of its own are keys that every member has.
    """

    what: str
    members: Mapping[str, Description]
    default: str | None = None
    made: type[Part] = Part

    @property
    def expected(self) -> str:
        """A table with a name."""
        return f"a table with the name of the {self.what}, such as {{ name = '{next(iter(self.members))}' }},"

    def part(self, name: str) -> Any:
        """The part of a name with its defaults."""
        return self.read({"name": name}, (), Faults())

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if not isinstance(value, Mapping):
            is_name = isinstance(value, str) and value in self.members
            faults.refuse(path, value, self.expected, f"Write {{ name = '{value}' }}." if is_name else "")
            return None
        name = value.get("name", self.default)
        if name is None:
            faults.add((*path, "name"), f" is missing; {checking.listed(self.members)} is expected.")
            return None
        if not isinstance(name, str) or name not in self.members:
            expected = checking.listed(self.members)
            faults.refuse((*path, "name"), name, expected, near(name, self.members).strip())
            return None
        member, common = self.members[name], keys_of(self.made)
        known = ["name", *common, *member.arguments]
        for given in value:
            if given not in known:
                faults.unknown((*path, str(given)), known, self._elsewhere(given, member, name))
        own = {each: common[each].read(value, each, path, faults) for each in common}
        return self.made(name=name, arguments=member.read(value, path, faults), **own)

    def _elsewhere(self, given: str, member: Description, name: str) -> str:
        if given in member.left_out:
            return f" '{name}' takes it in a program only: it is a function or a network. Take it out."
        others = [other for other, each in self.members.items() if given in each.arguments]
        if others:
            names = (
                " and ".join([", ".join(map(repr, others[:-1])), repr(others[-1])]) if others[1:] else repr(others[0])
            )
            return f" '{name}' has none, {names} {'have' if others[1:] else 'has'}. Take it out, or take another name."
        return ""


@dataclass(frozen=True)
class PartList(Kind):
    """A list of parts."""

    part: PartKind

    @property
    def expected(self) -> str:
        """A list of tables."""
        return "a list of tables"

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if isinstance(value, list | tuple):
            return tuple(self.part.read(entry, (*path, index), faults) for index, entry in enumerate(value))
        header = ".".join(map(str, path))
        hint = f"Write [[{header}]] with two brackets, once for each." if isinstance(value, Mapping) else ""
        faults.refuse(
            path, value, self.expected, hint or f"Write [[{header}]] in a line of its own, and its keys below."
        )
        return None


@dataclass(frozen=True)
class Arguments(Kind):
    """A table of the arguments of one part; an empty one takes it with its defaults."""

    name: str
    description: Description

    @property
    def expected(self) -> str:
        """A table."""
        return "a table of its arguments, {} for their defaults,"

    def read(self, value: Any, path: KeyPath, faults: Faults) -> Any:
        """As for every kind."""
        if not isinstance(value, Mapping):
            hint = f"Write {path[-1]} = {{}}." if value is True else ""
            hint = "To do without, leave the key out." if value is False else hint
            faults.refuse(path, value, self.expected, hint)
            return None
        for given in value:
            if given not in self.description.arguments:
                faults.unknown((*path, str(given)), self.description.arguments)
        return self.description.read(value, path, faults)


def relation(holds: bool, name: str, value: Any, expected: str) -> Iterator[tuple[str, str]]:
    """What `Description.relations` gives where an argument does not fit another."""
    if not holds:
        yield name, f" is {shown(value)}; {expected}"
