"""What is wrong with a configuration: each fault with its key, and with its line where it came from a file."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ganmedic import checking

#: A key from the outermost table inwards; entries of lists by their number.
KeyPath: TypeAlias = tuple[str | int, ...]

#: Beyond this many faults a file is something else than a configuration.
_MOST = 100
_LONGEST_NAME = 60
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: KeyPath) -> str:
    """`penalties.0.weight`; names with other signs than letters, digits, `_` and `-` are quoted."""
    return ".".join(str(name) if _BARE.fullmatch(str(name)) else shown(name) for name in path)


def shown(value: Any, longest: int = 80) -> str:
    """A value as TOML has it, cut to a readable length, with control characters escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{name} = {shown(entry, 20)}" for name, entry in list(value.items())[:6]) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(entry, 20) for entry in value[:8]) + (", ..." if len(value) > 8 else "") + "]"
    elif isinstance(value, str):
        text = repr(value if len(value) <= longest else value[:longest] + "...")
    else:
        try:
            text = repr(value)
        except ValueError:  # Python writes out no whole number of more than 4300 digits.
            text = "a whole number of thousands of digits"
    return text if len(text) <= 2 * longest else text[: 2 * longest] + "..."


def near(name: Any, allowed: Iterable[str]) -> str:
    """` Did you mean 'r1'?`, or nothing."""
    word, words = str(name).lower(), list(allowed)
    if len(word) > _LONGEST_NAME:
        return ""
    around = [each for each in words if len(word) > 3 and word in each]
    return f" Did you mean {min(around, key=len)!r}?" if around else checking.nearest(word, words)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        path: the key.
        text: what came, what is expected and what to do; begins with the key.
        line: in the file, from 1 on; None where there is no file, or no such line.
    """

    path: KeyPath
    text: str
    line: int | None = None

    @property
    def key(self) -> str:
        """The key with its sections, as `changed` takes it."""
        return dotted(self.path)


class SettingsError(ValueError):
    """A configuration that cannot be used. Its text has a paragraph for each fault.

    Args:
        faults: all that was found; or a text, where no single key is at fault.
        file: where it was read from; None for what a program gave.

    Attributes:
        faults: all that was found.
        file: as given.
    """

    def __init__(self, faults: Iterable[Fault] | str, file: str | os.PathLike[str] | None = None) -> None:
        self.faults = (Fault((), faults),) if isinstance(faults, str) else tuple(faults)
        self.file = None if file is None else os.fspath(file)
        paragraphs = [self._paragraph(fault) for fault in self.faults[:_MOST]]
        if len(self.faults) > _MOST:
            paragraphs.append(
                f"{len(self.faults) - _MOST} faults more are not listed. Is this a configuration of ganmedic?"
            )
        super().__init__("\n\n".join(paragraphs))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults, self.file)

    def _paragraph(self, fault: Fault) -> str:
        if self.file is None:
            return fault.text
        file = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in self.file)
        return f"{file}: {fault.text}" if fault.line is None else f"{file}, line {fault.line}: {fault.text}"


class Faults:
    """Collects faults while a configuration is read.

    Args:
        homes: the tables in which a key of a name belongs, for keys that stand in another one.
    """

    def __init__(self, homes: Mapping[str, Collection[str]] | None = None) -> None:
        self.found: list[Fault] = []
        self._homes = homes or {}

    def add(self, path: KeyPath, text: str) -> None:
        """Adds what is wrong with a key, in words that follow the key."""
        self.found.append(Fault(path, f"{dotted(path)}{text}"))

    def refuse(self, path: KeyPath, value: Any, expected: str, hint: str = "") -> None:
        """Adds a value that is not what is expected."""
        self.add(path, f" is {shown(value)}; {expected} is expected.{hint and ' '}{hint}")

    def unknown(self, path: KeyPath, known: Iterable[str], hint: str = "") -> None:
        """Adds a key that is not known."""
        names, homes = list(known), self._homes.get(str(path[-1]), ())
        listed = f"known here are {', '.join(names)}" if names else "nothing is to be set here"
        if not hint and len(self.found) < _MOST:
            hint = near(path[-1], names)
        if not hint and homes:
            hint = f" It belongs into {' or '.join(homes)}."
        self.add(path, f": there is no such key; {listed}.{hint or ' Take it out.'}")

    def touches(self, path: KeyPath) -> bool:
        """Whether a fault lies at the key, within it or around it."""
        return any(
            fault.path[: len(path)] == path or path[: len(fault.path)] == fault.path for fault in self.found[:_MOST]
        )
