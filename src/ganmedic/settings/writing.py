"""Writes a configuration as TOML: every key with its value, and what it is behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ganmedic.settings.building import plain
from ganmedic.settings.kinds import Choice
from ganmedic.settings.sections import Settings
from ganmedic.settings.tables import Arguments, Key, Part, PartKind, PartList, Section, keys_of

_OPENING = "# A configuration of `ganmedic train`. What stands behind a # is a comment; a key that is one is unset.\n"
#: Comments of a table begin in one column, behind the longest line that is no longer than this.
_COLUMN = 56
#: So many names of parts are listed behind the one that is taken.
_FEW = 6
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


def dumps(settings: Settings) -> str:
    """The whole configuration as TOML.

    Every default is written out, with a comment what the key is; a key without a value is a comment with an example. `load` of the
    text gives equal settings.

    Args:
        settings: the settings; made by `load`, `for_data` or `changed`.

    Returns:
        Text that ends with a line break.

    Example:
        >>> from ganmedic.settings import for_data
        >>> print(dumps(for_data("faces")).split("\\n\\n")[1].splitlines()[0])
        [run]  # where the run is kept, and what makes it the same again
    """
    tables = [
        table for name, entry in keys_of(Settings).items() for table in _tables(name, entry, getattr(settings, name))
    ]
    opening = _OPENING + ("\npenalties = []  # none\n" if settings.penalties == () else "")
    return "\n".join([opening, *tables])


def written(value: Any) -> str:
    """A value as TOML has it.

    Example:
        >>> written({"rate": 0.5, "names": ["a", "b"], "on": True})
        '{ rate = 0.5, names = ["a", "b"], on = true }'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_escaped(sign) for sign in value) + '"'
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_name(name)} = {written(entry)}" for name, entry in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def comment(entry: Key) -> str:
    """What a key is, and what it may be where that is a choice of words."""
    words = entry.kind.words if isinstance(entry.kind, Choice) else ()
    return f"{entry.about}: {' | '.join(words)}" if len(words) > 1 else entry.about


def _tables(header: str, entry: Key, value: Any) -> Iterator[str]:
    """The text of a table, and of the tables in it, each with a line break at its end."""
    kind = entry.kind
    if isinstance(kind, Section):
        keys = keys_of(kind.made)
        values = {name: getattr(value, name) for name in keys}
        yield from _table(header, entry.about, keys, values)
    elif isinstance(kind, PartList):
        for part in value or ():
            yield from _part(header, kind.part, part, f"[[{header}]]")
        if value is None:
            examples = "".join(f"# [[{header}]]\n{_commented(part)}" for part in entry.example)
            yield f"# [[{header}]]  # {entry.about} (unset: {entry.unset})\n{examples.split(chr(10), 1)[1]}"
    elif isinstance(kind, PartKind):
        yield from _part(header, kind, value, f"[{header}]", entry.about)
    elif isinstance(kind, Arguments):
        yield from _table(header, entry.about, kind.description.arguments, value)


def _part(header: str, kind: PartKind, part: Part, opening: str, about: str = "") -> Iterator[str]:
    member = kind.members[part.name]
    common = keys_of(kind.made)
    words = tuple(kind.members)
    name = Key(Choice(words if len(words) <= _FEW else (part.name,)), part.name, member.about)
    values = {"name": part.name, **{each: getattr(part, each) for each in common}, **part.arguments}
    yield from _table(header, about, {"name": name, **common, **member.arguments}, values, opening)


def _table(
    header: str, about: str, keys: Mapping[str, Key], values: Mapping[str, Any], opening: str = ""
) -> Iterator[str]:
    rows: list[tuple[str, str]] = []
    inner: list[tuple[str, Key, Any]] = []
    for name, entry in keys.items():
        value = values[name]
        if value is None:
            rows.append((f"# {name} = {written(plain(entry.example))}", f"{comment(entry)} (unset: {entry.unset})"))
        elif isinstance(entry.kind, Section | PartKind | Arguments):
            inner.append((f"{header}.{name}", entry, value))
        else:
            rows.append((f"{name} = {written(plain(value))}", comment(entry)))
    if rows:
        yield _aligned(f"{opening or f'[{header}]'}{f'  # {about}' if about else ''}", rows)
    for path, entry, value in inner:
        yield from _tables(path, entry, value)


def _aligned(opening: str, rows: list[tuple[str, str]]) -> str:
    column = max((len(left) for left, _ in rows if len(left) <= _COLUMN), default=0)
    return "\n".join([opening, *(f"{left:<{column}}  # {right}" for left, right in rows)]) + "\n"


def _commented(part: Part) -> str:
    return "".join(f"# {name} = {written(value)}\n" for name, value in plain(part).items())


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else written(name)


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 else sign
